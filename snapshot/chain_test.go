package snapshot

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
)

// TestPullFull pulls the first release into nothing, and again, and the second.
func TestPullFull(t *testing.T) {
	w := newWorld(t, 1, 400)
	first := w.publish()
	if !first.New || first.Version != 1 || first.Records != 400 || !first.Base {
		t.Fatalf("published %+v", first)
	}
	c := w.client("replica")
	got := w.pull(c)
	if got.StateRoot != first.StateRoot || !got.Changed || !got.Full {
		t.Errorf("pulled %+v", got)
	}
	if a, b := w.digest(w.dir), w.digest(c.Dir); a != b {
		t.Errorf("digest %s, published %s", b, a)
	}
	w.rows(c.Dir)
	before := w.fileHash(c.Dir)
	if again := w.pull(c); again.Changed || again.Requests != 2 || again.Bytes > 2048 {
		t.Errorf("pulled with nothing new: %+v", again)
	}
	if w.fileHash(c.Dir) != before {
		t.Error("a pull with nothing new wrote")
	}
	w.churn()
	second := w.publish()
	c.Now = w.now
	got = w.pull(c)
	if got.StateRoot != second.StateRoot || got.From != 1 || got.Full {
		t.Errorf("pulled %+v", got)
	}
	if a, b := w.digest(w.dir), w.digest(c.Dir); a != b {
		t.Errorf("digest %s, published %s", b, a)
	}
	w.rows(c.Dir)
}

// TestUnchanged publishes the same state twice: no release, nothing signed
// before half of the term is over.
func TestUnchanged(t *testing.T) {
	w := newWorld(t, 2, 50)
	w.publish()
	if out := w.publish(); out.New || out.Signed || out.Version != 1 {
		t.Errorf("again: %+v", out)
	}
	w.now = w.now.AddDate(0, 0, 4)
	opt := w.publishOptions()
	// The same state, with the sources as they were.
	opt.DB.Close()
	w.now = testStart
	opt.DB = w.db()
	opt.Now = testStart.AddDate(0, 0, 4)
	out, err := Publish(context.Background(), opt)
	if err != nil || out.New || !out.Signed {
		t.Errorf("half a term later: %+v %v", out, err)
	}
	c := w.client("replica")
	c.Now = testStart.AddDate(0, 0, 10)
	if got := w.pull(c); got.Version != 1 {
		t.Errorf("pulled %+v", got)
	}
}

// TestChain makes a long chain of releases with random churn. Clients that
// pull now and then, from whatever release they are at, end in the signed
// state each time; so does a new one.
func TestChain(t *testing.T) {
	releases, clients := 200, 12
	if testing.Short() {
		releases = 40
	}
	w := newWorld(t, 3, 300)
	list := make([]PullOptions, clients)
	for i := range list {
		list[i] = w.client(fmt.Sprint("replica", i))
	}
	if _, err := Pull(context.Background(), w.client("early")); !errors.Is(err, ErrNotFound) {
		t.Errorf("pull from an empty repository: %v", err)
	}
	pulls, most := 0, 0
	for v := 1; v <= releases; v++ {
		w.churn()
		out := w.publishKeeping()
		if out.Version != uint64(v) {
			t.Fatalf("release %d, want %d", out.Version, v)
		}
		for i := range list {
			if w.rnd.IntN(i*3+2) > 0 && v < releases {
				continue
			}
			list[i].Now = w.now
			got := w.pull(list[i])
			if got.StateRoot != out.StateRoot {
				t.Fatalf("client %d from %d to %d: root %s, signed %s", i, got.From, v, got.StateRoot, out.StateRoot)
			}
			pulls++
			most = max(most, got.Files)
		}
	}
	want := w.digest(w.dir)
	for _, c := range list {
		if got := w.digest(c.Dir); got != want {
			t.Errorf("%s: digest %s, published %s", c.Dir, got, want)
		}
		w.rows(c.Dir)
	}
	if most > 16 {
		t.Errorf("a catch-up of %d files", most)
	}
	t.Logf("%d releases, %d catch-ups, at most %d files", releases, pulls, most)
	ways := 300
	if testing.Short() {
		ways = 40
	}
	c := measureCatchUps(t, w, ways)
	_, lines := c.report() // of 300 records most change: see BenchmarkCatchUp
	t.Log(strings.Join(lines, "\n"))
	if files := c.mostFiles(); files > 20 || len(c.list) < ways*2/3 {
		t.Errorf("%d catch-ups, of at most %d files", len(c.list), files)
	}
}

