package sources_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

const archiveHost = "archives.test"

// mirrorOf returns a Mirror on docs whose upstream is the folder.
func mirrorOf(t testing.TB, docs sources.Documents, dir string, opt sources.MirrorOptions) *sources.Mirror {
	t.Helper()
	client, err := sources.NewClient(sources.ClientOptions{Upstream: dir})
	if err != nil {
		t.Fatal(err)
	}
	opt.Client = client
	m, err := sources.NewMirror(docs, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func serve(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(dir, archiveHost, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return "https://" + archiveHost + "/" + name
}

func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		body := strings.Repeat("x", int(h.Size))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "xxxx"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestUnpackRefuses unpacks archives that must leave the documents as they
// were, and must not be committed in part.
func TestUnpackRefuses(t *testing.T) {
	file := func(name string, size int64) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: size}
	}
	good := file("top/a.json", 4)
	whole := tarOf(t, good, file("top/b.json", 600))
	flipped := bytes.Clone(gzipped(t, whole))
	flipped[len(flipped)-6] ^= 1
	twoMembers := append(gzipped(t, whole), gzipped(t, []byte("more"))...)
	for _, tt := range []struct {
		name, file string
		data       []byte
		want       error // nil: any
	}{
		{"absolute", "x.tar", tarOf(t, good, file("/etc/a.json", 1)), sources.ErrHostile},
		{"parent", "x.tar", tarOf(t, good, file("top/../../a.json", 1)), sources.ErrHostile},
		{"parent not wanted", "x.tar", tarOf(t, good, file("../a.txt", 1)), sources.ErrHostile},
		{"twice", "x.tar", tarOf(t, good, good), sources.ErrHostile},
		{"twice by another name", "x.tar", tarOf(t, good, file("top/./a.json", 4)), sources.ErrHostile},
		{"symlink", "x.tar", tarOf(t, good, tar.Header{Name: "top/c.json", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), sources.ErrHostile},
		{"hard link", "x.tar", tarOf(t, good, tar.Header{Name: "top/c.json", Typeflag: tar.TypeLink, Linkname: "top/a.json"}), sources.ErrHostile},
		{"device", "x.tar", tarOf(t, good, tar.Header{Name: "top/c.json", Typeflag: tar.TypeBlock}), sources.ErrHostile},
		{"backslash", "x.tar", tarOf(t, good, file(`top/..\c.json`, 1)), sources.ErrHostile},
		{"entry too large", "x.tar", tarOf(t, good, file("top/c.json", 5000)), sources.ErrTooLarge},
		{"archive too large", "x.tar.gz", gzipped(t, tarOf(t, good, file("top/c.txt", 1<<20))), sources.ErrTooLarge},
		{"nothing wanted", "x.tar", tarOf(t, file("top/c.txt", 1)), sources.ErrIncomplete},
		{"empty tar", "x.tar", tarOf(t), sources.ErrIncomplete},
		{"no bytes", "x.tar", nil, sources.ErrIncomplete},
		{"no bytes, gzip", "x.tar.gz", nil, io.ErrUnexpectedEOF},
		{"no end", "x.tar", whole[:len(whole)-1024], sources.ErrIncomplete},
		{"cut between entries", "x.tar", whole[:1024], sources.ErrIncomplete},
		{"cut in an entry", "x.tar", whole[:2048], nil},
		{"data after the end", "x.tar", append(bytes.Clone(whole), "more"...), sources.ErrIncomplete},
		{"tar after tar", "x.tar", append(bytes.Clone(whole), whole...), sources.ErrIncomplete},
		{"gzip cut", "x.tar.gz", gzipped(t, whole)[:100], io.ErrUnexpectedEOF},
		{"gzip without its checksum", "x.tgz", gzipped(t, whole)[:len(gzipped(t, whole))-8], io.ErrUnexpectedEOF},
		{"gzip with a wrong checksum", "x.tar.gz", flipped, gzip.ErrChecksum},
		{"gzip and garbage", "x.tar.gz", append(gzipped(t, whole), "more"...), nil},
		{"gzip and another", "x.tar.gz", twoMembers, sources.ErrIncomplete},
		{"a web page", "x.tar.gz", []byte("<html></html>"), nil},
		{"no xz", "x.tar.xz", whole, nil},
		{"rar", "x.rar", whole, errors.ErrUnsupported},
		{"zip: parent", "x.zip", zipOf(t, "top/a.json", "../a.json"), sources.ErrHostile},
		{"zip: twice", "x.zip", zipOf(t, "top/a.json", "top/a.json"), sources.ErrHostile},
		{"zip: nothing wanted", "x.zip", zipOf(t, "a.txt"), sources.ErrIncomplete},
		{"zip: cut", "x.zip", zipOf(t, "top/a.json")[:60], nil},
		{"zip: garbage", "x.zip", append(zipOf(t, "top/a.json"), "more"...), sources.ErrIncomplete},
		{"zip: wrong checksum", "x.zip", bytes.Replace(zipOf(t, "top/a.json"), []byte("xxxx"), []byte("xxxy"), 1), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			docs := &sourcetest.Memory{}
			if _, err := docs.Put("old.json", strings.NewReader("old")); err != nil {
				t.Fatal(err)
			}
			if err := docs.Commit(nil); err != nil {
				t.Fatal(err)
			}
			url := serve(t, dir, tt.file, tt.data)
			m := mirrorOf(t, docs, dir, sources.MirrorOptions{MaxDocument: 4096, MaxArchive: 1 << 16, TempDir: t.TempDir()})
			err := m.Unpack(t.Context(), "", url, jsonNames)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("error is %v, want %v", err, tt.want)
			}
			if !strings.HasPrefix(err.Error(), url) {
				t.Errorf("error does not name the URL: %v", err)
			}
			if err := m.Commit(t.Context(), nil); err == nil {
				t.Error("Commit took an archive read in part")
			}
			got := docs.Reopen().Documents()
			if len(got) != 1 || string(got["old.json"]) != "old" {
				t.Errorf("documents are %q", got)
			}
		})
	}
}

