package snapshot

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// ReleasesOptions are the options of [OpenReleases]. One repository is needed,
// and what is trusted: Held, or Root.
type ReleasesOptions struct {
	// Repos are the repository and, behind it, copies of it, such as one that
	// was put away when it still had what was collected since. All is
	// verified against the log of the first.
	Repos []Reader
	Held  *Held  // of a replica: its log must be the beginning of the repository's
	Root  []byte // a root of the publisher, read where Held is nil
}

// Releases are the past releases of a repository: where each is in the signed
// log, and what leads to it. It is for one goroutine.
//
// What it reads is verified as [Pull] does, but for the expiry of metadata,
// which is judged at the time of the newest release: the past does not become
// untrue; see [Releases.Expires].
type Releases struct {
	repos []Reader
	r     Reader // of all
	count traffic
	v     *verified

	hashes tlog.HashReader
	tiles  *tileReader
	bundle map[int64][]Leaf // verified entries, by the number of their tile

	manifests map[Hash]manifestFile
	had       []int64 // see available
}

// A manifestFile is a manifest and its bytes.
type manifestFile struct {
	m    *Manifest
	data []byte
}

// maxManifests is how many manifests are kept in memory.
const maxManifests = 64

// OpenReleases verifies the newest release of a repository.
func OpenReleases(ctx context.Context, opt ReleasesOptions) (*Releases, error) {
	l := &Releases{bundle: map[int64][]Leaf{}, manifests: map[Hash]manifestFile{}}
	for _, r := range opt.Repos {
		l.repos = append(l.repos, watch(r, 0, 0, &l.count))
	}
	l.r = shelves(l.repos)
	trusted := map[string][]byte{keepRoot: opt.Root}
	if opt.Held != nil {
		trusted = opt.Held.files
	}
	if len(trusted[keepRoot]) == 0 {
		return nil, ErrTrust
	}
	err := l.open(ctx, opt.Held, trusted)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.repos[0], err)
	}
	return l, nil
}

func (l *Releases) open(ctx context.Context, held *Held, trusted map[string][]byte) (err error) {
	if l.v, err = refresh(ctx, l.r, trusted, timeOfSigning); err != nil {
		return err
	}
	if l.v.unchanged {
		l.v.files, l.v.manifest = held.files, held.m
		err = l.v.checkRelease()
	} else {
		err = l.v.checkValid(l.v.attested)
	}
	if err == nil {
		err = (&pulling{held: held}).compare(ctx, l.r, l.v)
	}
	l.tiles = &tileReader{ctx: ctx, r: l.r}
	l.hashes = tlog.TileHashReader(l.v.tree, l.tiles)
	return err
}

// Newest returns the newest release.
func (l *Releases) Newest() Leaf {
	leaf, _ := l.v.leaf()
	return leaf
}

// leaf is what the log has of a release.
func (v *verified) leaf() (l Leaf, err error) {
	return l, decodeJSON(v.manifest.leaf(v.files[keepManifest]), &l)
}

// Expires is when the repository's promise ends that there is nothing newer.
func (l *Releases) Expires() time.Time { return l.v.tm.Timestamp.Signed.Expires }

// Traffic is how much was read of the repositories: requests and bytes.
// Blobs of a folder are read where they are, and not counted.
func (l *Releases) Traffic() (requests, bytes int64) {
	return l.count.requests.Load(), l.count.bytes.Load()
}

// At returns the newest release that was made at or before a time. Where all
// are younger it returns ErrNotFound.
func (l *Releases) At(ctx context.Context, at time.Time) (Leaf, error) {
	n, err := l.search(ctx, func(x Leaf) bool {
		t, err := time.Parse(time.RFC3339, x.Time)
		return err != nil || t.After(at)
	})
	if err != nil {
		return Leaf{}, err
	}
	if n == 0 {
		first, err := l.entry(ctx, 0)
		return first, cmp.Or(err, fmt.Errorf("release of %s or before: %w: the first, %d, is of %s", at.UTC().Format(time.RFC3339), ErrNotFound, first.Version, first.Time))
	}
	return l.entry(ctx, n-1)
}

// Number returns the release of a number, of the newest epoch.
func (l *Releases) Number(ctx context.Context, version uint64) (Leaf, error) {
	head := l.v.manifest
	n, err := l.search(ctx, func(x Leaf) bool {
		return x.Epoch > head.Epoch || x.Epoch == head.Epoch && x.Version >= version
	})
	if err != nil {
		return Leaf{}, err
	}
	if n < l.v.tree.N {
		if x, err := l.entry(ctx, n); err != nil || x.Version == version {
			return x, err
		}
	}
	return Leaf{}, fmt.Errorf("release %d: %w: the newest is %d of %s", version, ErrNotFound, head.Version, head.Time)
}

// search returns the number of the first entry for which after holds, the
// size of the log where it does for none.
func (l *Releases) search(ctx context.Context, after func(Leaf) bool) (int64, error) {
	var failed error
	n := sort.Search(int(l.v.tree.N), func(i int) bool {
		if failed != nil {
			return true
		}
		x, err := l.entry(ctx, int64(i))
		failed = err
		return err != nil || after(x)
	})
	return int64(n), failed
}

// entry returns entry n of the log, verified.
func (l *Releases) entry(ctx context.Context, n int64) (Leaf, error) {
	at := n >> tileHeight
	if l.bundle[at] == nil {
		list, err := l.entries(ctx, at)
		if err != nil {
			return Leaf{}, fmt.Errorf("log: %w", err)
		}
		l.bundle[at] = list
	}
	return l.bundle[at][n&(1<<tileHeight-1)], nil
}