// publishKeeping publishes what there is and deletes nothing.
func (w *world) publishKeeping() Published {
	w.t.Helper()
	opt := w.publishOptions()
	opt.Grace, opt.BaseEvery = -1, 64
	out, err := Publish(context.Background(), opt)
	opt.DB.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestOnly holds some ecosystems, changes its mind, and goes back.
func TestOnly(t *testing.T) {
	w := newWorld(t, 4, 300)
	w.publish()
	c := w.client("replica")
	c.Only = []string{"npm"}
	w.pull(c)
	count := func() (n int) {
		for _, r := range w.records {
			if slices.ContainsFunc(ecosystemsOf(collectionOf(r)), func(e string) bool { return e == "npm" }) {
				n++
			}
		}
		return n
	}
	check := func(want int) {
		t.Helper()
		w.digest(c.Dir)
		db, err := store.OpenDB(c.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if got := db.Meta().Records; got != want {
			t.Errorf("%d records, want %d", got, want)
		}
	}
	check(count())
	for range 10 {
		w.churn()
		w.publish()
	}
	c.Now, c.Only = w.now, nil
	if got := w.pull(c); got.Records != uint64(count()) {
		t.Errorf("pulled %+v", got)
	}
	check(count())
	c.Only = []string{}
	w.pull(c)
	check(len(w.records))
}

// TestTwoBuilders builds the same releases twice: the same roots, manifests
// and segments, byte for byte.
func TestTwoBuilders(t *testing.T) {
	build := func() (roots []Hash, blobs []string) {
		w := newWorld(t, 5, 200)
		for range 9 {
			w.churn()
			roots = append(roots, w.publish().StateRoot)
		}
		err := w.repo.List(t.Context(), "blob/", func(n string) error {
			blobs = append(blobs, n)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return roots, blobs
	}
	r1, b1 := build()
	r2, b2 := build()
	if !slices.Equal(r1, r2) || !slices.Equal(b1, b2) {
		t.Errorf("two builds differ:\n%v\n%v\n%v\n%v", r1, r2, b1, b2)
	}
	if len(b1) < 10 {
		t.Errorf("%d blobs only", len(b1))
	}
}

// TestNewBase makes a base now and then: clients old and new arrive.
func TestNewBase(t *testing.T) {
	w := newWorld(t, 6, 100)
	old := w.client("old")
	bases := 0
	for v := range 30 {
		w.churn()
		opt := w.publishOptions()
		opt.BaseEvery = 7
		out, err := Publish(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if out.Base {
			bases++
		}
		if v == 3 || v == 29 {
			old.Now = w.now
			w.pull(old)
		}
	}
	fresh := w.client("fresh")
	fresh.Now = w.now
	w.pull(fresh)
	if a, b, c := w.digest(w.dir), w.digest(old.Dir), w.digest(fresh.Dir); a != b || a != c {
		t.Errorf("digests %s %s %s", a, b, c)
	}
	if bases < 3 {
		t.Errorf("%d bases", bases)
	}
}

// TestCollect deletes what no recent release needs, and nothing else.
func TestCollect(t *testing.T) {
	w := newWorld(t, 8, 60)
	collected := 0
	for range 24 {
		w.churn()
		w.now = w.now.Add(11 * time.Hour)
		opt := w.publishOptions()
		opt.BaseEvery = 5
		out, err := Publish(t.Context(), opt)
		opt.DB.Close()
		if err != nil {
			t.Fatal(err)
		}
		collected += out.Collected
	}
	if collected == 0 {
		t.Error("nothing was collected")
	}
	recent := time.Duration(0)
	for n := int64(23); recent < 6*24*time.Hour; n-- {
		entry, err := logEntry(t.Context(), w.repo, n, 24)
		if err != nil {
			t.Fatal(err)
		}
		var l Leaf
		if err := decodeJSON(entry, &l); err != nil {
			t.Fatal(err)
		}
		data, err := readAll(t.Context(), w.repo, targetPath(manifestTarget, l.Manifest), maxManifest)
		if err != nil {
			t.Fatalf("release %d: %v", l.Version, err)
		}
		m, err := decodeManifest(data)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		m.refer(names)
		for name := range names {
			if _, err := w.repo.root.Stat(name); err != nil {
				t.Errorf("release %d needs %s: %v", l.Version, name, err)
			}
		}
		recent = w.now.Sub(m.time())
	}
	c := w.client("replica")
	c.Now = w.now
	w.pull(c)
	if w.digest(c.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
}

// TestSameBase makes bases of an unchanged state, whose dictionaries are one:
// a manifest and a bundle name it once.
func TestSameBase(t *testing.T) {
	w := newWorld(t, 9, 60)
	for range 6 {
		opt := w.publishOptions()
		opt.BaseEvery, opt.Force = 2, true
		if _, err := Publish(t.Context(), opt); err != nil {
			t.Fatal(err)
		}
		opt.DB.Close()
		root, _ := w.keys.FirstRoot()
		dir := filepath.Join(t.TempDir(), "site")
		if _, err := Import(t.Context(), ImportOptions{Dir: dir, Bundle: w.bundle("b", BundleOptions{}), Root: root, Now: w.now}); err != nil {
			t.Fatal(err)
		}
	}
}
