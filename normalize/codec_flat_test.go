package normalize

import (
	"fmt"
	"strings"
	"time"

	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// flattenRecord and flattenBinding list everything that both types can hold,
// one line a value, but for the *_specific objects, of which the binding
// loses integers above 2^53.
func flattenRecord(r *Record) []string {
	f := flat{}
	f.add("id", r.ID, r.SchemaVersion, r.Summary, r.Details)
	f.add("times", recordTime(r.Modified), recordTime(r.Published), recordTime(r.Withdrawn))
	f.add("aliases", r.Aliases...)
	f.add("related", r.Related...)
	f.add("upstream", r.Upstream...)
	f.severity(len(r.Severity), func(i int) (string, string) { return r.Severity[i].Type, r.Severity[i].Score })
	for _, x := range r.References {
		f.add("reference", x.Type, x.URL)
	}
	for _, c := range r.Credits {
		f.add("credit", append([]string{c.Name, c.Type}, c.Contact...)...)
	}
	for _, a := range r.Affected {
		f.add("affected", a.Package.Ecosystem, a.Package.Name, a.Package.Purl)
		f.add("versions", a.Versions...)
		f.severity(len(a.Severity), func(i int) (string, string) { return a.Severity[i].Type, a.Severity[i].Score })
		for _, g := range a.Ranges {
			f.add("range", g.Type, g.Repo)
			for _, e := range g.Events {
				f.add("event", e.Introduced, e.Fixed, e.LastAffected, e.Limit)
			}
		}
	}
	return f.lines
}

func flattenBinding(v *osvschema.Vulnerability) []string {
	f := flat{}
	f.add("id", v.GetId(), v.GetSchemaVersion(), v.GetSummary(), v.GetDetails())
	f.add("times", bindingTime(v.GetModified()), bindingTime(v.GetPublished()), bindingTime(v.GetWithdrawn()))
	f.add("aliases", v.GetAliases()...)
	f.add("related", v.GetRelated()...)
	f.add("upstream", v.GetUpstream()...)
	f.bindingSeverity(v.GetSeverity())
	for _, x := range v.GetReferences() {
		f.add("reference", bindingEnum(x.GetType().String()), x.GetUrl())
	}
	for _, c := range v.GetCredits() {
		f.add("credit", append([]string{c.GetName(), bindingEnum(c.GetType().String())}, c.GetContact()...)...)
	}
	for _, a := range v.GetAffected() {
		p := a.GetPackage()
		f.add("affected", p.GetEcosystem(), p.GetName(), p.GetPurl())
		f.add("versions", a.GetVersions()...)
		f.bindingSeverity(a.GetSeverity())
		for _, g := range a.GetRanges() {
			f.add("range", bindingEnum(g.GetType().String()), g.GetRepo())
			for _, e := range g.GetEvents() {
				f.add("event", e.GetIntroduced(), e.GetFixed(), e.GetLastAffected(), e.GetLimit())
			}
		}
	}
	return f.lines
}

type flat struct{ lines []string }

func (f *flat) add(what string, values ...string) {
	if len(values) > 0 {
		f.lines = append(f.lines, fmt.Sprintf("%s %q", what, values))
	}
}

func (f *flat) severity(n int, at func(int) (typ, score string)) {
	for i := range n {
		typ, score := at(i)
		f.add("severity", typ, score)
	}
}

func (f *flat) bindingSeverity(s []*osvschema.Severity) {
	f.severity(len(s), func(i int) (string, string) { return s[i].GetType().String(), s[i].GetScore() })
}

// bindingEnum names an enumeration's value as JSON does; unset is nothing.
func bindingEnum(s string) string {
	if s == "NONE" || strings.HasSuffix(s, "UNSPECIFIED") {
		return ""
	}
	return s
}

func bindingTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format(time.RFC3339Nano)
}

func recordTime(s string) string {
	if t, ok := parseTime(s); ok {
		return t.UTC().Format(time.RFC3339Nano)
	}
	return s
}
