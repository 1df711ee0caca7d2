package snapshot

import (
	"archive/tar"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

// bundle writes a bundle into a file.
func (w *world) bundle(name string, opt BundleOptions) *Bundle {
	w.t.Helper()
	path := filepath.Join(w.temp, name)
	f, err := os.Create(path)
	if err != nil {
		w.t.Fatal(err)
	}
	opt.Repo = w.repo
	if _, err := CreateBundle(w.t.Context(), f, opt); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
	b, err := OpenBundle(path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { b.Close() })
	return b
}

func (w *world) state(dir string) *State {
	w.t.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	s, err := ReadState(db)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// TestBundle carries release 3 to a site, and, by the state that the site
// hands out, release 40 with root rotated in between; the site's clock is
// years wrong.
func TestBundle(t *testing.T) {
	w := newWorld(t, 20, 150)
	for range 3 {
		w.churn()
		w.publish()
	}
	site := filepath.Join(w.temp, "site")
	root, _ := w.keys.FirstRoot()
	import1 := ImportOptions{Dir: site, Bundle: w.bundle("first", BundleOptions{}), Root: root, Now: w.now.AddDate(-9, 0, 0)}
	if _, err := Import(t.Context(), ImportOptions{Dir: site, Bundle: import1.Bundle, Now: w.now}); !errors.Is(err, ErrTrust) {
		t.Errorf("without a root: %v", err)
	}
	got, err := Import(t.Context(), import1)
	if err != nil || got.Version != 3 || got.Warning == "" {
		t.Fatalf("imported %+v: %v", got, err)
	}
	state := w.state(site)
	if b, err := state.Encode(); err != nil || len(b) > 500 {
		t.Errorf("state of %d bytes: %v", len(b), err)
	}
	for i := range 37 {
		w.churn()
		if i%5 == 0 {
			if _, err := w.keys.Rotate(RoleRoot, "", w.now); err != nil {
				t.Fatal(err)
			}
		}
		w.publish()
	}
	b := w.bundle("delta", BundleOptions{State: state})
	seen, err := Inspect(t.Context(), b)
	if err != nil || seen.Version != 40 || seen.From > 3 {
		t.Errorf("inspected %+v: %v", seen, err)
	}
	got, err = Import(t.Context(), ImportOptions{Dir: site, Bundle: b, Now: w.now.AddDate(-9, 0, 0)})
	if err != nil || got.Version != 40 || got.From != 3 {
		t.Fatalf("imported %+v: %v", got, err)
	}
	if w.digest(site) != w.digest(w.dir) {
		t.Error("digests differ")
	}
	before := w.fileHash(site)
	if _, err := Import(t.Context(), import1); !errors.Is(err, ErrRollback) || w.fileHash(site) != before {
		t.Errorf("the first bundle again: %v", err)
	}
	if again, err := Import(t.Context(), ImportOptions{Dir: site, Bundle: b, Now: w.now}); err != nil || again.Changed {
		t.Errorf("the same bundle again: %+v %v", again, err)
	}
	part, err := Import(t.Context(), ImportOptions{Dir: filepath.Join(w.temp, "part"), Bundle: w.bundle("full", BundleOptions{}), Root: root, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := Import(t.Context(), ImportOptions{Dir: filepath.Join(w.temp, "part"), Bundle: w.bundle("full", BundleOptions{}), Only: []string{"npm"}, Now: w.now})
	if err != nil || fewer.Records == 0 || fewer.Records >= part.Records {
		t.Errorf("the same bundle for npm only: %+v %v", fewer, err)
	}
	if receipt := w.state(site); receipt.Version != 40 || receipt.Root < 8 {
		t.Errorf("receipt %+v", receipt)
	}
}

// TestAge is the policy on age: said, refused, and accepted for a reason that
// stays.
func TestAge(t *testing.T) {
	w := newWorld(t, 21, 30)
	w.publish()
	root, _ := w.keys.FirstRoot()
	b := w.bundle("b", BundleOptions{})
	for i, x := range []struct {
		days   int
		accept string
		want   error
		warned bool
	}{
		{1, "", nil, false}, {8, "", nil, true}, {44, "", nil, true}, {46, "", ErrStale, false}, {400, "line down", nil, true},
	} {
		dir := filepath.Join(w.temp, "site", string(rune('a'+i)))
		got, err := Import(t.Context(), ImportOptions{Dir: dir, Bundle: b, Root: root, Now: w.now.AddDate(0, 0, x.days), AcceptStale: x.accept})
		if !errors.Is(err, x.want) || (got.Warning != "") != x.warned {
			t.Errorf("%d days: %+v, error %v", x.days, got, err)
		}
		if x.accept == "" || err != nil {
			continue
		}
		db, err := store.OpenDB(dir)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := ReadHeld(db); err != nil || h.Stale != x.accept {
			t.Errorf("held %+v %v", h, err)
		}
		db.Close()
	}
}

// TestBundleShape refuses archives that no repository makes.
func TestBundleShape(t *testing.T) {
	type file struct {
		h    tar.Header
		data string
	}
	plain := func(name string) file {
		return file{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o444, Format: tar.FormatUSTAR, Size: 1}, "x"}
	}
	link := func(kind byte) file {
		return file{tar.Header{Typeflag: kind, Name: "tuf/a", Linkname: "/etc/passwd", Format: tar.FormatUSTAR}, ""}
	}
	pax := plain("tuf/a")
	pax.h.Format, pax.h.PAXRecords = tar.FormatPAX, map[string]string{"VENDOR.x": "y"}
	for name, x := range map[string][]file{
		"parent":    {plain("tuf/../../x")},
		"absolute":  {plain("/tuf/x")},
		"elsewhere": {plain("bin/sh")},
		"dot":       {plain("tuf/.ssh")},
		"twice":     {plain("tuf/a"), plain("tuf/a")},
		"symlink":   {link(tar.TypeSymlink)},
		"hard link": {link(tar.TypeLink)},
		"device":    {link(tar.TypeChar)},
		"folder":    {{tar.Header{Typeflag: tar.TypeDir, Name: "tuf/", Format: tar.FormatUSTAR}, ""}},
		"pax":       {pax},
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			tw := tar.NewWriter(&buf)
			for _, f := range x {
				if err := tw.WriteHeader(&f.h); err != nil {
					t.Fatal(err)
				}
				if _, err := tw.Write([]byte(f.data)); err != nil {
					t.Fatal(err)
				}
			}
			tw.Close()
			path := filepath.Join(t.TempDir(), "b")
			if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if b, err := OpenBundle(path); !errors.Is(err, ErrBundle) {
				t.Errorf("opened %v, error %v", b, err)
			}
			if err := os.WriteFile(path, buf.Bytes()[:600], 0o600); err != nil {
				t.Fatal(err)
			}
			if b, err := OpenBundle(path); err == nil && len(b.names) > 0 && b.files[b.names[0]] == nil {
				t.Error("cut off and opened")
			}
		})
	}
}

// TestHTTP pulls from a static server that cuts connections off, and is
// resumed; and has the repository read by go-tuf's own client.
func TestHTTP(t *testing.T) {
	w := newWorld(t, 22, 600)
	w.publish()
	files := http.FileServer(http.Dir(w.repo.path))
	ranges, cuts := 0, 0
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			ranges++
		} else if bytes.Contains([]byte(r.URL.Path), []byte("/blob/")) && cuts == 0 {
			cuts++
			rw = &cutWriter{rw, 5000}
		}
		files.ServeHTTP(rw, r)
	}))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := w.client("replica")
	c.Mirrors = []Reader{NewHTTP(u, nil)}
	got := w.pull(c)
	if cuts != 1 || ranges != 1 || got.StateRoot != w.publishedRoot() {
		t.Errorf("%d cuts, %d ranges, %+v", cuts, ranges, got)
	}
	if w.digest(c.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
	acceptedByGoTUF(t, w, srv.URL)
}

