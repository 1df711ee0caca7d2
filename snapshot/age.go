package snapshot

import (
	"fmt"
	"time"
)

// checkValid verifies that all metadata of a release was valid at a time: for
// what is carried, by when it was there counts, and not when it arrives.
func (v *verified) checkValid(at time.Time) error {
	for _, x := range []struct {
		role    string
		expired bool
	}{
		{RoleRoot, v.tm.Root.Signed.IsExpired(at)},
		{RoleTimestamp, v.tm.Timestamp.Signed.IsExpired(at)},
		{RoleSnapshot, v.tm.Snapshot.Signed.IsExpired(at)},
		{RoleTargets, v.tm.Targets[RoleTargets].Signed.IsExpired(at)},
		{RoleReleases, v.tm.Targets[RoleReleases].Signed.IsExpired(at)},
	} {
		if x.expired {
			return fmt.Errorf("%s, at %s: %w", x.role, at.Format(time.RFC3339), ErrExpired)
		}
	}
	return nil
}
