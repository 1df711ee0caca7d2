package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	packageurl "github.com/package-url/packageurl-go"
)

// A Report is what is known of the packages of one SBOM.
type Report struct {
	Name  string // of the SBOM's file
	SBOM  *query.SBOM
	Found []query.Assessment
	Gaps  []query.Gap

	Time    time.Time // of the scan
	State   string    // which data it was made from; with Name and Time it names the report
	Version string    // of advdb, empty where it is not known
}

const home = "https://github.com/advdb/advdb"

// writeJSON writes a value through a buffer, indented by two spaces.
func writeJSON(w io.Writer, write func(*jsontext.Encoder) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	enc := jsontext.NewEncoder(b, jsontext.AllowInvalidUTF8(true), jsontext.WithIndent("  "))
	if err := write(enc); err != nil {
		return err
	}
	return b.Flush()
}

// encode writes v as the next value; maps are in the order of their keys.
func encode(enc *jsontext.Encoder, v any) error {
	return json.MarshalEncode(enc, v, json.Deterministic(true))
}

// member writes a name and its value.
func member(enc *jsontext.Encoder, name string, v any) error {
	if err := enc.WriteToken(jsontext.String(name)); err != nil {
		return err
	}
	return encode(enc, v)
}

// list writes a name and an array whose elements each writes.
func list(enc *jsontext.Encoder, name string, each func() error) error {
	for _, t := range []jsontext.Token{jsontext.String(name), jsontext.BeginArray} {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	if err := each(); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndArray)
}

// uuid is the name of a report: the same for the same input, time and data.
//
// Source: RFC 9562, section 5.8 (UUID version 8).
func (r *Report) uuid(form string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{form, r.Name, r.SBOM.ID, r.State, r.Time.UTC().Format(time.RFC3339)}, "\x00")))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// action says what to do about a vulnerability in a component.
func action(c query.Component, v *query.Vulnerability) string {
	switch {
	case len(v.Fixed) > 0:
		return fmt.Sprintf("Upgrade %s to %s.", c.Name, strings.Join(v.Fixed, " or "))
	case len(v.Statements) > 0:
		s := v.Statements[0]
		text := "No fixed version is known; the vendor says: " + strings.ReplaceAll(s.Status, "_", " ")
		if s.Detail != "" {
			text += " (" + s.Detail + ")"
		}
		return text + "."
	}
	return "No fixed version is known: remove " + c.Name + ", or keep what is vulnerable of it out of reach."
}

// reason is why it is unknown whether a vulnerability affects a component.
func reason(v *query.Vulnerability) string {
	for i := range v.Assertions {
		if a := &v.Assertions[i]; a.Verdict == versioncmp.Unknown && a.Reason != "" {
			return a.Reason
		}
	}
	return "its records do not say enough"
}

// product names a component for a machine: its purl, or else its CPE.
func product(c query.Component) string {
	if c.Purl != "" {
		return c.Purl
	}
	return c.CPE
}

// versionOf is the version that was asked about: the purl's goes before the
// component's.
func versionOf(c query.Component) string {
	if p, err := packageurl.FromString(c.Purl); err == nil && p.Version != "" {
		return p.Version
	}
	return c.Version
}

// summary is one line about a vulnerability.
func summary(v *query.Vulnerability) string {
	if v.Summary != "" {
		return v.Summary
	}
	return v.ID
}

// An advisoryPage says where the databases of IDs show them.
type advisoryPage struct{ prefix, source, url string }

// advisoryPages is searched in its order; %s is the ID.
var advisoryPages = []advisoryPage{
	{"CVE-", "NVD", "https://nvd.nist.gov/vuln/detail/%s"},
	{"GHSA-", "GitHub Advisory Database", "https://github.com/advisories/%s"},
	{"GO-", "Go Vulnerability Database", "https://pkg.go.dev/vuln/%s"},
	{"RUSTSEC-", "RustSec", "https://rustsec.org/advisories/%s.html"},
	{"RHSA-", "Red Hat", "https://access.redhat.com/errata/%s"},
	{"RHBA-", "Red Hat", "https://access.redhat.com/errata/%s"},
	{"RHEA-", "Red Hat", "https://access.redhat.com/errata/%s"},
	{"USN-", "Ubuntu", "https://ubuntu.com/security/notices/%s"},
	{"DEBIAN-", "Debian", "https://osv.dev/vulnerability/%s"},
	{"UBUNTU-", "Ubuntu", "https://osv.dev/vulnerability/%s"},
	{"ALPINE-", "Alpine", "https://osv.dev/vulnerability/%s"},
	{"DSA-", "Debian", "https://osv.dev/vulnerability/%s"},
	{"DLA-", "Debian", "https://osv.dev/vulnerability/%s"},
	{"PYSEC-", "PyPA", "https://osv.dev/vulnerability/%s"},
	{"MAL-", "OpenSSF", "https://osv.dev/vulnerability/%s"},
}

// page returns the database of an ID and where it is shown, "" where that is
// not known.
func page(id string) (source, url string) {
	for _, p := range advisoryPages {
		if strings.HasPrefix(id, p.prefix) {
			return p.source, fmt.Sprintf(p.url, id)
		}
	}
	source, _, _ = strings.Cut(id, "-")
	return source, ""
}

// records returns the IDs of the records behind a vulnerability that are not
// its own, each once, the preferred first.
func records(v *query.Vulnerability) (ids []string) {
	seen := map[string]bool{v.ID: true}
	for _, id := range append(v.Records(), v.Aliases...) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}
