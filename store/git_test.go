package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/normalize"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func TestRepositoryKey(t *testing.T) {
	for url, want := range map[string]string{
		"https://github.com/curl/curl":               "github.com/curl/curl",
		"https://github.com/Curl/curl.git":           "github.com/curl/curl",
		"git://github.com/curl/curl/":                "github.com/curl/curl",
		"git@github.com:curl/curl.git":               "github.com/curl/curl",
		"ssh://git@github.com/curl/curl.git":         "github.com/curl/curl",
		"https://user:word@example.org:8443/a/b.git": "example.org:8443/a/b",
		"git://git.ghostscript.com/ghostpdl.git":     "git.ghostscript.com/ghostpdl",
		"":                                           "",
		"curl":                                       "curl",
	} {
		if got := RepositoryKey(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

// indexRecord is a record with an entry in every index: variant 0 and 1 of an
// ID have other commits, binaries and products.
func indexRecord(t *testing.T, i, variant int) (*normalize.Record, []byte) {
	t.Helper()
	hash := func(n int) string { return fmt.Sprintf("%040x", n) }
	text := fmt.Sprintf(`{"id":"R-%03d","modified":"2026-08-01T00:00:00Z","aliases":["A-%d"],"affected":[
		{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"src%d"},"ecosystem_specific":{"binaries":[{"binary_name":"lib%d","binary_version":"1"},{"binary_name":"src%d"}]},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.%d"}]}]},
		{"package":{"ecosystem":"SUSE:X","name":"s"},"ecosystem_specific":{"binaries":[{"b%d":"1","c":"2"}]},"ranges":[{"type":"GIT","repo":"https://example.org/R%d.git","events":[{"introduced":"0"},{"introduced":%q},{"fixed":%q}]}]}],
		"database_specific":{"advdb":{"sources":["s"]},"cve":{"affected":[{"cpes":["cpe:2.3:a:acme:p%d:*:*:*:*:*:*:*:*"],"versions":["1"]}]}}}`,
		i, i, i%5, i%7, i%5, variant, variant, i%3, strings.ToUpper(hash(i+variant)), hash(1000+i), i%4+variant)
	var r normalize.Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	data, err := normalize.AppendEncode(nil, &r)
	if err != nil {
		t.Fatal(err)
	}
	return &r, data
}

// TestIndexesFollowRecords builds a state, changes and deletes records, and finds every
// index as the records give it; then takes away the indexes that older states
// lack, and finds the same commits.
func TestIndexesFollowRecords(t *testing.T) {
	dir := t.TempDir()
	rep, err := OpenReplica(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer rep.Close()
	info := StateInfo{Number: 1, Created: "2026-08-01T00:00:00Z", Sources: []SourceState{{Name: "s"}}}
	err = rep.Build(t.Context(), func(b *Builder) (StateInfo, error) {
		for i := range 40 {
			r, data := indexRecord(t, i, 0)
			if err := b.Record(r, data, []byte("leaf")); err != nil {
				return info, err
			}
		}
		return info, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := indexed(t, dir)
	change := func() {
		t.Helper()
		err := rep.Change(t.Context(), func(c *Changer) (StateInfo, error) {
			for i := range 20 {
				r, data := indexRecord(t, i*2, 1)
				if err := c.Put(r, data, []byte("leaf")); err != nil {
					return info, err
				}
			}
			return info, c.Delete("R-001")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change()
	after := indexed(t, dir)
	if cmp.Equal(before, after) {
		t.Error("the change of records changed no index")
	}
	if s := after["sources lib3"]; !slices.Equal(s, []string{"src0", "src1", "src2", "src3", "src4"}) {
		t.Errorf("lib3 is built of %v", s)
	}
	if s := after["products a:acme:p1"]; !slices.Equal(s, []string{"a:acme:p1"}) {
		t.Errorf("products by prefix: %v", s)
	}

	forget(t, dir)
	old := indexed(t, dir)
	if diff := cmp.Diff(after["commits"], old["commits"]); diff != "" {
		t.Errorf("a state without the index of commits:\n%s", diff)
	}
	if diff := cmp.Diff(after["repository"], old["repository"]); diff != "" {
		t.Errorf("a state without the index of commits: repository:\n%s", diff)
	}
	change() // on a state without them no index is begun in part
	if diff := cmp.Diff(after["commits"], indexed(t, dir)["commits"]); diff != "" {
		t.Errorf("such a state changed:\n%s", diff)
	}
}

// forget makes the state one of before indexVersion.
func forget(t *testing.T, dir string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, stateName), 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{gitBucket, binaryBucket} {
			if err := tx.DeleteBucket(b); err != nil {
				return err
			}
		}
		var m Meta
		b := tx.Bucket(stateMeta)
		if err := json.Unmarshal(b.Get([]byte("state")), &m); err != nil {
			return err
		}
		m.Index = 0
		v, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return b.Put([]byte("state"), v)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// indexed checks the state and returns what its indexes answer.
func indexed(t *testing.T, dir string) map[string][]string {
	t.Helper()
	db, err := OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rep, err := db.Check(t.Context(), dir)
	if err != nil || rep.Broken > 0 {
		t.Fatalf("%v: %v", err, rep.Problems)
	}
	out := map[string][]string{}
	note := func(key string, list []string, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out[key] = list
	}
	var commits, products []string
	err = db.Commits("", func(c, id string) error { commits = append(commits, c+" "+id); return nil })
	note("commits", commits, err)
	list, err := db.Repository("example.org/r1")
	note("repository", list, err)
	list, err = db.SourcesOf("Ubuntu:22.04:LTS", "lib3")
	note("sources lib3", list, err)
	err = db.Products("a:acme:p1", func(p string) error { products = append(products, p); return nil })
	note("products a:acme:p1", products, err)
	return out
}
