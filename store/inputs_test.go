package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"
)

// wantInputs is the digest that golang.org/x/mod computes of the documents.
func wantInputs(t *testing.T, docs map[string]string) string {
	t.Helper()
	h, err := dirhash.Hash1(slices.Collect(maps.Keys(docs)), func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(docs[name])), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(h, "h1:"))
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

func (ts *testStore) inputs() Inputs {
	ts.t.Helper()
	db, err := OpenDB(ts.dir)
	if err != nil {
		ts.t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Sources()
	if err != nil || len(list) != 1 {
		ts.t.Fatal(list, err)
	}
	return list[0].Inputs
}

// TestInputs compares what a state says of its documents with what others
// compute of them, after changes, a deletion, a broken document, and a rebuild.
func TestInputs(t *testing.T) {
	ts := newTestStore(t)
	sources := []SourceState{{Name: "lines", Inputs: Inputs{URL: "https://a.example/lines", Commit: "c0ffee"}}}
	docs := map[string]string{"a/1": "ID-1 one\n"}
	ts.put(docs)
	ts.update(UpdateOptions{Sources: sources})
	sum := sha256.Sum256([]byte(docs["a/1"]))
	want := Inputs{DirHash: wantInputs(t, docs), SHA256: hex.EncodeToString(sum[:]), URL: "https://a.example/lines", Commit: "c0ffee"}
	if got := ts.inputs(); got != want {
		t.Errorf("one document: %+v, want %+v", got, want)
	}
	more := map[string]string{"a-2": "ID-2 two\n", "b": "ID-3 three\n"}
	maps.Copy(docs, more)
	ts.put(docs)
	ts.update(UpdateOptions{Sources: sources})
	want.DirHash, want.SHA256 = wantInputs(t, docs), ""
	if got := ts.inputs(); got != want {
		t.Errorf("three documents: %+v, want %+v", got, want)
	}

	// The document that no longer parses counts as it was.
	ts.put(map[string]string{"a/1": "broken\n", "a-2": docs["a-2"], "b": "ID-3 drei\n"})
	docs["b"] = "ID-3 drei\n"
	ts.update(UpdateOptions{Sources: sources})
	want.DirHash = wantInputs(t, docs)
	if got := ts.inputs(); got != want {
		t.Errorf("a broken document: %+v, want %+v", got, want)
	}
	ts.update(UpdateOptions{Force: true, Sources: sources})
	if got := ts.inputs(); got != want {
		t.Errorf("rebuilt: %+v, want %+v", got, want)
	}
}
