package snapshot

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// A Bundle is a part of a repository in one file that is carried: a tar in
// which each file has the name that it has in the repository. It signs
// nothing itself, and is read like any other carrier.
type Bundle struct {
	file  *os.File
	files map[string]*io.SectionReader
	names []string
}

// maxBundleFiles is how many files a bundle has at most.
const maxBundleFiles = 1 << 16

// OpenBundle opens a bundle and checks its shape: regular files of a
// repository, each once, and nothing else. Nothing is unpacked.
func OpenBundle(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b := &Bundle{file: f, files: map[string]*io.SectionReader{}}
	if err := b.index(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func (b *Bundle) index() error {
	st, err := b.file.Stat()
	if err != nil {
		return err
	}
	src := io.NewSectionReader(b.file, 0, st.Size())
	tr := tar.NewReader(src)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBundle, err)
		}
		at, err := src.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		switch {
		case h.Typeflag != tar.TypeReg || h.Format != tar.FormatUSTAR || len(h.PAXRecords) > 0:
			return fmt.Errorf("%w: %.100q is no plain file", ErrBundle, h.Name)
		case checkName(h.Name) != nil:
			return fmt.Errorf("%w: name %.100q", ErrBundle, h.Name)
		case b.files[h.Name] != nil:
			return fmt.Errorf("%w: %q twice", ErrBundle, h.Name)
		case h.Size < 0 || h.Size > st.Size()-at:
			return fmt.Errorf("%w: %q: %w", ErrBundle, h.Name, ErrTruncated)
		case len(b.names) == maxBundleFiles:
			return fmt.Errorf("%w: more than %d files", ErrBundle, maxBundleFiles)
		}
		b.files[h.Name] = io.NewSectionReader(b.file, at, h.Size)
		b.names = append(b.names, h.Name)
	}
}

// Close closes the file.
func (b *Bundle) Close() error { return b.file.Close() }

func (b *Bundle) String() string { return b.file.Name() }

// Names returns the names of the files, as they come.
func (b *Bundle) Names() []string { return slices.Clone(b.names) }

// Open opens a file of the bundle.
func (b *Bundle) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	f := b.files[name]
	if f == nil {
		return nil, ErrNotFound
	}
	if offset > f.Size() {
		return nil, ErrTruncated
	}
	return io.NopCloser(io.NewSectionReader(f, offset, f.Size()-offset)), nil
}

// BundleOptions say what a bundle is for: from release Since on (0: from
// nothing), or what a state that was handed out needs.
type BundleOptions struct {
	Repo  Reader
	Since uint64
	State *State // goes before Since
}

// A Bundled says what is in a bundle.
type Bundled struct {
	Origin  string `json:"origin"`
	Version uint64 `json:"version"`
	From    uint64 `json:"from"` // a replica of this release or a later one can import it; 0: any
	Time    string `json:"time"`
	Records uint64 `json:"records"`
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
	Root    Hash   `json:"root_sha256"` // of the first root in it
	State   Hash   `json:"state_root"`
}

// A recorder notes which files are read.
type recorder struct {
	Reader
	names []string
}

func (r *recorder) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	f, err := r.Reader.Open(ctx, name, offset)
	if err == nil {
		r.note(name)
	}
	return f, err
}

