package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// moreSources are those that TestAnswers asks about beside realSources.
var moreSources = []string{"azurelinux", "cpan", "cvelist", "dhi", "drupal", "eef", "freebsd", "friendsofphp", "gentoo", "haskell", "julia",
	"node", "ocaml", "ossfuzz", "photon-oval", "psf", "r", "rubysec", "suse-oval"}

// An answer is what a question of testdata/answers is to be answered with.
type answer struct {
	Affected, Unknown, Named []string // IDs, sorted
	Exit                     int
}

// A asked is one question of a table.
type asked struct {
	where, group string // "distributions.txt:12", "Alpine"
	question     []string
	want         answer
}

// readAnswers reads a table of questions. Its lines are:
//
//	## GROUP              an ecosystem, or another kind of question
//	# …                   where in which document the answer stands
//	ask ARGUMENT…         of advdb query
//	affected|unknown ID…  what it answers of the question before; none: nothing
//	named ID…             the records that name the ID asked for
//	exit N                its exit status; none: 0
func readAnswers(t *testing.T, path string) (list []asked) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, group := bufio.NewScanner(f), ""
	for n := 1; lines.Scan(); n++ {
		where := fmt.Sprintf("%s:%d", filepath.Base(path), n)
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch key, rest := words[0], words[1:]; {
		case key == "##":
			group = strings.Join(rest, " ")
		case key == "ask":
			list = append(list, asked{where: where, group: group, question: rest})
		case len(list) == 0:
			t.Fatalf("%s: %q before a question", where, key)
		default:
			if err := list[len(list)-1].want.set(key, rest); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (a *answer) set(key string, words []string) (err error) {
	switch key {
	case "affected":
		a.Affected = append(a.Affected, words...)
	case "unknown":
		a.Unknown = append(a.Unknown, words...)
	case "named":
		a.Named = append(a.Named, words...)
	case "exit":
		a.Exit, err = strconv.Atoi(strings.Join(words, " "))
	default:
		err = fmt.Errorf("unknown line %q", key)
	}
	slices.Sort(a.Affected)
	slices.Sort(a.Unknown)
	slices.Sort(a.Named)
	return err
}

// parseAnswer reads what advdb query prints.
func parseAnswer(exit int, out string) answer {
	a := answer{Exit: exit}
	for line := range strings.Lines(out) {
		switch f := strings.Fields(line); {
		case len(f) < 2:
		case f[0] == "affected":
			a.Affected = append(a.Affected, f[1])
		case f[0] == "unknown":
			a.Unknown = append(a.Unknown, f[1])
		case f[1] == "names":
			a.Named = append(a.Named, f[0])
		}
	}
	slices.Sort(a.Affected)
	slices.Sort(a.Unknown)
	slices.Sort(a.Named)
	a.Affected, a.Unknown = slices.Compact(a.Affected), slices.Compact(a.Unknown)
	return a
}

// TestAnswers asks of real feeds, ecosystem by ecosystem. The answers wanted
// were read off the feeds by hand, or by a program of some lines that shares
// nothing with advdb; versions were compared by the system's own tool.
func TestAnswers(t *testing.T) {
	dir := openRealDB(t)
	files, err := filepath.Glob(filepath.Join("testdata", "answers", "*.txt"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d tables, %v", len(files), err)
	}
	questions, groups := 0, map[string][2]int{} // of each the positive and the negative ones
	for _, path := range files {
		for _, q := range readAnswers(t, path) {
			t.Run(q.group+"/"+q.where, func(t *testing.T) {
				code, out, errs := advdb(t, append([]string{"query", "--db", dir}, q.question...)...)
				if diff := cmp.Diff(q.want, parseAnswer(code, out)); diff != "" {
					t.Errorf("%s (-want +got):\n%s%s", strings.Join(q.question, " "), diff, errs)
				}
			})
			n := groups[q.group]
			n[map[bool]int{true: 0, false: 1}[len(q.want.Affected)+len(q.want.Named) > 0]]++
			groups[q.group] = n
			questions++
		}
	}
	if questions < 60 {
		t.Errorf("%d questions", questions)
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		t.Logf("%-24s %2d found, %2d not", g, groups[g][0], groups[g][1])
	}
	t.Logf("%d questions", questions)
}
