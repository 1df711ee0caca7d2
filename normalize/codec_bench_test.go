package normalize

import (
	stdjson "encoding/json"
	"testing"

	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/encoding/protojson"
)

// benchRecords returns a mixture of real records and their size in bytes.
func benchRecords(b *testing.B) (docs [][]byte, size int64) {
	sharedOSV(b, func(d sharedDoc) {
		docs = append(docs, d.data)
		size += int64(len(d.data))
	})
	return docs, size
}

func benchDecode(b *testing.B, decode func([]byte) error) {
	docs, size := benchRecords(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, d := range docs {
			if err := decode(d); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	benchDecode(b, func(d []byte) error {
		_, err := Decode(d)
		return err
	})
}

// BenchmarkDecodeEncodingJSON reads the same into a plain struct with the
// standard library.
func BenchmarkDecodeEncodingJSON(b *testing.B) {
	benchDecode(b, func(d []byte) error { return stdjson.Unmarshal(d, new(plainRecord)) })
}

func BenchmarkDecodeProtojson(b *testing.B) {
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	benchDecode(b, func(d []byte) error { return lenient.Unmarshal(d, new(osvschema.Vulnerability)) })
}

func BenchmarkAppendEncode(b *testing.B) {
	docs, _ := benchRecords(b)
	var records []*Record
	var size int64
	for _, d := range docs {
		r, err := Decode(d)
		if err != nil {
			b.Fatal(err)
		}
		e, err := AppendEncode(nil, r)
		if err != nil {
			b.Fatal(err)
		}
		size += int64(len(e))
		records = append(records, r)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		for _, r := range records {
			var err error
			if buf, err = AppendEncode(buf[:0], r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkLint(b *testing.B) {
	docs, _ := benchRecords(b)
	var records []*Record
	for _, d := range docs {
		r, err := Decode(d)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, r)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range records {
			Lint(r)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}

// plainRecord is what a Record is without the members that OSV does not
// define.
type plainRecord struct {
	Affected []struct {
		DatabaseSpecific  stdjson.RawMessage `json:"database_specific"`
		EcosystemSpecific stdjson.RawMessage `json:"ecosystem_specific"`
		Package           struct{ Ecosystem, Name, Purl string }
		Ranges            []struct {
			DatabaseSpecific stdjson.RawMessage `json:"database_specific"`
			Events           []struct {
				Fixed, Introduced, Limit string
				LastAffected             string `json:"last_affected"`
			}
			Repo, Type string
		}
		Severity []struct{ Score, Type string }
		Versions []string
	}
	Aliases, Related, Upstream                           []string
	Credits                                              []struct{ Name, Type string }
	DatabaseSpecific                                     stdjson.RawMessage `json:"database_specific"`
	Details, ID, Modified, Published, Summary, Withdrawn string
	References                                           []struct{ Type, URL string }
	SchemaVersion                                        string `json:"schema_version"`
	Severity                                             []struct{ Score, Type string }
}
