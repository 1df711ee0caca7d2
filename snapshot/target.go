package snapshot

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// ErrDenied says that a carrier wants other credentials than it was given.
var ErrDenied = errors.New("access denied")

// ErrTarget says that what should name a repository names none that can be
// opened for that.
var ErrTarget = errors.New("not a repository's name")

// Carriers open repositories by what names them:
//
//	/srv/advdb, file:///srv/advdb         a folder
//	https://advdb.example.org, http://…   what any web server serves; read-only
//	s3://bucket/prefix                    S3-compatible object storage, see [S3]
//	oci://registry/name:tag               an OCI registry, see [OCI]; the tag is latest by default
type Carriers struct {
	Getenv func(string) string // of endpoints and credentials; nil: none are known
	Client *http.Client        // of all that are reached over HTTP; default: one with time limits
}

// uploadHeaders is how long a store may think about what it was sent.
const uploadHeaders = 2 * time.Minute

// OpenReader opens the repository that target names with the environment of
// the process.
func OpenReader(target string) (Reader, error) {
	return Carriers{Getenv: os.Getenv}.OpenReader(target)
}

// OpenReader opens the repository that target names, for reading.
func (c Carriers) OpenReader(target string) (Reader, error) {
	scheme, _ := splitTarget(target)
	switch scheme {
	case "http", "https":
		u, err := url.Parse(target)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTarget, err)
		}
		return NewHTTP(u, c.Client), nil
	case "":
		return OpenDir(strings.TrimPrefix(target, "file://"))
	}
	return c.openRemote(target)
}

// OpenRepository opens the repository that target names, for publishing. A
// folder is made where it is missing; a bucket or registry must be there.
func (c Carriers) OpenRepository(target string) (Repository, error) {
	scheme, _ := splitTarget(target)
	switch scheme {
	case "http", "https":
		return nil, fmt.Errorf("%s: %w to publish to: a web server is read only; publish to the folder that it serves, to s3:// or to oci://", redact(target), ErrTarget)
	case "":
		return CreateDir(strings.TrimPrefix(target, "file://"))
	}
	return c.openRemote(target)
}

// openRemote opens what is read and published to by the same protocol.
func (c Carriers) openRemote(target string) (Repository, error) {
	if c.Getenv == nil {
		c.Getenv = func(string) string { return "" }
	}
	scheme, rest := splitTarget(target)
	switch scheme {
	case "s3":
		return c.openS3(rest)
	case "oci":
		return c.openOCI(rest)
	}
	return nil, fmt.Errorf("%s: %w: %q is none of https, s3, oci", redact(target), ErrTarget, scheme)
}

// splitTarget splits a target at "://"; file:// and a bare path have no scheme.
func splitTarget(target string) (scheme, rest string) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || scheme == "file" {
		return "", target
	}
	return scheme, rest
}

// redact hides the password that a target may have.
func redact(target string) string {
	if u, err := url.Parse(target); err == nil {
		return u.Redacted()
	}
	return target
}