// jsonNames wants all JSON files.
func jsonNames(p string) string {
	if strings.HasSuffix(p, ".json") {
		return p
	}
	return ""
}

// TestUnpackCommit tells that an archive of the commit that is there is not
// read on, whatever its bytes are.
func TestUnpackCommit(t *testing.T) {
	commit := func(c string) tar.Header {
		return tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": c}}
	}
	c1, c2 := strings.Repeat("1a", 20), strings.Repeat("2b", 20)
	dir := t.TempDir()
	docs := &sourcetest.Memory{}
	for i, step := range []struct {
		headers []tar.Header
		put     int
	}{
		{[]tar.Header{commit(c1), {Name: "a.json", Mode: 0o644, Size: 4}}, 1},
		{[]tar.Header{commit(c1), {Name: "a.json", Mode: 0o600, Size: 4}, {Name: "x.txt", Size: 100000}}, 0},
		{[]tar.Header{commit(c2), {Name: "b.json", Mode: 0o644, Size: 4}}, 1},
	} {
		url := serve(t, dir, "x.tar.gz", gzipped(t, tarOf(t, step.headers...)))
		m := mirrorOf(t, docs, dir, sources.MirrorOptions{})
		if err := m.Unpack(t.Context(), "in", url, jsonNames); err != nil {
			t.Fatal(err)
		}
		if err := m.Commit(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if s := m.Stats(); s.Put != step.put {
			t.Errorf("step %d: %+v, want %d put", i, s, step.put)
		}
	}
	if got := docs.Documents(); len(got) != 1 || got["in/b.json"] == nil {
		t.Errorf("documents are %q", got)
	}
}

// zeros yields n bytes.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	clear(p[:n])
	z.n -= n
	return int(n), nil
}

// TestUnpackMemory unpacks 256 MiB in small and large entries and holds next
// to nothing of it.
func TestUnpackMemory(t *testing.T) {
	dir := t.TempDir()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	for i, size := range []int64{1 << 10, 64 << 20, 1 << 20, 128 << 20, 64 << 20} {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d.json", i), Mode: 0o644, Size: size}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, &zeros{size}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	url := serve(t, dir, "x.tar.gz", buf.Bytes())
	m := mirrorOf(t, discard{}, dir, sources.MirrorOptions{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := m.Unpack(t.Context(), "", url, jsonNames); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("unpacking allocated %d bytes in all", got)
	}
}
