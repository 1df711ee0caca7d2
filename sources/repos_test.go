package sources_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// A site is a web server of paths to bodies; what it lacks is 404. It has no
// validators.
type site struct {
	*httptest.Server
	files map[string]string
	asked []string
	once  map[string]string // served once, in the place of files
}

func newSite(t *testing.T) *site {
	s := &site{files: map[string]string{}, once: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.URL.RequestURI())
		body, ok := s.once[r.URL.RequestURI()]
		if ok {
			delete(s.once, r.URL.RequestURI())
		} else if body, ok = s.files[r.URL.RequestURI()]; !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(body, "HOST", s.URL)))
	}))
	t.Cleanup(s.Close)
	return s
}

// fetch runs f against s, and returns the documents.
func (s *site) fetch(t *testing.T, docs *sourcetest.Memory, f sources.Fetch) (map[string]string, error) {
	t.Helper()
	s.asked = nil
	client, err := sources.NewClient(sources.ClientOptions{Retries: -1, Rate: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sources.NewMirror(docs, sources.MirrorOptions{Client: client, Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	err = f(t.Context(), m)
	out := map[string]string{}
	for name, data := range docs.Documents() {
		out[name] = string(data)
	}
	return out, err
}

func repomdOf(data []byte, href string) string {
	sum := sha256.Sum256(data)
	return `<?xml version="1.0"?><repomd><data type="primary"><location href="x"/></data><data type="updateinfo_zck"><location href="u.zck"/></data>` +
		`<data type="updateinfo"><checksum type="sha256">` + hex.EncodeToString(sum[:]) + `</checksum><location href="` + href + `"/></data></repomd>`
}

const updates = "<updates></updates>"

// Mirrors are tried in turn: one that is away, one with a repomd of no use,
// one whose file is not what repomd says, then a good one.
func TestUpdateinfoMirrors(t *testing.T) {
	s := newSite(t)
	s.files["/list"] = "HOST/away\nHOST/bad/\nHOST/stale\nHOST/good/\n"
	s.files["/bad/repodata/repomd.xml"] = "<repomd/>"
	s.files["/stale/repodata/repomd.xml"] = repomdOf([]byte("older"), "repodata/updateinfo.xml")
	s.files["/stale/repodata/updateinfo.xml"] = updates
	s.files["/good/repodata/repomd.xml"] = repomdOf([]byte(updates), "repodata/updateinfo.xml")
	s.files["/good/repodata/updateinfo.xml"] = updates
	f := sources.Updateinfo([]sources.Repo{{Name: "core.xml", List: s.URL + "/list"}}, nil)
	docs := &sourcetest.Memory{}
	got, err := s.fetch(t, docs, f)
	if err != nil || got["core.xml"] != updates {
		t.Fatalf("%v, error %v", got, err)
	}
	// The checksum tells that nothing changed: no file is asked for again.
	writes := docs.Writes()
	if _, err := s.fetch(t, docs, f); err != nil || docs.Writes() != writes {
		t.Errorf("again: %d writes, error %v", docs.Writes()-writes, err)
	}
	for _, p := range s.asked {
		if p == "/good/repodata/updateinfo.xml" {
			t.Errorf("again: %v", s.asked)
		}
	}
	delete(s.files, "/good/repodata/repomd.xml")
	got, err = s.fetch(t, docs, f)
	for _, part := range []string{"/away", "/bad", "/stale", "/good", "core.xml"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no mirror left: error %v does not name %s", err, part)
		}
	}
	if got["core.xml"] != updates {
		t.Errorf("no mirror left: %v", got)
	}
}

// A mirror that is renewed between repomd and the file is asked again.
func TestUpdateinfoRace(t *testing.T) {
	s := newSite(t)
	s.once["/repodata/repomd.xml"] = repomdOf([]byte("older"), "repodata/updateinfo.xml")
	s.files["/repodata/repomd.xml"] = repomdOf([]byte(updates), "repodata/updateinfo.xml")
	s.files["/repodata/updateinfo.xml"] = updates
	got, err := s.fetch(t, &sourcetest.Memory{}, sources.Updateinfo([]sources.Repo{{Name: "core.xml", Base: s.URL}}, nil))
	if err != nil || got["core.xml"] != updates {
		t.Errorf("%v, error %v", got, err)
	}
}

func TestUpdateinfoErrors(t *testing.T) {
	sum := strings.Repeat("0", 64)
	for name, tt := range map[string]struct {
		repomd string
		want   error
	}{
		"leads out":       {strings.Replace(repomdOf(nil, "x"), `href="x"/></data></repomd>`, `href="../../x"/></data></repomd>`, 1), sources.ErrHostile},
		"md5":             {strings.Replace(repomdOf(nil, "u.xml"), "sha256", "md5", 1), sources.ErrIncomplete},
		"short checksum":  {`<repomd><data type="updateinfo"><checksum type="sha256">00</checksum><location href="u.xml"/></data></repomd>`, sources.ErrIncomplete},
		"other file":      {`<repomd><data type="updateinfo"><checksum type="sha256">` + sum + `</checksum><location href="u.xml"/></data></repomd>`, sources.ErrChecksum},
		"nothing":         {"<repomd/>", sources.ErrIncomplete},
		"cut":             {"<repomd><data", sources.ErrIncomplete},
		"data at the end": {repomdOf([]byte(updates), "u.xml") + "x<y/>", sources.ErrIncomplete},
		"page":            {"<html></html>", sources.ErrIncomplete},
		"file is absent":  {repomdOf([]byte(updates), "v.xml"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.files["/repodata/repomd.xml"] = tt.repomd
			s.files["/u.xml"] = updates
			got, err := s.fetch(t, &sourcetest.Memory{}, sources.Updateinfo([]sources.Repo{{Name: "core.xml", Base: s.URL}}, nil))
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || len(got) > 0 {
				t.Errorf("%v, error %v, want %v", got, err, tt.want)
			}
		})
	}
	s := newSite(t)
	s.files["/repodata/repomd.xml"] = `<repomd><data type="primary"><location href="x"/></data></repomd>`
	if got, err := s.fetch(t, &sourcetest.Memory{}, sources.Updateinfo([]sources.Repo{{Name: "core.xml", Base: s.URL}}, nil)); err != nil || len(got) > 0 {
		t.Errorf("no updateinfo: %v, %v", got, err)
	}
}

// Compressed files are checked against their checksum as they are served, to
// the last byte, and against their own.
func TestUpdateinfoCompressed(t *testing.T) {
	packed := xzOf(t, []byte(updates))
	for name, tt := range map[string]struct {
		served []byte
		ok     bool
	}{
		"whole":   {packed, true},
		"cut":     {packed[:len(packed)-4], false},
		"garbage": {append(bytes.Clone(packed), "more"...), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.files["/repodata/repomd.xml"] = repomdOf(tt.served, "repodata/updateinfo.xml.xz")
			s.files["/repodata/updateinfo.xml.xz"] = string(tt.served)
			got, err := s.fetch(t, &sourcetest.Memory{}, sources.Updateinfo([]sources.Repo{{Name: "core.xml", Base: s.URL}}, nil))
			if (err == nil) != tt.ok || tt.ok && got["core.xml"] != updates {
				t.Errorf("%v, error %v", got, err)
			}
		})
	}
}

// Topics that leave the catalogue keep their documents.
func TestUpdateinfoCatalog(t *testing.T) {
	s := newSite(t)
	s.files["/catalog.json"] = `{"topics":[{"n":"php8.0"},{"n":"emacs"},{"n":"../x"}]}`
	for _, topic := range []string{"php8.0", "emacs"} {
		s.files["/extras/"+topic+"/mirror.list"] = "HOST/" + topic + "\n"
		s.files["/"+topic+"/repodata/repomd.xml"] = repomdOf([]byte(updates), "u.xml")
		s.files["/"+topic+"/u.xml"] = updates
	}
	docs := &sourcetest.Memory{}
	f := sources.Updateinfo(nil, &sources.RepoCatalog{URL: s.URL + "/catalog.json", Name: "2/extras/%s.xml", List: s.URL + "/extras/%s/mirror.list"})
	want := map[string]string{"2/extras/php8.0.xml": updates, "2/extras/emacs.xml": updates}
	for _, catalog := range []string{s.files["/catalog.json"], `{"topics":[{"n":"php8.0"}]}`, `{"topics":[]}`, "<html>"} {
		s.files["/catalog.json"] = catalog
		got, err := s.fetch(t, docs, f)
		if d := cmp.Diff(want, got); d != "" || (err != nil) != !strings.Contains(catalog, "php8.0") {
			t.Errorf("%s: %s%v", catalog, d, err)
		}
	}
}

func TestLinked(t *testing.T) {
	page := func(total int, next string, ids ...string) string {
		var list []string
		for _, id := range ids {
			list = append(list, `{"id":"`+id+`"}`)
		}
		return fmt.Sprintf(`{"advisories":[%s],"total":%d,"links":{"next":%s}}`, strings.Join(list, ","), total, next)
	}
	names := func(docs map[string]string) string {
		var out []string
		for _, id := range []string{"A", "B", "C", "D"} {
			if _, ok := docs[id+".json"]; ok {
				out = append(out, id)
			}
		}
		return strings.Join(out, "")
	}
	s := newSite(t)
	docs := &sourcetest.Memory{}
	f := sources.Linked(s.URL + "/osv/")
	for _, step := range []struct {
		name      string
		one, two  string
		want      string
		wantError error
	}{
		{"two pages", page(3, `"/osv/?page=2"`, "A", "B"), page(3, "null", "C"), "ABC", nil},
		{"one is new, one is gone", page(3, `"/osv/?page=2"`, "D", "A"), page(3, "null", "B"), "ABD", nil},
		{"a list that shifts loses nothing", page(3, `"/osv/?page=2"`, "D", "A"), page(3, "null", "A"), "ABD", nil},
		{"a page that is cut", page(3, `"/osv/?page=2"`, "C"), `{"advisories":[{"id":"D"}`, "ABCD", sources.ErrIncomplete},
		{"no list", `{"links":{}}`, "", "ABCD", sources.ErrIncomplete},
		{"nothing at all", page(0, "null"), "", "ABCD", sources.ErrIncomplete},
		{"a circle", page(3, `"/osv/"`, "A"), "", "ABCD", sources.ErrIncomplete},
		{"another host", page(3, `"https://other.example/"`, "A"), "", "ABCD", sources.ErrHostile},
		{"a name that leads out", page(3, "null", "../A"), "", "ABCD", sources.ErrHostile},
		{"all in one page", page(1, "null", "B"), "", "B", nil},
	} {
		s.files["/osv/"], s.files["/osv/?page=2"] = step.one, step.two
		got, err := s.fetch(t, docs, f)
		if names(got) != step.want || !errors.Is(err, step.wantError) {
			t.Errorf("%s: %s, error %v; want %s, %v", step.name, names(got), err, step.want, step.wantError)
		}
	}
}

func xzOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A stream may not make its reader hold any amount of memory.
func TestXZDictionary(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		dict int
		want error
	}{"small": {1 << 20, nil}, "large": {1 << 28, sources.ErrTooLarge}} {
		var b bytes.Buffer
		w, err := xz.WriterConfig{DictCap: tt.dict}.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(`{"a":1}`))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		s.files["/a.json.xz"] = b.String()
		_, err = s.fetch(t, &sourcetest.Memory{}, sources.File("a.json", s.URL+"/a.json.xz"))
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
}
