package versioncmp

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// dotted orders numbers between dots, the shorter one first. It stands for an
// exact scheme without the wealth of a real one.
var dotted = &Scheme{Name: "dotted", key: dottedKey}

// wavering is dotted with a coarse key, the first number, and a comparator.
var wavering = &Scheme{Name: "wavering", key: func(dst []byte, v string) ([]byte, error) {
	if _, err := dottedKey(nil, v); err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(v, ".")
	return append(appendNumber(dst, first), 0), nil
}, compare: func(a, b string) int {
	x, errX := dottedKey(nil, a)
	y, errY := dottedKey(nil, b)
	if errX != nil || errY != nil {
		return strings.Compare(a, b)
	}
	return slices.Compare(x, y)
}}

func dottedKey(dst []byte, v string) ([]byte, error) {
	for part := range strings.SplitSeq(v, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return nil, invalid("dotted", v)
		}
		dst = appendNumber(append(dst, 2), part)
	}
	return append(dst, 1), nil
}

// events reads "introduced 1, fixed 2" and the short forms i, f, l, m.
func events(text string) []Event {
	kinds := map[string]EventKind{"i": Introduced, "f": Fixed, "l": LastAffected, "m": Limit}
	var list []Event
	for field := range strings.SplitSeq(text, ",") {
		kind, version, _ := strings.Cut(strings.TrimSpace(field), " ")
		if kind != "" {
			list = append(list, Event{kinds[kind], version})
		}
	}
	return list
}

// schemaAffected is the pseudocode of the OSV schema ("Evaluation") for one
// range.
func schemaAffected(t testing.TB, s *Scheme, v string, list []Event) bool {
	t.Helper()
	order := func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "min" || b == "max":
			return -1
		case b == "min" || a == "max":
			return 1
		}
		return mustParse(t, s, a).Compare(mustParse(t, s, b))
	}
	list = slices.Clone(list)
	limited, below := false, false
	for i, e := range list {
		if e.Kind == Introduced && e.Version == "0" {
			list[i].Version = "min"
		}
		if e.Kind == Limit {
			if e.Version == "*" {
				list[i].Version = "max"
			}
			limited = true
			below = below || order(v, list[i].Version) < 0
		}
	}
	if limited && !below {
		return false
	}
	slices.SortStableFunc(list, func(a, b Event) int { return order(a.Version, b.Version) })
	vulnerable := false
	for _, e := range list {
		switch c := order(v, e.Version); {
		case e.Kind == Introduced && c >= 0:
			vulnerable = true
		case e.Kind == Fixed && c >= 0, e.Kind == LastAffected && c > 0:
			vulnerable = false
		}
	}
	return vulnerable
}

func mustParse(t testing.TB, s *Scheme, v string) Version {
	t.Helper()
	parsed, err := s.Parse(v)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// randomEvents makes events of different versions, with one limit at most.
func randomEvents(r *rand.Rand) []Event {
	versions := r.Perm(12)
	var list []Event
	limits := 0
	for _, n := range versions[:r.IntN(8)] {
		e := Event{EventKind(1 + r.IntN(3)), fmt.Sprintf("%d.%d", n/4, n%4)}
		switch {
		case limits == 0 && r.IntN(8) == 0:
			limits, e.Kind = 1, Limit
		case r.IntN(8) == 0 && !slices.Contains(list, Event{Introduced, "0"}):
			e = Event{Introduced, "0"}
		}
		list = append(list, e)
	}
	return list
}

func TestRandomRangesMatchTheSchemasPseudocode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var ranges [][]Event
		for range 1 + r.IntN(3) {
			ranges = append(ranges, randomEvents(r))
		}
		var listed []string
		for range r.IntN(3) {
			listed = append(listed, fmt.Sprintf("%d.%d.%d", r.IntN(3), r.IntN(4), r.IntN(2)))
		}
		shuffled := make([][]Event, len(ranges))
		for i, list := range ranges {
			shuffled[i] = slices.Clone(list)
			r.Shuffle(len(list), func(a, b int) { shuffled[i][a], shuffled[i][b] = shuffled[i][b], shuffled[i][a] })
		}
		for _, s := range []*Scheme{dotted, wavering} {
			checkAgainstPseudocode(t, s, ranges, listed, Compile(s, ranges, listed))
			checkAgainstPseudocode(t, s, ranges, listed, Compile(s, shuffled, listed))
		}
	}
}

