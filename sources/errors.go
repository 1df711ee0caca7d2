package sources

import (
	"errors"
	"fmt"
	"net/http"
)

var (
	// ErrUnchanged says that upstream answered 304: what was committed is
	// what it still serves.
	ErrUnchanged = errors.New("not modified")
	// ErrTooLarge says that a body, a document or an archive is over its limit.
	ErrTooLarge = errors.New("too large")
	// ErrStalled says that upstream sent nothing for too long.
	ErrStalled = errors.New("stalled")
	// ErrIncomplete says that data ended before its end, goes on after it, or
	// is not what its name says (a web page instead of JSON).
	ErrIncomplete = errors.New("not the whole of it")
	// ErrHostile says that an archive has an entry that no honest archive has:
	// a path that leads out of it, a link in a document's place, one name twice.
	ErrHostile = errors.New("hostile archive")
	// ErrChecksum says that bytes do not have the checksum upstream publishes.
	ErrChecksum = errors.New("checksum differs")
)

// A StatusError is an answer other than the wanted one.
type StatusError struct {
	URL    string
	Status int // HTTP status code
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

// NotFound reports whether err is upstream saying that it has no such thing.
func NotFound(err error) bool {
	var se *StatusError
	return errors.As(err, &se) && (se.Status == http.StatusNotFound || se.Status == http.StatusGone)
}