// entries reads a bundle of entries and verifies that the log has each.
func (l *Releases) entries(ctx context.Context, at int64) ([]Leaf, error) {
	first := at << tileHeight
	width := min(l.v.tree.N-first, 1<<tileHeight)
	data, err := readAll(ctx, l.r, tilePath(tlog.Tile{H: tileHeight, L: -1, N: at, W: int(width)}), maxEntries)
	if err != nil {
		return nil, err
	}
	index := make([]int64, width)
	for i := range index {
		index[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	l.tiles.ctx, l.tiles.err = ctx, nil
	want, err := l.hashes.ReadHashes(index)
	if l.tiles.err != nil {
		return nil, l.tiles.err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	list := make([]Leaf, width)
	for i := range list {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("entry %d: %w", first+int64(i), ErrTruncated)
		}
		size := 2 + int(binary.BigEndian.Uint16(data))
		if tlog.RecordHash(data[2:size]) != want[i] {
			return nil, fmt.Errorf("entry %d: %w", first+int64(i), ErrMismatch)
		}
		if err := decodeJSON(data[2:size], &list[i]); err != nil || list[i].Type != leafFormat {
			return nil, fmt.Errorf("entry %d, of type %q: %w", first+int64(i), list[i].Type, ErrClient)
		}
		data = data[size:]
	}
	return list, nil
}

// manifest returns the manifest of a release, and its bytes; ErrNotFound
// where it was collected.
func (l *Releases) manifest(ctx context.Context, x Leaf) (*Manifest, []byte, error) {
	if x.Manifest == hashOf(l.v.files[keepManifest]) {
		return l.v.manifest, l.v.files[keepManifest], nil
	}
	if f, ok := l.manifests[x.Manifest]; ok {
		return f.m, f.data, nil
	}
	data, err := readAll(ctx, l.r, targetPath(manifestTarget, x.Manifest), maxManifest)
	if err != nil {
		return nil, nil, err
	}
	if hashOf(data) != x.Manifest {
		return nil, nil, fmt.Errorf("manifest of release %d: %w", x.Version, ErrMismatch)
	}
	m, err := decodeManifest(data)
	if err != nil {
		return nil, nil, fmt.Errorf("release %d: %w", x.Version, err)
	}
	leaf, err := canonical(x)
	if err != nil || string(m.leaf(data)) != string(leaf) {
		return nil, nil, fmt.Errorf("manifest of release %d: %w: another release", x.Version, ErrMismatch)
	}
	if len(l.manifests) == maxManifests {
		clear(l.manifests)
	}
	l.manifests[x.Manifest] = manifestFile{m, data}
	return m, data, nil
}

// available returns the entries of the log, ascending, whose releases have
// their manifest still, and with it all that leads to them.
func (l *Releases) available(ctx context.Context) ([]int64, error) {
	if l.had != nil {
		return l.had, nil
	}
	for _, r := range l.repos {
		list, err := l.availableIn(ctx, r)
		if err != nil {
			return nil, err
		}
		l.had = append(l.had, list...)
	}
	slices.Sort(l.had)
	l.had = slices.Compact(l.had)
	return l.had, nil
}

func (l *Releases) availableIn(ctx context.Context, r Reader) (out []int64, err error) {
	if w, ok := r.(*watched); ok {
		r = w.Reader
	}
	if lister, ok := r.(interface {
		List(ctx context.Context, prefix string, yield func(string) error) error
	}); ok {
		there := map[string]bool{}
		if err := lister.List(ctx, "tuf/targets/", func(name string) error {
			there[name] = strings.HasSuffix(name, "."+manifestTarget)
			return nil
		}); err != nil {
			return nil, err
		}
		for n := range l.v.tree.N {
			x, err := l.entry(ctx, n)
			if err != nil {
				return nil, err
			}
			if there[targetPath(manifestTarget, x.Manifest)] {
				out = append(out, n)
			}
		}
		return out, nil
	}
	// What is older than a release that was collected was collected before.
	oldest, err := l.search(ctx, func(x Leaf) bool {
		f, openErr := l.r.Open(ctx, targetPath(manifestTarget, x.Manifest), 0)
		if openErr == nil {
			f.Close()
		} else if !errors.Is(openErr, ErrNotFound) {
			err = openErr
		}
		return openErr == nil
	})
	for n := oldest; n < l.v.tree.N; n++ {
		out = append(out, n)
	}
	return out, err
}

// shelves reads the files of a repository from several copies of it: what has
// its hash in its name from whichever has it, all else from the first.
type shelves []Reader

func (s shelves) String() string { return s[0].String() }

func (s shelves) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	return s.open(ctx, name, func(r Reader) (io.ReadCloser, error) { return r.Open(ctx, name, offset) })
}

// OpenRange opens a range of a file, as Open does a file.
func (s shelves) OpenRange(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error) {
	return s.open(ctx, name, func(r Reader) (io.ReadCloser, error) { return openRange(ctx, r, name, offset, size) })
}

func (s shelves) open(ctx context.Context, name string, open func(Reader) (io.ReadCloser, error)) (io.ReadCloser, error) {
	if !strings.HasPrefix(name, "blob/") && !strings.HasPrefix(name, "tuf/targets/") {
		return open(s[0])
	}
	var errs []error
	for _, r := range s {
		f, err := open(r)
		if err == nil {
			return f, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		errs = append(errs, err)
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return !errors.Is(err, ErrNotFound) }); i >= 0 {
		return nil, errs[i]
	}
	return nil, ErrNotFound
}
