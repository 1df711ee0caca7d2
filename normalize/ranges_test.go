package normalize

import (
	"math/rand/v2"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// rangesJSON writes ranges briefly: each as its events.
func rangesJSON(t *testing.T, ranges []Range) string {
	t.Helper()
	all := [][]Event{}
	for _, r := range ranges {
		all = append(all, r.Events)
	}
	b, err := json.Marshal(all, encodeOptions)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRanges(t *testing.T) {
	tests := []struct {
		name, ecosystem string
		in              []Interval
		want            string
	}{
		{"one", "npm", []Interval{{"0", "1.0.0", ""}}, `[[{"introduced":"0"},{"fixed":"1.0.0"}]]`},
		{"several fixed: the highest", "Alpine:v3.19", []Interval{{"0", "1.9-r0", ""}, {"0", "1.10-r0", ""}, {"0", "1.10_rc1-r0", ""}},
			`[[{"introduced":"0"},{"fixed":"1.10-r0"}]]`},
		{"sorted by the ecosystem, not as text", "npm", []Interval{{"10.0.0", "10.1.0", ""}, {"9.0.0", "9.5.0", ""}},
			`[[{"introduced":"9.0.0"},{"fixed":"9.5.0"},{"introduced":"10.0.0"},{"fixed":"10.1.0"}]]`},
		{"overlap and touch", "npm", []Interval{{"1.0.0", "2.0.0", ""}, {"2.0.0", "3.0.0", ""}, {"1.5.0", "1.6.0", ""}},
			`[[{"introduced":"1.0.0"},{"fixed":"3.0.0"}]]`},
		{"last_affected is above fixed of one version", "npm", []Interval{{"0", "2.0.0", ""}, {"0", "", "2.0.0"}},
			`[[{"introduced":"0"},{"last_affected":"2.0.0"}]]`},
		{"fixed and last_affected part", "npm", []Interval{{"3.0.0", "", "3.5.0"}, {"0", "1.0.0", ""}},
			`[[{"introduced":"0"},{"fixed":"1.0.0"}],[{"introduced":"3.0.0"},{"last_affected":"3.5.0"}]]`},
		{"open end beside last_affected", "npm", []Interval{{"3.0.0", "", ""}, {"0", "", "1.0.0"}},
			`[[{"introduced":"0"},{"last_affected":"1.0.0"},{"introduced":"3.0.0"}]]`},
		{"open swallows", "Debian:12", []Interval{{"0", "", ""}, {"0", "1.0-1", ""}}, `[[{"introduced":"0"}]]`},
		{"zero is below what sorts below 0", "Go", []Interval{{"0.0.0-20200101000000-abcdefabcdef", "1.0.0", ""}, {"0", "0.0.0-20200101000000-abcdefabcdef", ""}},
			`[[{"introduced":"0"},{"fixed":"1.0.0"}]]`},
		{"equal versions, smaller spelling", "PyPI", []Interval{{"0", "1.0.0", ""}, {"0", "1.0", ""}}, `[[{"introduced":"0"},{"fixed":"1.0"}]]`},
		{"refused version stays apart", "Alpine:v3.19", []Interval{{"0", "r4-r1", ""}, {"0", "2.0-r0", ""}, {"0", "1.0-r0", ""}},
			`[[{"introduced":"0"},{"fixed":"2.0-r0"}],[{"introduced":"0"},{"fixed":"r4-r1"}]]`},
		{"no order: once each", "Android", []Interval{{"0", "12L", ""}, {"0", "11", ""}, {"0", "12L", ""}},
			`[[{"introduced":"0"},{"fixed":"11"}],[{"introduced":"0"},{"fixed":"12L"}]]`},
		{"none", "npm", nil, `[]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 {
				rand.Shuffle(len(tt.in), func(i, j int) { tt.in[i], tt.in[j] = tt.in[j], tt.in[i] })
				got := rangesJSON(t, Ranges(Ecosystem, tt.ecosystem, tt.in))
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
}

// plainEvents reads the events of ranges.
func plainEvents(t *testing.T, s string) [][]Event {
	t.Helper()
	var v [][]Event
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSortRanges(t *testing.T) {
	tests := []struct{ name, ecosystem, typ, in, want string }{
		{"unsorted", "npm", Semver, `[[{"introduced":"6.13.0"},{"fixed":"6.12.81"},{"fixed":"6.16.5"},{"introduced":"0"}]]`,
			`[[{"introduced":"0"},{"fixed":"6.12.81"},{"introduced":"6.13.0"},{"fixed":"6.16.5"}]]`},
		{"a tie in a sorted range stays", "npm", Semver, `[[{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"1.0.0"}]]`,
			`[[{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"1.0.0"}]]`},
		{"a version without a place", "npm", Ecosystem, `[[{"introduced":"9"},{"fixed":"what?"},{"introduced":"0"}]]`,
			`[[{"introduced":"9"},{"fixed":"what?"},{"introduced":"0"}]]`},
		{"commits", "npm", Git, `[[{"introduced":"b"},{"fixed":"a"},{"introduced":"0"}]]`,
			`[[{"introduced":"b"},{"fixed":"a"},{"introduced":"0"}]]`},
		{"no package", "", Semver, `[[{"fixed":"7.10.0"},{"introduced":"7.9.0"},{"introduced":"0"}]]`,
			`[[{"introduced":"0"},{"introduced":"7.9.0"},{"fixed":"7.10.0"}]]`},
		{"the limit of everything", "npm", Semver, `[[{"limit":"*"},{"fixed":"2.0.0"},{"introduced":"0"}]]`,
			`[[{"introduced":"0"},{"fixed":"2.0.0"},{"limit":"*"}]]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Record{Affected: []Affected{{
				Package: Package{Ecosystem: tt.ecosystem, Name: "p"},
				Ranges:  []Range{{Type: tt.typ, Events: plainEvents(t, tt.in)[0]}},
			}}}
			r.sortRanges()
			if diff := cmp.Diff(plainEvents(t, tt.want)[0], r.Affected[0].Ranges[0].Events); diff != "" {
				t.Error(diff)
			}
		})
	}
}
