package sourcetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// Times that the files of a fixture's trees have.
var (
	dayOne = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	dayTwo = dayOne.AddDate(0, 0, 1)
)

// A Fixture is one testdata/fixtures/<source>.txtar.
type Fixture struct {
	path    string
	archive *txtar.Archive
}

// Open reads a fixture.
func Open(name string) (*Fixture, error) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		return nil, err
	}
	return &Fixture{path: name, archive: a}, nil
}

// WriteUpstream makes dir an upstream tree of what the fixtures serve, to
// be used with "advdb sync --upstream".
func WriteUpstream(dir string, fixtures ...string) error {
	for _, name := range fixtures {
		f, err := Open(name)
		if err == nil {
			err = f.WriteTree(dir, "upstream", dayOne)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// file returns the content of one of the fixture's files, nil if it has none
// of that name.
func (f *Fixture) file(name string) []byte {
	for _, x := range f.archive.Files {
		if x.Name == name {
			return x.Data
		}
	}
	return nil
}

// has reports whether the fixture has files in the folder.
func (f *Fixture) has(folder string) bool {
	return slices.ContainsFunc(f.archive.Files, func(x txtar.File) bool { return strings.HasPrefix(x.Name, folder+"/") })
}

// set makes data the content of one of the fixture's files, at its end if
// it is new; no data takes it away.
func (f *Fixture) set(name string, data []byte) {
	i := slices.IndexFunc(f.archive.Files, func(x txtar.File) bool { return x.Name == name })
	switch {
	case i >= 0 && len(data) == 0:
		f.archive.Files = slices.Delete(f.archive.Files, i, i+1)
	case i >= 0:
		f.archive.Files[i].Data = data
	case len(data) > 0:
		f.archive.Files = append(f.archive.Files, txtar.File{Name: name, Data: data})
	}
}

func (f *Fixture) write() error { return os.WriteFile(f.path, txtar.Format(f.archive), 0o644) }

// lines returns the lines of one of the fixture's files, without empty ones.
func (f *Fixture) lines(name string) []string {
	return slices.DeleteFunc(strings.Split(string(f.file(name)), "\n"), func(s string) bool { return s == "" })
}

// WriteTree writes the fixture's files in folder ("upstream" or "next") to
// dir, as of that time: packed and compressed as their names say.
func (f *Fixture) WriteTree(dir, folder string, at time.Time) error {
	plain := map[string][]byte{}
	packed := map[string][]member{}
	for _, x := range f.archive.Files {
		name, ok := strings.CutPrefix(x.Name, folder+"/")
		if !ok || name == "gone" && folder == "next" {
			continue
		}
		if archive, m := splitArchive(name); archive != "" {
			packed[archive] = append(packed[archive], member{m, x.Data})
		} else {
			plain[name] = x.Data
		}
	}
	if err := sumFeeds(plain); err != nil {
		return err
	}
	for name, members := range packed {
		data, err := pack(name, members)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := writeFile(dir, name, data, at); err != nil {
			return err
		}
	}
	for name, data := range plain {
		data, err := compress(path.Ext(name), data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := writeFile(dir, name, data, at); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(dir, name string, data []byte, at time.Time) error {
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(p, data, 0o644); err != nil {
		return err
	}
	return os.Chtimes(p, at, at)
}

// removeGone removes from dir what the fixture says is gone the next time.
func (f *Fixture) removeGone(dir string) error {
	for _, name := range f.lines("next/gone") {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

// splitArchive splits the path of a member into those of its archive and of
// itself; it returns "" for a path without an archive.
func splitArchive(p string) (archive, member string) {
	elems := strings.Split(p, "/")
	for i, e := range elems[:len(elems)-1] {
		for _, ext := range []string{".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".zip"} {
			if strings.HasSuffix(e, ext) {
				return strings.Join(elems[:i+1], "/"), strings.Join(elems[i+1:], "/")
			}
		}
	}
	return "", ""
}

var sumLine = regexp.MustCompile(`(?m)^sha256:.*$`)

// sumFeeds writes into each .meta file the checksum of its feed.
func sumFeeds(plain map[string][]byte) error {
	for name, data := range plain {
		stem, ok := strings.CutSuffix(name, ".meta")
		if !ok {
			continue
		}
		feed, ok := plain[stem+".json.gz"]
		if !ok {
			return fmt.Errorf("%s: no feed beside it", name)
		}
		sum := sha256.Sum256(feed)
		line := "sha256:" + strings.ToUpper(hex.EncodeToString(sum[:]))
		plain[name] = sumLine.ReplaceAll(bytes.Clone(data), []byte(line))
	}
	return nil
}