func (w *world) publishedRoot() Hash {
	out := w.publish()
	return out.StateRoot
}

// A cutWriter drops the connection after some bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if len(b) > c.left {
		c.ResponseWriter.Write(b[:c.left])
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}

// acceptedByGoTUF refreshes with go-tuf's updater, and downloads the manifest
// and the proof.
func acceptedByGoTUF(t *testing.T, w *world, base string) {
	root, _ := w.keys.FirstRoot()
	cfg, err := config.New(base+"/tuf/", root)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RemoteTargetsURL = base + "/tuf/targets/"
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = t.TempDir(), t.TempDir()
	up, err := updater.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	up.UnsafeSetRefTime(w.now.Add(time.Hour))
	if err := up.Refresh(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{manifestTarget, proofTarget, policyTarget} {
		info, err := up.GetTargetInfo(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, data, err := up.DownloadTarget(info, "", ""); err != nil || len(data) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRotations rotates each role, root twenty times; a client of the first
// day arrives, and one that trusts a root of the middle.
func TestRotations(t *testing.T) {
	w := newWorld(t, 23, 30)
	w.publish()
	old := w.client("old")
	w.pull(old)
	for i := range 20 {
		w.now = w.now.AddDate(0, 1, 0)
		role := []string{RoleRoot, RoleTargets, RoleReleases, RoleSnapshot, RoleTimestamp}[i%5]
		if _, err := w.keys.Rotate(role, "", w.now); err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		if _, err := w.keys.Rotate(RoleRoot, "", w.now); err != nil {
			t.Fatal(err)
		}
		w.put(i)
		w.publish()
	}
	old.Now = w.now
	got := w.pull(old)
	if got.Version != 21 || got.From != 1 {
		t.Errorf("pulled %+v", got)
	}
	_, version, err := w.keys.Root()
	if err != nil || version < 21 {
		t.Errorf("root %d %v", version, err)
	}
	if w.digest(old.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
}

// TestProve proves each of some records, and no changed one.
func TestProve(t *testing.T) {
	w := newWorld(t, 24, 70)
	for range 5 {
		w.churn()
		w.publish()
	}
	c := w.client("replica")
	c.Now = w.now
	w.pull(c)
	db, err := store.OpenDB(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	key, err := LogKey(w.keys.LogKey())
	if err != nil {
		t.Fatal(err)
	}
	for id := range w.records {
		p, err := Prove(db, id)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeProof(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Verify(key); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		again.Record = bytes.Replace(again.Record, []byte("header"), []byte("Header"), 1)
		if err := again.Verify(key); !errors.Is(err, ErrState) {
			t.Errorf("%s changed: %v", id, err)
		}
		again = &Proof{}
		*again = *p
		again.Leaf.Version++
		if err := again.Verify(key); !errors.Is(err, ErrFork) {
			t.Errorf("%s of another release: %v", id, err)
		}
	}
	if _, err := Prove(db, "TEST-99999"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no record: %v", err)
	}
}
