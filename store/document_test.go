package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A document kept under another name stays what it was while the first goes
// on, through the collection of packs, and is the last that parsed.
func TestCopy(t *testing.T) {
	ts := newTestStore(t)
	var long strings.Builder
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 { // over several packs
		fmt.Fprintf(&long, "L-%d %s%x\n", i, strings.Repeat("t", 3000), random.Uint64())
	}
	ts.put(map[string]string{"a": "X one\n" + long.String(), "b": "Y small\n"})
	ts.update(UpdateOptions{})
	ts.put(map[string]string{"b": "Y broken line\nbroken\n"})
	if out := ts.update(UpdateOptions{}); out.Failed != 1 {
		t.Fatalf("%+v", out)
	}
	d := ts.Documents(ts.feed.Name)
	if err := d.Copy("kept/none", "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no document: %v", err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := d.Put(name, strings.NewReader("X "+name+"\n")); err != nil {
			t.Fatal(err)
		}
		if err := d.Copy("kept/"+name, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Commit([]byte("copied")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"X": "a,b,one", "Y": "small"}
	for range 2 {
		out := ts.update(UpdateOptions{})
		if out.Err != nil || out.PartsGone > 0 && out.Parsed == 0 {
			t.Errorf("%+v", out)
		}
		if _, err := ts.Collect(); err != nil {
			t.Fatal(err)
		}
		ts.reopen()
		_, got := ts.check()
		if len(got) != 1002 {
			t.Errorf("%d records", len(got))
		}
		if d := cmp.Diff(want, map[string]string{"X": got["X"], "Y": got["Y"]}); d != "" {
			t.Errorf("records (-want +got):\n%s", d)
		}
	}
	before, _ := ts.check()
	if out := ts.update(UpdateOptions{Force: true}); out.PartsChanged != 0 || out.Err != nil {
		t.Errorf("rebuilt: %+v", out)
	}
	if after, _ := ts.check(); after != before {
		t.Error("rebuild changed the records")
	}
	ts.put(map[string]string{"a": "", "kept/b": ""})
	ts.update(UpdateOptions{})
	if _, err := ts.Collect(); err != nil {
		t.Fatal(err)
	}
	if _, got := ts.check(); got["X"] != "b,one" {
		t.Errorf("one of two deleted: %q", got["X"])
	}
}

// A copy counts for the guard only when it comes: a document may lose what its
// copy has; that a copy goes loses nothing; and it hides no loss.
func TestCopyAndGuard(t *testing.T) {
	ts := newTestStore(t)
	text := func(from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "A-%d t\n", i)
		}
		return b.String()
	}
	commit := func(body string, copied bool) {
		t.Helper()
		d := ts.Documents(ts.feed.Name)
		if copied {
			if err := d.Copy("kept", "doc"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Put("doc", strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		if err := d.Commit([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	step := func(what string, shrunk bool, parts int) {
		t.Helper()
		ts.reopen()
		out := ts.update(UpdateOptions{})
		if errors.Is(out.Err, ErrShrunk) != shrunk || out.Parts != parts {
			t.Errorf("%s: %+v", what, out)
		}
	}
	commit(text(0, 100), false)
	step("first", false, 100)
	commit(text(50, 100), true)
	step("half is in the copy", false, 150)
	commit(text(70, 100), false)
	step("more is gone", true, 150)
	commit(text(50, 100), false)
	step("as before", false, 150)
	commit(text(0, 100), false)
	ts.put(map[string]string{"kept": ""})
	step("the copy goes", false, 100)
}
