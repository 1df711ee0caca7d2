package normalize

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/advdb/advdb/internal/sharedtest"
)

// A sharedDoc is one document of the shared feeds.
type sharedDoc struct {
	name string
	data []byte
}

// osvArchives are the feeds that hold OSV in JSON, and how many of each
// archive's documents are skipped between two that are read.
var osvArchives = []struct {
	path string
	step int
	want func(name string) bool
}{
	{"github.com/AlmaLinux/osv-database/archive/refs/heads/master.tar.gz", 20, under("advisories/")},
	{"github.com/DrupalSecurityTeam/drupal-advisory-database/archive/refs/heads/main.tar.gz", 5, under("advisories/")},
	{"github.com/JuliaLang/SecurityAdvisories.jl/archive/refs/heads/generated/osv.tar.gz", 10, under("JLSEC-")},
	{"github.com/bitnami/vulndb/archive/refs/heads/main.tar.gz", 20, under("data/")},
	{"github.com/docker-hardened-images/advisories/archive/refs/heads/main.tar.gz", 5, under("osv/")},
	{"github.com/github/advisory-database/archive/refs/heads/main.tar.gz", 1, under("advisories/")},
	{"github.com/haskell/security-advisories/archive/refs/heads/generated/osv-export.tar.gz", 1, under("HSEC-")},
	{"github.com/ocaml/security-advisories/archive/refs/heads/generated-osv.tar.gz", 1, under("OSEC-")},
	{"github.com/ossf/malicious-packages/archive/refs/heads/main.tar.gz", 50, under("osv/")},
	{"github.com/psf/advisory-database/archive/refs/heads/main.tar.gz", 2, under("advisories/")},
	{"github.com/rustsec/advisory-db/archive/refs/heads/osv.tar.gz", 10, under("crates/")},
	{"vuln.go.dev/vulndb.zip", 20, under("ID/")},
}

func under(dir string) func(string) bool {
	return func(name string) bool { return strings.Contains(name, dir) }
}

// sharedOSV calls f with a sample of all OSV records in JSON at hand: the
// feeds of day 1 and the zips of the corpus.
func sharedOSV(tb testing.TB, f func(sharedDoc)) {
	tb.Helper()
	for _, a := range osvArchives {
		n := 0
		walkArchive(tb, sharedtest.Path(tb, "upstream", "day1", a.path), func(d sharedDoc) {
			if !strings.HasSuffix(d.name, ".json") || !a.want(d.name) {
				return
			}
			if n++; n%a.step == 0 {
				f(d)
			}
		})
	}
	root := sharedtest.Path(tb, "corpus", "osv-zips")
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(p) == ".zip" {
			walkArchive(tb, p, f)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func walkArchive(tb testing.TB, path string, f func(sharedDoc)) {
	tb.Helper()
	r := unpacked(tb, path)
	if filepath.Ext(path) == ".zip" {
		if err := walkZip(r, f); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		return
	}
	if err := walkTar(r, f); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
}

// unpacked opens a shared file, decompressed where its name says so.
func unpacked(tb testing.TB, path string) io.Reader {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(data)
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".bz2":
		r = bzip2.NewReader(r)
	case ".zst":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return r
}

// sharedText returns a file of the shared data, decompressed.
func sharedText(tb testing.TB, elem ...string) string {
	tb.Helper()
	path := sharedtest.Path(tb, elem...)
	text, err := io.ReadAll(unpacked(tb, path))
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return string(text)
}

// sharedArchive returns the files of an archive of the shared data by name.
func sharedArchive(tb testing.TB, elem ...string) map[string]string {
	tb.Helper()
	files := map[string]string{}
	walkArchive(tb, sharedtest.Path(tb, elem...), func(d sharedDoc) { files[d.name] = string(d.data) })
	return files
}

func walkZip(r io.Reader, f func(sharedDoc)) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, e := range z.File {
		if e.FileInfo().IsDir() {
			continue
		}
		r, err := e.Open()
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
		f(sharedDoc{e.Name, b})
	}
	return nil
}

func walkTar(r io.Reader, f func(sharedDoc)) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		b, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		f(sharedDoc{h.Name, b})
	}
}

// encodings returns the records as canonical JSON.
func encodings(tb testing.TB, records []*Record) []string {
	tb.Helper()
	var out []string
	for _, r := range records {
		out = append(out, encodeString(tb, r))
	}
	return out
}

func encodeString(tb testing.TB, r *Record) string {
	tb.Helper()
	b, err := AppendEncode(nil, r)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
