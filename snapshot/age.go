package snapshot

import (
	"context"
	"fmt"
	"time"
)

// offered reads, without verifying it, by when a bundle says its release was
// there. What is read with it must be mutually valid by then; that the time is
// the release's own is checked with the release.
func offered(ctx context.Context, r Reader) (time.Time, error) {
	stamp, err := readAll(ctx, r, "tuf/timestamp.json", maxTimestamp)
	if err != nil {
		return time.Time{}, err
	}
	var signed struct {
		Expires time.Time `json:"expires"`
	}
	if err := unmarshalSigned(stamp, &signed); err != nil {
		return time.Time{}, fmt.Errorf("timestamp: %w: %w", ErrManifest, err)
	}
	return signed.Expires.Add(-time.Second), nil
}