func (r *recorder) note(name string) {
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

// CreateBundle writes what leads a replica to the newest release of a
// repository. The repository is read as a client would, by its own first
// root; who imports it trusts the root that is held there.
func CreateBundle(ctx context.Context, w io.Writer, opt BundleOptions) (Bundled, error) {
	var out Bundled
	rec := &recorder{Reader: opt.Repo}
	v, way, from, err := opt.choose(ctx, rec)
	if err != nil {
		return out, err
	}
	for _, d := range v.manifest.Dictionaries {
		if slices.ContainsFunc(way.segments, func(s Segment) bool { return s.Dictionary == d.Content }) {
			rec.note(d.name())
		}
	}
	for _, s := range way.segments {
		rec.note(s.name())
	}
	if t, err := releaseTarget(v.files[keepReleases], provenanceTarget); err == nil {
		if _, err := readOptional(ctx, rec, targetPath(provenanceTarget, Hash(t.Hashes["sha256"])), maxProvenance); err != nil {
			return out, err
		}
	}
	root, err := readAll(ctx, opt.Repo, "tuf/1.root.json", maxRoot)
	if err != nil {
		return out, err
	}
	m := v.manifest
	out = Bundled{Origin: m.Origin, Version: m.Version, From: from, Time: m.Time, Records: m.Records, Root: hashOf(root), State: m.StateRoot}
	count := &countWriter{w: w}
	tw := tar.NewWriter(count)
	for _, name := range rec.names {
		if err := copyTar(ctx, tw, opt.Repo, name, sizeOf(way, m, name)); err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		out.Files++
	}
	err = errors.Join(tw.Close(), count.err)
	out.Bytes = count.n
	return out, err
}

// choose reads the newest release and says what leads to it.
func (o BundleOptions) choose(ctx context.Context, rec *recorder) (*verified, cover, uint64, error) {
	root, err := readAll(ctx, rec, "tuf/1.root.json", maxRoot)
	if err != nil {
		return nil, cover{}, 0, err
	}
	v, err := refresh(ctx, rec, map[string][]byte{keepRoot: root}, timeOfSigning)
	if err != nil {
		return nil, cover{}, 0, err
	}
	from := o.Since
	if o.State != nil {
		if o.State.Origin != v.manifest.Origin {
			return nil, cover{}, 0, fmt.Errorf("state of %q: %w", o.State.Origin, ErrOrigin)
		}
		if from = o.State.Version; o.State.Epoch != v.manifest.Epoch {
			from = 0
		}
		if err := checkConsistent(ctx, rec, o.State.tree(), v.tree); err != nil {
			return nil, cover{}, 0, err
		}
	} else if err := readTiles(ctx, rec, v.tree.N); err != nil {
		return nil, cover{}, 0, err
	}
	if from > v.manifest.Version {
		return nil, cover{}, 0, fmt.Errorf("release %d is wanted from, %d is the newest: %w", from, v.manifest.Version, ErrRollback)
	}
	way, err := v.manifest.plan(from)
	if way.base {
		from = 0
	}
	return v, way, from, err
}

// readTiles reads all tiles of hashes of a log, for a reader of whom it is
// not known what he saw of it.
func readTiles(ctx context.Context, r Reader, size int64) error {
	level := 0
	for n := size; n > 0; n, level = n>>tileHeight, level+1 {
		for i := int64(0); i<<tileHeight < n; i++ {
			w := min(n-i<<tileHeight, 1<<tileHeight)
			if _, err := readAll(ctx, r, tilePath(tile(level, i, int(w))), maxTile); err != nil {
				return err
			}
		}
	}
	return nil
}

// sizeOf is the size of a blob, -1 for a file that is not one.
func sizeOf(way cover, m *Manifest, name string) int64 {
	for _, s := range way.segments {
		if s.name() == name {
			return s.Size
		}
	}
	for _, d := range m.Dictionaries {
		if d.name() == name {
			return d.Size
		}
	}
	return -1
}

// copyTar copies a file; one whose size is not known is small.
func copyTar(ctx context.Context, tw *tar.Writer, r Reader, name string, size int64) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o444, Format: tar.FormatUSTAR, Size: size}
	if size < 0 {
		data, err := readAll(ctx, r, name, maxManifest)
		if err != nil {
			return err
		}
		h.Size = int64(len(data))
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err = tw.Write(data)
		return err
	}
	f, err := r.Open(ctx, name, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if n, err := io.Copy(tw, io.LimitReader(f, size)); err != nil {
		return err
	} else if n < size {
		return ErrTruncated
	}
	return nil
}