func checkAgainstPseudocode(t *testing.T, s *Scheme, ranges [][]Event, listed []string, set *Set) {
	t.Helper()
	decoded, err := DecodeSet(s, set.AppendBinary(nil))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 36 {
		v := fmt.Sprintf("%d.%d", n/12, n/3%4)
		if n%3 > 0 {
			v += fmt.Sprintf(".%d", n%3-1)
		}
		want := NotAffected
		if slices.Contains(listed, v) || slices.ContainsFunc(ranges, func(list []Event) bool {
			return schemaAffected(t, s, v, list)
		}) {
			want = Affected
		}
		parsed := mustParse(t, s, v)
		got := [...]Verdict{set.Verdict(parsed), set.AffectedText(v).Verdict, decoded.Affected(parsed).Verdict}
		if got != [...]Verdict{want, want, want} {
			t.Fatalf("%s: %v listed %v: %s is %v, want %v", s.Name, ranges, listed, v, got, want)
		}
	}
}

func TestCompileJoinsIntervals(t *testing.T) {
	for _, test := range []struct {
		name   string
		ranges []string
		want   string // intervals as [lo hi) and so on
	}{
		{"unsorted events are legal", []string{"i 6.13.0, f 6.12.81, f 6.16.5, i 2.6"}, "[2.6 6.12.81) [6.13.0 6.16.5)"},
		{"a leading fixed does not panic", []string{"f 1.0, i 1.2, f 1.4"}, "[1.2 1.4)"},
		{"introduced 0 is below every version", []string{"i 0, f 0.0.0"}, "[-∞ 0.0.0)"},
		{"introduced 0 and a version zero differ", []string{"i 0.0, f 1"}, "[0.0 1)"},
		{"fixed then introduced is a re-introduction", []string{"i 0, f 1.0, i 1.0, f 2.0"}, "[-∞ 1.0) [1.0 2.0)"},
		{"introduced then fixed is empty", []string{"i 1.0, f 1.0"}, ""},
		{"introduced then last_affected is one version", []string{"i 1.0, l 1.0"}, "[1.0 1.0]"},
		{"last_affected then introduced goes on", []string{"i 0.5, l 1.0, i 1.0, f 2.0"}, "[0.5 2.0)"},
		{"fixed after last_affected at one version", []string{"i 0.5, l 1.0, f 1.0"}, "[0.5 1.0)"},
		{"ties of an unsorted range come in fixed order", []string{"i 3.0, f 1.0, i 1.0, i 0"}, "[-∞ 1.0) [3.0 ∞)"},
		{"an open end", []string{"i 1.0"}, "[1.0 ∞)"},
		{"a second introduced changes nothing", []string{"i 1.0, i 1.5, f 2.0"}, "[1.0 2.0)"},
		{"a second fixed changes nothing", []string{"i 1.0, f 2.0, f 3.0"}, "[1.0 2.0)"},
		{"limit closes as fixed does", []string{"i 0, m 1.0"}, "[-∞ 1.0)"},
		{"nothing lies above the limit", []string{"i 0, m 1.0, i 2.0, f 3.0"}, "[-∞ 1.0)"},
		{"of several limits the greatest counts", []string{"i 0, m 1.0, i 2.0, m 3.0, i 4.0"}, "[-∞ 1.0) [2.0 3.0)"},
		{"limit * is no limit", []string{"i 1.0, m *"}, "[1.0 ∞)"},
		{"ranges are joined", []string{"i 1.0, f 2.0", "i 1.5, l 3.0"}, "[1.0 3.0]"},
		{"a range within another", []string{"i 1.0, f 4.0", "i 1.5, l 3.0"}, "[1.0 4.0)"},
		{"closed end beats open end", []string{"i 1.0, f 4.0", "i 1.5, l 4.0"}, "[1.0 4.0]"},
		{"an open end swallows all", []string{"i 5.0, f 6.0", "i 1.0", "i 7.0"}, "[1.0 ∞)"},
		{"ranges that touch", []string{"i 1.0, f 2.0", "i 2.0, f 3.0"}, "[1.0 2.0) [2.0 3.0)"},
		{"closed end that touches", []string{"i 1.0, l 2.0", "i 2.0, f 3.0"}, "[1.0 3.0)"},
		{"no introduced", []string{"f 1.0", "l 2.0", ""}, ""},
		{"unparsable fixed", []string{"i 1.0, f x"}, "?[1.0 ∞)"},
		{"unparsable fixed ends at the next event", []string{"i 1.0, f x, i 2.0, f 3.0"}, "[2.0 3.0) ?[1.0 2.0)"},
		{"unparsable introduced", []string{"i x, f 3.0"}, "?[-∞ 3.0)"},
		{"unparsable re-introduction", []string{"i 0, f 1.0, i x, f 3.0"}, "[-∞ 1.0) ?[1.0 3.0)"},
		{"unparsable last_affected, closed again", []string{"i 1.0, l x, f 2.0, i 3.0"}, "[3.0 ∞) ?[1.0 2.0)"},
		{"unparsable closing event before its start", []string{"f x, i 0"}, "?[-∞ ∞)"},
		{"unparsable event of an unsorted range", []string{"i 2.0, f x, i 1.0, f 1.5"}, "?[1.0 1.5) ?[2.0 ∞)"},
		{"unparsable introduced of an unsorted range", []string{"i 2.0, i x, i 1.0, f 1.5"}, "?[-∞ ∞)"},
		{"unparsable limit", []string{"i 1.0, f 2.0, m x"}, "?[1.0 2.0)"},
		{"one range does not spoil another", []string{"i 1.0, f x", "i 3.0, f 4.0"}, "[3.0 4.0) ?[1.0 ∞)"},
		{"empty version", []string{"i , f 2.0"}, "?[-∞ 2.0)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ranges [][]Event
			for _, text := range test.ranges {
				ranges = append(ranges, events(text))
			}
			if diff := gocmp.Diff(test.want, describe(Compile(dotted, ranges, nil))); diff != "" {
				t.Errorf("intervals (-want +got):\n%s", diff)
			}
		})
	}
}

