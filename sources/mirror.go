package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// MirrorOptions are the options of [NewMirror]; of the zero value only Client
// is missing.
type MirrorOptions struct {
	Client *Client // shared by all Mirrors of a run; required

	// Force asks for everything anew, whatever was fetched before.
	Force bool
	// API prefers a source's API to its files, where it has both.
	API bool
	// Secret returns the secret of that name, "" if there is none, such as
	// os.Getenv. It is not asked where an upstream tree answers, so that no
	// secret goes to another host than its own.
	Secret func(name string) string
	// Progress is told of bytes as they come in: so far and in all (-1 if
	// upstream does not say), of one URL.
	Progress func(url string, done, total int64)
	Log      *slog.Logger // default: nothing

	Now     func() time.Time                           // default: time.Now
	Sleep   func(context.Context, time.Duration) error // default: waits
	TempDir string                                     // for archives that must be read twice; default: the system's

	MaxTransfer int64 // bytes of one body as transferred; default 8 GiB
	MaxDocument int64 // bytes of one document, decompressed; default 4 GiB
	MaxArchive  int64 // bytes of one archive, decompressed; default 256 GiB
}

func (o *MirrorOptions) setDefaults() {
	o.MaxTransfer = orDefault(o.MaxTransfer, 8<<30)
	o.MaxDocument = orDefault(o.MaxDocument, 4<<30)
	o.MaxArchive = orDefault(o.MaxArchive, 256<<30)
	if o.Secret == nil || !o.Client.live {
		o.Secret = func(string) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A Mirror is the session in which one Fetch of one source runs: what the
// Fetch does counts from [Mirror.Commit] on, all of it or none. A Mirror is
// used by one goroutine.
//
// It keeps the validators (ETag, Last-Modified) of what was fetched beside
// the source's cursor, and commits both in one step with the documents that
// they stand for, so that "not modified" never hides a document that is not
// there.
type Mirror struct {
	docs   Documents
	opt    MirrorOptions
	client *Client
	state  state
	stats  Stats
	broken error // an archive was read in part: nothing may be committed any more
}

// NewMirror starts a session on docs, where the last Commit left off.
func NewMirror(docs Documents, opt MirrorOptions) (*Mirror, error) {
	if opt.Client == nil {
		return nil, errors.New("mirror: no client")
	}
	opt.setDefaults()
	data, err := docs.Load()
	if err != nil {
		return nil, err
	}
	m := &Mirror{docs: docs, opt: opt, client: opt.Client}
	if err := m.state.decode(data); err != nil {
		return nil, fmt.Errorf("state of the last fetch: %w", err)
	}
	return m, nil
}

// Stats counts what a session did.
type Stats struct {
	Requests    int   // answered by upstream
	NotModified int   // of those, answered 304
	Bytes       int64 // of bodies, as transferred
	Put         int   // documents read to their end
	Changed     int   // of those, documents that differ from what was there
	Deleted     int
}

// Stats returns what the session did so far.
func (m *Mirror) Stats() Stats { return m.stats }

// Copy makes what url serves the document name, if it changed since it was
// last copied. What a .gz, .bz2 or .zst URL serves is decompressed. An error
// leaves the document as it was.
func (m *Mirror) Copy(ctx context.Context, name, url string) error {
	resp, err := m.open(ctx, request{url: url, owner: name})
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return prefixed(name, err)
	}
	defer resp.Close()
	if err := m.Put(name, resp); err != nil {
		return located(url, err)
	}
	resp.Keep()
	return nil
}

// Put makes what r yields the document name. It refuses, and leaves the
// document as it was, what cannot be the whole of a document so named: nothing,
// a web page, JSON or XML that ends early or goes on after its end.
func (m *Mirror) Put(name string, r io.Reader) error {
	return m.put(name, checked(name, r))
}

// put stores r whatever it is.
func (m *Mirror) put(name string, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	e := &ended{r: &limited{r: r, left: m.opt.MaxDocument}}
	changed, err := m.docs.Put(name, e)
	if err == nil {
		err = e.drain()
	}
	if err != nil {
		return prefixed(name, err)
	}
	m.stats.Put++
	if changed {
		m.stats.Changed++
	}
	return nil
}

// copy makes the document to what from was at the last Commit.
func (m *Mirror) copy(to, from string) error {
	if err := checkName(to); err != nil {
		return err
	}
	c, ok := m.docs.(Copier)
	if !ok {
		return prefixed(to, fmt.Errorf("copy of %s: %w", from, errors.ErrUnsupported))
	}
	if err := c.Copy(to, from); err != nil {
		return prefixed(to, err)
	}
	m.stats.Changed++
	return nil
}

// Delete takes the document away.
func (m *Mirror) Delete(name string) error {
	if err := m.docs.Delete(name); err != nil {
		return prefixed(name, err)
	}
	m.state.disown(name)
	m.stats.Deleted++
	return nil
}

// sweep deletes the documents that gone says upstream has no more.
func (m *Mirror) sweep(gone func(name string) bool) error {
	var names []string
	err := m.Names(func(name string) bool {
		if gone(name) {
			names = append(names, name)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := m.Delete(name); err != nil {
			return err
		}
	}
	return nil
}

// sweepOthers deletes the documents that are not in seen.
func (m *Mirror) sweepOthers(seen map[string]struct{}) error {
	return m.sweep(func(name string) bool {
		_, ok := seen[name]
		return !ok
	})
}

// Names calls yield with the names of all documents as of the last Commit,
// sorted, until it returns false. It must not be called inside yield.
func (m *Mirror) Names(yield func(name string) bool) error { return m.docs.Names(yield) }

// Load decodes the cursor given to the last Commit into v, which is left as
// it is before the first.
func (m *Mirror) Load(v any) error { return m.state.loadCursor(v) }

// Commit makes all that was put and deleted, the validators of what was
// fetched, and cursor durable in one step. A nil cursor leaves it as it is.
// Nothing is written if nothing changed.
func (m *Mirror) Commit(ctx context.Context, cursor any) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if m.broken != nil {
		return fmt.Errorf("nothing is committed after an archive read in part: %w", m.broken)
	}
	if err := m.state.setCursor(cursor); err != nil {
		return err
	}
	data, err := m.state.encode()
	if err != nil {
		return err
	}
	return m.docs.Commit(data)
}

// Forget drops the validators of url: the next request for it gets it whole.
func (m *Mirror) Forget(url string) { delete(m.state.Validators, url) }

// prefixed makes err begin with name, once.
func prefixed(name string, err error) error {
	return fmt.Errorf("%s: %w", name, err)
}
