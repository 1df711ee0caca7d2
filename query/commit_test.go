package query

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/advdb/advdb/versioncmp"
	"github.com/google/go-cmp/cmp"
)

// gitHistory makes a repository of commits, each "NAME: PARENTS", in order, and
// returns its folder and their hashes.
func gitHistory(t *testing.T, graph string) (dir string, commits map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir, commits = t.TempDir(), map[string]string{}
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(cmd.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@example.org", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("remote", "add", "origin", "git@example.org:Acme/Thing.git")
	tree := git("write-tree")
	for line := range strings.Lines(graph) {
		name, parents, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		args := []string{"commit-tree", tree, "-m", name}
		for _, p := range strings.Fields(parents) {
			args = append(args, "-p", commits[p])
		}
		commits[name] = git(args...)
		git("tag", "t-"+name, commits[name])
	}
	return dir, commits
}

// TestCommit asks of every commit of a history that branches (c fixes on the
// main line, x on the branch from b; f introduces again; m merges both):
//
//	a - b - c - d - f - g - h
//	     \         /
//	      x - y --'   (m merges y into d: d - m - f)
func TestCommit(t *testing.T) {
	dir, c := gitHistory(t, "a:\nb: a\nc: b\nd: c\nx: b\ny: x\nm: d y\nf: m\ng: f\nh: g")
	missing := strings.Repeat("ab", 20)
	rangeOf := func(id, events string) string {
		for name, hash := range c {
			events = strings.ReplaceAll(events, "<"+name+">", hash)
		}
		events = strings.ReplaceAll(events, "<missing>", missing)
		return fmt.Sprintf(`{"id":%q,"affected":[{"ranges":[{"type":"GIT","repo":"https://example.org/acme/thing","events":[%s]}]}]}`+"\n", id, events)
	}
	db := world(t, rangeOf("A-ZERO", `{"introduced":"0"},{"fixed":"<c>"}`)+
		rangeOf("B-BOTH", `{"introduced":"<b>"},{"fixed":"<c>"},{"fixed":"<x>"}`)+
		rangeOf("C-AGAIN", `{"introduced":"<a>"},{"fixed":"<c>"},{"introduced":"<f>"},{"fixed":"<h>"}`)+
		rangeOf("D-LAST", `{"introduced":"<b>"},{"last_affected":"<d>"}`)+
		rangeOf("E-LIMIT", `{"introduced":"<a>"},{"limit":"<d>"}`)+
		rangeOf("F-GONE", `{"introduced":"<a>"},{"fixed":"<missing>"}`)+
		rangeOf("G-NEVER", `{"introduced":"<missing>"}`)+
		rangeOf("H-BESIDE", `{"introduced":"<y>"},{"fixed":"<d>"}`)+
		`{"id":"Z-OTHER","affected":[{"ranges":[{"type":"GIT","repo":"https://example.org/other","events":[{"introduced":"0"},{"fixed":"`+strings.Repeat("cd", 20)+`"}]}]}]}`, "")
	want := map[string]string{ // A B C D E F G H: affected, not, unknown
		"a": "YNYNYU?N", "b": "YYYYYU?N", "c": "NNNYYU?N", "d": "NNNYNU?N", "x": "YNYYNU?N", "y": "YNYYNU?Y",
		"m": "NNNNNU?U", "f": "NNYNNU?U", "g": "NNYNNU?U", "h": "NNNNNU?U",
	}
	letters := map[versioncmp.Verdict]string{versioncmp.Affected: "Y", versioncmp.NotAffected: "N", versioncmp.Unknown: "U"}
	for name, hash := range c {
		for _, form := range []string{hash, hash[:12], "t-" + name} {
			a, err := CommitIn(t.Context(), db, form, Clone{dir})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range a.Findings {
				if l := letters[f.Verdict]; f.ID == "G-NEVER" && l == "U" {
					got += "?"
				} else {
					got += l
				}
				if (f.Verdict == versioncmp.Unknown) != (f.Reason != "") {
					t.Errorf("%s: %+v: an unknown verdict has a reason", name, f)
				}
			}
			if a.Commit != hash || got != want[name] {
				t.Errorf("%s (%s): %s, want %s\n%+v", name, form, got, want[name], a.Findings)
			}
		}
	}
	if _, err := CommitIn(t.Context(), db, missing, Clone{dir}); !errors.Is(err, ErrNoCommit) {
		t.Errorf("a commit that is not there: %v", err)
	}
	if _, err := CommitIn(t.Context(), db, "--all", Clone{dir}); !errors.Is(err, ErrNoCommit) {
		t.Errorf("an option as a commit: %v", err)
	}

	// A clone that is cut off decides only what it has seen.
	shallow := filepath.Join(t.TempDir(), "shallow")
	if out, err := exec.Command("git", "clone", "-q", "--depth", "2", "--branch", "t-d", "file://"+dir, shallow).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a, err := CommitIn(t.Context(), db, c["d"], Clone{shallow})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range a.Findings {
		got[f.ID] = f.Verdict.String()
	}
	if diff := cmp.Diff(map[string]string{"A-ZERO": "not affected", "C-AGAIN": "unknown", "D-LAST": "unknown"}, map[string]string{
		"A-ZERO": got["A-ZERO"], "C-AGAIN": got["C-AGAIN"], "D-LAST": got["D-LAST"]}); diff != "" {
		t.Errorf("shallow:\n%s", diff)
	}

	// Without a history only events are decided.
	for name, want := range map[string]string{
		"a": "C-AGAIN affected E-LIMIT affected F-GONE affected", "d": "D-LAST affected E-LIMIT not affected H-BESIDE not affected",
		"c": "A-ZERO not affected B-BOTH not affected C-AGAIN not affected", "g": "",
	} {
		a, err := Commit(db, strings.ToUpper(c[name][:20]))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range a.Findings {
			got = append(got, f.ID+" "+f.Verdict.String())
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", name, s, want)
		}
	}
	for _, bad := range []string{"", "abc", "xyz1234567", strings.Repeat("a", 65)} {
		if _, err := Commit(db, bad); !errors.Is(err, ErrCommit) {
			t.Errorf("%q: %v, want ErrCommit", bad, err)
		}
	}
}