// describe writes a set's intervals, the doubtful ones with a question mark.
func describe(s *Set) string {
	var parts []string
	c := cursor{b: s.sure}
	for range s.sures {
		parts = append(parts, describeInterval(c.interval()))
	}
	c = cursor{b: s.doubtful}
	for range s.doubts {
		parts = append(parts, "?"+describeInterval(c.interval()))
		c.kind()
		c.bytes()
	}
	return strings.Join(parts, " ")
}

func describeInterval(v view) string {
	lo, hi := string(v.loText), string(v.hiText)
	if v.open() {
		lo = "-∞"
	}
	switch {
	case v.endless():
		hi = "∞)"
	case v.inclusive():
		hi += "]"
	default:
		hi += ")"
	}
	return "[" + lo + " " + hi
}

func TestAnswersNameTheDecidingEvent(t *testing.T) {
	set := Compile(dotted, [][]Event{
		events("i 1.2, f 1.4, i 2.0, l 2.5"), events("i 4.0, f broken"),
	}, []string{"3.0.0", "1.3", "odd", "3.0.0"})
	for _, test := range []struct {
		version string
		want    Answer
	}{
		{"1.1", Answer{Verdict: NotAffected, Event: Event{Introduced, "1.2"}}},
		{"1.2", Answer{Verdict: Affected, Event: Event{Introduced, "1.2"}}},
		{"1.3", Answer{Verdict: Affected, Event: Event{Introduced, "1.2"}}},
		{"1.4", Answer{Verdict: NotAffected, Event: Event{Fixed, "1.4"}}},
		{"1.9", Answer{Verdict: NotAffected, Event: Event{Fixed, "1.4"}}},
		{"2.5", Answer{Verdict: Affected, Event: Event{Introduced, "2.0"}}},
		{"2.5.1", Answer{Verdict: NotAffected, Event: Event{LastAffected, "2.5"}, Note: CeilingNote}},
		{"03.00.0", Answer{Verdict: Affected, Event: Event{Listed, "3.0.0"}}},
		{"4.1", Answer{Verdict: Unknown, Event: Event{Fixed, "broken"}, Reason: `fixed "broken" is not a version`}},
		{"odd", Answer{Verdict: Affected, Event: Event{Listed, "odd"}}},
		{"other", Answer{Reason: `"other": invalid version by the dotted rule`}},
	} {
		if diff := gocmp.Diff(test.want, set.AffectedText(test.version)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.version, diff)
		}
	}
	if diff := gocmp.Diff([]Event{{Fixed, "broken"}}, set.Unparsed()); diff != "" {
		t.Errorf("Unparsed (-want +got):\n%s", diff)
	}
}

