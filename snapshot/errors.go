package snapshot

import "errors"

// ErrRefused is what every error is that means: what was offered cannot be
// trusted, and the replica stays what it was. errors.Is finds it in each of
// the errors below.
var ErrRefused = errors.New("refused")

// A refusal is one reason not to trust what was offered.
type refusal string

func (r refusal) Error() string        { return string(r) }
func (r refusal) Is(target error) bool { return target == ErrRefused }

// Reasons to refuse.
var (
	ErrSignature error = refusal("signatures do not reach the threshold")
	ErrExpired   error = refusal("signed metadata has expired")
	ErrRollback  error = refusal("older than what is held")
	ErrFork      error = refusal("the log of releases tells another history than the one held")
	ErrMismatch  error = refusal("not the bytes that were signed")
	ErrTooLarge  error = refusal("larger than was signed or is allowed")
	ErrTruncated error = refusal("ends early")
	ErrSlow      error = refusal("slower than the minimum speed")
	ErrState     error = refusal("the records are not those of the signed state")
	ErrSegment   error = refusal("malformed segment")
	ErrManifest  error = refusal("malformed manifest")
	ErrBundle    error = refusal("malformed bundle")
	ErrStale     error = refusal("too old")
	ErrOrigin    error = refusal("of another origin than the one held")
	ErrClient    error = refusal("needs a newer advdb")
	ErrWitness   error = refusal("not cosigned by the witnesses that the policy wants")
	ErrTrust     error = refusal("no trusted root: give the publisher's root file once")
)

// Errors that are no refusals.
var (
	// ErrNotFound says that the repository has no such file.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that another publisher was faster.
	ErrConflict = errors.New("another publisher wrote to the repository")
	// ErrGate says that a release was not signed: what would be published
	// does not look right.
	ErrGate = errors.New("gate")
	// ErrSpace says that the disk has less room than is needed.
	ErrSpace = errors.New("not enough disk space")
	// ErrKeys says that keys are missing or the passphrase is wrong.
	ErrKeys = errors.New("keys")
)
