package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// Unpack makes the documents in the folder dir ("" for all of the source's)
// those that the archive at url holds: entries become documents as they come
// by, and documents in dir that the archive lacks are deleted. name gives the
// document's name within dir for an entry's path, "" for an entry that is not
// wanted. Archives are .zip and .tar, the latter also .gz, .tgz, .bz2 and .zst.
//
// The archive counts as a whole: after an error Commit refuses. Errors are a
// broken or truncated archive, bytes after its end, an archive without any
// wanted entry (all ErrIncomplete or the decompressor's), one over the limits
// (ErrTooLarge), and one with entries that no honest archive has (ErrHostile).
//
// An archive that says of which git commit it is, as those of GitHub and
// GitLab do in their first header, is not read on where it was the same
// commit the last time: their bytes are not stable.
func (m *Mirror) Unpack(ctx context.Context, dir, url string, name func(path string) string) error {
	_, err := m.unpack(ctx, unpacking{dir: dir, url: url, name: name})
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	return err
}

// unpack is Unpack that returns the names of the documents put, or
// ErrUnchanged.
func (m *Mirror) unpack(ctx context.Context, u unpacking) (map[string]struct{}, error) {
	resp, err := m.open(ctx, request{url: u.url, owner: u.dir + "/", raw: true})
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	u.ctx, u.m, u.seen = ctx, m, map[string]struct{}{}
	if !m.opt.Force {
		u.known = m.state.Validators[u.url].Commit
	}
	err = u.read(resp)
	resp.v.Commit = u.commit
	if errors.Is(err, errSameCommit) {
		resp.Keep()
		return nil, ErrUnchanged
	}
	if err == nil {
		err = u.sweep()
	}
	if err != nil {
		m.broken = located(u.url, err)
		return nil, m.broken
	}
	resp.Keep()
	return u.seen, nil
}

// errSameCommit says that an archive is of the commit that is there already.
var errSameCommit = errors.New("same commit")

// unpacking is one Unpack at work.
type unpacking struct {
	dir  string
	url  string
	name func(path string) string
	keep func(document string) bool // documents to keep though the archive lacks them; may be nil
	bare bool                       // a zip, though its URL does not say so

	ctx    context.Context
	m      *Mirror
	seen   map[string]struct{} // documents put
	known  string              // git commit of what is there, if known
	commit string              // git commit that the archive says it is of
}

// archiveForm returns "zip" or "tar" for the URL of an archive, and how the
// tar is compressed.
func archiveForm(address string) (form, compressed string, err error) {
	p := address
	if u, err := url.Parse(address); err == nil {
		p = u.Path
	}
	compressed = compression(address)
	switch stem := strings.TrimSuffix(p, "."+compressed); {
	case path.Ext(p) == ".zip":
		return "zip", "", nil
	case path.Ext(p) == ".tgz", path.Ext(stem) == ".tar":
		return "tar", compressed, nil
	}
	return "", "", fmt.Errorf("archive of another form than .zip and .tar: %w", errors.ErrUnsupported)
}

func (u *unpacking) read(resp *Response) error {
	if u.bare {
		return u.zip(resp)
	}
	form, compressed, err := archiveForm(u.url)
	if err != nil {
		return err
	}
	if form == "zip" {
		return u.zip(resp)
	}
	plain, err := decompress(compressed, resp)
	if err != nil {
		return err
	}
	if c, ok := plain.(closer); ok {
		defer c.Close()
	}
	return u.tar(plain)
}

// document returns which document the entry at p is, "" for none. It refuses
// paths that lead out of the archive, wanted or not.
func (u *unpacking) document(p string) (string, error) {
	if p == "" || strings.ContainsRune(p, 0) || strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("entry %q: %w", p, ErrHostile)
	}
	for e := range strings.SplitSeq(p, "/") {
		if e == ".." {
			return "", fmt.Errorf("entry %q: %w", p, ErrHostile)
		}
	}
	if !utf8.ValidString(p) {
		return "", nil
	}
	rel := u.name(path.Clean(p))
	if rel == "" {
		return "", nil
	}
	return path.Join(u.dir, rel), nil
}

// put makes r, which ends where the entry ends, the document name.
func (u *unpacking) put(name string, r io.Reader) error {
	if err := context.Cause(u.ctx); err != nil {
		return err
	}
	if _, twice := u.seen[name]; twice {
		return fmt.Errorf("%s: twice: %w", name, ErrHostile)
	}
	u.seen[name] = struct{}{}
	return u.m.put(name, r)
}

// sweep deletes the documents that the archive lacks.
func (u *unpacking) sweep() error {
	if len(u.seen) == 0 {
		return fmt.Errorf("%w: the archive has no document", ErrIncomplete)
	}
	return u.m.sweep(func(name string) bool {
		_, ok := u.seen[name]
		in := u.dir == "" || strings.HasPrefix(name, u.dir+"/")
		return in && !ok && (u.keep == nil || !u.keep(name))
	})
}