func TestListedVersionsMatchByTextAndByOrder(t *testing.T) {
	listed := []string{"1.0", "2.0", "nightly"}
	for _, s := range []*Scheme{dotted, wavering} {
		set := Compile(s, [][]Event{events("i 2.0, f 3.0")}, listed)
		for version, want := range map[string]Verdict{
			"1.0": Affected, "01.0": Affected, "1.0.0": NotAffected, "1.1": NotAffected,
			"2.0": Affected, "nightly": Affected, "Nightly": Unknown,
		} {
			if got := set.AffectedText(version).Verdict; got != want {
				t.Errorf("%s: %s is %v, want %v", s.Name, version, got, want)
			}
		}
	}
	for _, s := range []*Scheme{dotted, wavering} {
		if n := Compile(s, [][]Event{events("i 2.0, f 3.0")}, listed).keys; n != 1 {
			t.Errorf("%s: %d listed versions kept with a key, want 1: 2.0 lies in the interval", s.Name, n)
		}
	}
	if n := Compile(dotted, [][]Event{events("i 2.0, f x")}, listed).keys; n != 2 {
		t.Errorf("%d listed versions kept with a key, want 2: the interval around 2.0 is doubtful", n)
	}
}

func TestNoOrder(t *testing.T) {
	for _, test := range []struct {
		ranges string
		listed []string
		want   map[string]Verdict
	}{
		{"", []string{"12L"}, map[string]Verdict{"12L": Affected, "13": NotAffected}},
		{"i 1, f 2", []string{"12L"}, map[string]Verdict{"12L": Affected, "13": Unknown}},
		{"i 0", nil, map[string]Verdict{"anything": Affected}},
		{"i 0, m *", nil, map[string]Verdict{"anything": Affected}},
		{"i 0, l 9", nil, map[string]Verdict{"1": Unknown}},
		{"i 3", nil, map[string]Verdict{"1": Unknown}},
	} {
		set := Compile(nil, [][]Event{events(test.ranges)}, test.listed)
		for version, want := range test.want {
			a := set.AffectedText(version)
			if a.Verdict != want {
				t.Errorf("%q %v: %s is %v, want %v", test.ranges, test.listed, version, a.Verdict, want)
			}
			if want == Unknown && a.Reason != ErrNoOrder.Error() {
				t.Errorf("reason %q, want %q", a.Reason, ErrNoOrder)
			}
		}
	}
}

func TestEveryVersionIsAffectedEvenOneThatDoesNotParse(t *testing.T) {
	set := Compile(dotted, [][]Event{events("i 0")}, nil)
	if got := set.AffectedText("x").Verdict; got != Affected {
		t.Errorf("x is %v, want affected: no order is needed", got)
	}
	set = Compile(dotted, [][]Event{events("i 0, f 1")}, nil)
	if got := set.AffectedText("x").Verdict; got != Unknown {
		t.Errorf("x is %v, want unknown", got)
	}
}

func TestSpansAreTheIntervals(t *testing.T) {
	set := Compile(dotted, [][]Event{events("i 3.0, f 4.0, i 0, l 1.5"), events("i 5.0"), events("i 7.0, f x")}, nil)
	if diff := gocmp.Diff("(, 1.5] [3.0, 4.0) [5.0, )", show(set.Spans())); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

func TestEventsOfNoKindAreIgnored(t *testing.T) {
	list := []Event{{Introduced, "1.0"}, {0, "1.5"}, {Listed, "x"}, {200, "y"}, {Fixed, "2.0"}}
	if diff := gocmp.Diff("[1.0 2.0)", describe(Compile(dotted, [][]Event{list}, nil))); diff != "" {
		t.Errorf("intervals (-want +got):\n%s", diff)
	}
	if a := Compile(nil, [][]Event{{{Introduced, "0"}, {Listed, "x"}}}, nil).AffectedText("1"); a.Verdict != Affected {
		t.Errorf("%+v, want affected", a)
	}
}

func TestEventKindsSortTiesLikeOSV(t *testing.T) {
	kinds := []EventKind{Limit, Fixed, LastAffected, Introduced}
	slices.SortFunc(kinds, func(a, b EventKind) int { return cmp.Compare(tieRank(a), tieRank(b)) })
	if diff := gocmp.Diff([]EventKind{Introduced, LastAffected, Fixed, Limit}, kinds); diff != "" {
		t.Error(diff)
	}
}
