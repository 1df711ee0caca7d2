package versioncmp

import (
	"encoding/json"
	"path"
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A feedEntry is an affected entry of a real record.
type feedEntry struct {
	id       string
	scheme   *Scheme
	ranges   [][]Event
	versions []string
}

// feedEntries reads the affected entries of OSV feeds, without GIT ranges.
func feedEntries(t testing.TB) []feedEntry {
	t.Helper()
	var list []feedEntry
	for _, feed := range [][2]string{
		{"bitnami/vulndb", "main"}, {"DrupalSecurityTeam/drupal-advisory-database", "main"},
		{"pypa/advisory-database", "main"}, {"rustsec/advisory-db", "osv"},
	} {
		eachFile(t, githubArchive(t, feed[0], feed[1]), func(name string, data []byte) {
			var record osvRecord
			var err error
			switch path.Ext(name) {
			case ".json":
				err = json.Unmarshal(data, &record)
			case ".yaml":
				err = yaml.Unmarshal(data, &record)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, a := range record.Affected {
				e := feedEntry{id: record.ID, scheme: For(a.Package.Ecosystem), versions: a.Versions}
				for _, r := range a.Ranges {
					if r.Type != "GIT" {
						e.ranges = append(e.ranges, r.events())
					}
				}
				if e.scheme != nil {
					list = append(list, e)
				}
			}
		})
	}
	return list
}

// TestRealRangesMatchTheSchemasPseudocode asks each entry about every version
// that it names.
func TestRealRangesMatchTheSchemasPseudocode(t *testing.T) {
	entries := feedEntries(t)
	if len(entries) < 10000 {
		t.Errorf("%d entries, want more than 10000", len(entries))
	}
	asked := 0
	for _, e := range entries {
		set := Compile(e.scheme, e.ranges, e.versions)
		if bad := set.Unparsed(); len(bad) > 0 {
			t.Logf("%s: %v", e.id, bad)
			continue
		}
		for _, v := range e.versions {
			if got := set.AffectedText(v).Verdict; got != Affected {
				t.Errorf("%s: %s is listed and %v", e.id, v, got)
			}
		}
		for _, event := range slices.Concat(e.ranges...) {
			if event.Version == "0" || slices.Contains(e.versions, event.Version) {
				continue
			}
			asked++
			want := NotAffected
			if slices.ContainsFunc(e.ranges, func(list []Event) bool {
				return schemaAffected(t, e.scheme, event.Version, list)
			}) {
				want = Affected
			}
			if got := set.AffectedText(event.Version); got.Verdict != want && got.Event.Kind != Listed {
				t.Errorf("%s: %v: %s is %+v, want %v", e.id, e.ranges, event.Version, got, want)
			}
		}
	}
	if asked < 30000 {
		t.Errorf("asked %d times, want more than 30000", asked)
	}
}

// BenchmarkRealEntries compiles, decodes and asks real entries; the bytes are
// those of an encoded set.
func BenchmarkRealEntries(b *testing.B) {
	entries := feedEntries(b)
	encoded := make([][]byte, len(entries))
	size := 0
	for i, e := range entries {
		encoded[i] = Compile(e.scheme, e.ranges, e.versions).AppendBinary(nil)
		size += len(encoded[i])
	}
	b.Run("Compile", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			e := &entries[i%len(entries)]
			Compile(e.scheme, e.ranges, e.versions)
		}
		b.ReportMetric(float64(size)/float64(len(entries)), "bytes/set")
	})
	b.Run("DecodeAndAsk", func(b *testing.B) {
		asked := map[*Scheme]Version{}
		for _, e := range entries {
			asked[e.scheme], _ = e.scheme.Parse("2.4.1")
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			e := &entries[i%len(entries)]
			set, err := DecodeSet(e.scheme, encoded[i%len(entries)])
			if err != nil {
				b.Fatal(err)
			}
			set.Verdict(asked[e.scheme])
		}
	})
}
