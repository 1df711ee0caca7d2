package query

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const purlText = "pkg:golang/golang.org/x/text@v0.3.6"

// sboms says the same in every form: a library by purl within another one, a
// product by CPE, a Debian package without its release, and the release.
var sboms = map[string]string{
	"CycloneDX JSON": `{"$schema":"x","bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","metadata":{"component":{"bom-ref":"root","type":"container","name":"image","purl":"pkg:oci/image"}},
"components":[{"type":"operating-system","name":"debian","version":"12"},
{"bom-ref":"a","type":"library","group":"golang.org/x","name":"text","version":"v0.3.6","purl":"` + purlText + `","components":[
 {"bom-ref":"b","type":"application","name":"nginx","version":"1.20.0","cpe":"cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*","licenses":[{"license":{"id":"MIT"}}]}]},
{"bom-ref":"c","type":"library","name":"openssl","version":"3.0.9-1","purl":"pkg:deb/debian/openssl@3.0.9-1?arch=amd64"},
{"bom-ref":"c2","type":"library","name":"openssl","version":"3.0.9-1","purl":"pkg:deb/debian/openssl@3.0.9-1?arch=amd64"},
{"type":"file","name":"/etc/passwd"},{"type":"library","name":"old","version":"1","swid":{"tagId":"x","name":"old"}}],"dependencies":[{"ref":"root","dependsOn":["a"]}]}`,
	"CycloneDX XML": `<?xml version="1.0" encoding="UTF-8"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.2" serialNumber="urn:uuid:1" version="1"><metadata><component type="container" bom-ref="root"><name>image</name><purl>pkg:oci/image</purl></component></metadata><components>
<component type="operating-system"><name>debian</name><version>12</version></component>
<component type="library" bom-ref="a"><group>golang.org/x</group><name>text</name><version>v0.3.6</version><purl>` + purlText + `</purl><components>
<component type="application" bom-ref="b"><name>nginx</name><version>1.20.0</version><cpe>cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*</cpe></component></components></component>
<component type="library" bom-ref="c"><name>openssl</name><version>3.0.9-1</version><purl>pkg:deb/debian/openssl@3.0.9-1?arch=amd64</purl></component>
<component type="file"><name>/etc/passwd</name></component>
<component type="library"><name>old</name><version>1</version><swid tagId="x" name="old"/></component></components></bom>`,
	"SPDX 2 JSON": `{"packages":[{"SPDXID":"root","name":"image","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:oci/image"}]},
{"SPDXID":"os","name":"debian","versionInfo":"12","primaryPackagePurpose":"OPERATING-SYSTEM"},
{"SPDXID":"b","name":"nginx","versionInfo":"1.20.0","externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"}]},
{"SPDXID":"a","name":"golang.org/x/text","versionInfo":"v0.3.6","externalRefs":[{"referenceType":"purl","referenceLocator":"` + purlText + `"}]},
{"SPDXID":"c","name":"openssl","versionInfo":"3.0.9-1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/openssl@3.0.9-1?arch=amd64"}]},
{"SPDXID":"d","name":"old","versionInfo":"1","externalRefs":[{"referenceType":"swid","referenceLocator":"swid:x"}]}],
"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"root"}],"documentNamespace":"urn:uuid:1","spdxVersion":"SPDX-2.3"}`,
	"SPDX 2 tag-value": `SPDXVersion: SPDX-2.2
DocumentNamespace: urn:uuid:1
DocumentComment: <text>PackageName: none
ends here</text>
# a comment
PackageName: image
SPDXID: root
ExternalRef: PACKAGE-MANAGER purl pkg:oci/image

PackageName: debian
PackageVersion: 12
PrimaryPackagePurpose: OPERATING-SYSTEM
PackageName: nginx
SPDXID: b
PackageVersion: 1.20.0
ExternalRef: SECURITY cpe23Type cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*
PackageName: golang.org/x/text
SPDXID: a
PackageVersion: v0.3.6
ExternalRef: PACKAGE-MANAGER purl ` + purlText + `
PackageName: openssl
SPDXID: c
PackageVersion: 3.0.9-1
ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/openssl@3.0.9-1?arch=amd64
PackageName: old
PackageVersion: 1
ExternalRef: OTHER swid swid:x
Relationship: SPDXRef-DOCUMENT DESCRIBES root
FileName: ./x
SPDXID: f
`,
	"SPDX 2 YAML": `spdxVersion: "SPDX-2.3"
documentNamespace: urn:uuid:1
documentDescribes: [root]
packages:
- {SPDXID: root, name: image, externalRefs: [{referenceType: purl, referenceLocator: "pkg:oci/image"}]}
- {SPDXID: os, name: debian, versionInfo: "12", primaryPackagePurpose: OPERATING_SYSTEM}
- {SPDXID: b, name: nginx, versionInfo: 1.20.0, externalRefs: [{referenceType: cpe23Type, referenceLocator: "cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"}]}
- {SPDXID: a, name: golang.org/x/text, versionInfo: v0.3.6, externalRefs: [{referenceType: purl, referenceLocator: "` + purlText + `"}]}
- {SPDXID: c, name: openssl, versionInfo: 3.0.9-1, externalRefs: [{referenceType: purl, referenceLocator: "pkg:deb/debian/openssl@3.0.9-1?arch=amd64"}]}
- {SPDXID: d, name: old, versionInfo: "1", externalRefs: [{referenceType: swid, referenceLocator: "swid:x"}]}
`,
	"SPDX 2 RDF": `<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:spdx="http://spdx.org/rdf/terms#">
<spdx:SpdxDocument rdf:about="urn:uuid:1#SPDXRef-DOCUMENT"><spdx:specVersion>SPDX-2.2</spdx:specVersion><spdx:name>doc</spdx:name>
<spdx:relationship><spdx:Relationship><spdx:relationshipType rdf:resource="http://spdx.org/rdf/terms#relationshipType_describes"/><spdx:relatedSpdxElement>
 <spdx:Package rdf:about="urn:uuid:1#root"><spdx:name>image</spdx:name>
  <spdx:externalRef><spdx:ExternalRef><spdx:referenceLocator>pkg:oci/image</spdx:referenceLocator><spdx:referenceType rdf:resource="http://spdx.org/rdf/references/purl"/></spdx:ExternalRef></spdx:externalRef>
  <spdx:relationship><spdx:Relationship><spdx:relatedSpdxElement><spdx:Package rdf:about="urn:uuid:1#a"><spdx:name>golang.org/x/text</spdx:name><spdx:versionInfo>v0.3.6</spdx:versionInfo>
   <spdx:externalRef><spdx:ExternalRef><spdx:referenceLocator>` + purlText + `</spdx:referenceLocator><spdx:referenceType rdf:resource="http://spdx.org/rdf/references/purl"/></spdx:ExternalRef></spdx:externalRef></spdx:Package></spdx:relatedSpdxElement></spdx:Relationship></spdx:relationship>
 </spdx:Package></spdx:relatedSpdxElement></spdx:Relationship></spdx:relationship></spdx:SpdxDocument>
<spdx:Package rdf:about="urn:uuid:1#os"><spdx:name>debian</spdx:name><spdx:versionInfo>12</spdx:versionInfo><spdx:primaryPackagePurpose rdf:resource="http://spdx.org/rdf/terms#purpose_operating_system"/></spdx:Package>
<spdx:Package rdf:about="urn:uuid:1#b"><spdx:name>nginx</spdx:name><spdx:versionInfo>1.20.0</spdx:versionInfo><spdx:externalRef><spdx:ExternalRef><spdx:referenceLocator>cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*</spdx:referenceLocator><spdx:referenceType rdf:resource="http://spdx.org/rdf/references/cpe23Type"/></spdx:ExternalRef></spdx:externalRef></spdx:Package>
<spdx:Package rdf:about="urn:uuid:1#c"><spdx:name>openssl</spdx:name><spdx:versionInfo>3.0.9-1</spdx:versionInfo><spdx:externalRef><spdx:ExternalRef><spdx:referenceLocator>pkg:deb/debian/openssl@3.0.9-1?arch=amd64</spdx:referenceLocator><spdx:referenceType rdf:resource="http://spdx.org/rdf/references/purl"/></spdx:ExternalRef></spdx:externalRef></spdx:Package>
<spdx:Package rdf:about="urn:uuid:1#d"><spdx:name>old</spdx:name><spdx:versionInfo>1</spdx:versionInfo><spdx:externalRef><spdx:ExternalRef><spdx:referenceLocator>swid:x</spdx:referenceLocator><spdx:referenceType rdf:resource="http://spdx.org/rdf/references/swid"/></spdx:ExternalRef></spdx:externalRef></spdx:Package>
</rdf:RDF>`,
	"SPDX 3": `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
{"type":"CreationInfo","@id":"_:c"},{"type":"SpdxDocument","spdxId":"urn:uuid:1","rootElement":["root"]},
{"type":"software_Package","spdxId":"root","name":"image","software_packageUrl":"pkg:oci/image"},
{"type":"software_Package","spdxId":"os","name":"debian","software_packageVersion":"12","software_primaryPurpose":"operatingSystem"},
{"type":"software_Package","spdxId":"b","name":"nginx","software_packageVersion":"1.20.0","externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"cpe23","identifier":"cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"}]},
{"type":"software_Package","spdxId":"a","name":"golang.org/x/text","software_packageVersion":"v0.3.6","externalIdentifier":[{"externalIdentifierType":"packageUrl","identifier":"` + purlText + `"}]},
{"type":"software_File","spdxId":"f","name":"x"},
{"type":"software_Package","spdxId":"c","name":"openssl","software_packageVersion":"3.0.9-1","software_packageUrl":"pkg:deb/debian/openssl@3.0.9-1?arch=amd64"},
{"type":"software_Package","spdxId":"d","name":"old","software_packageVersion":"1","externalIdentifier":[{"externalIdentifierType":"swid","identifier":"x"}]}]}`,
}

func TestParseSBOM(t *testing.T) {
	want := []Component{
		{Name: "golang.org/x/text", Version: "v0.3.6", Purl: purlText},
		{Name: "image", Purl: "pkg:oci/image"},
		{Name: "nginx", Version: "1.20.0", CPE: "cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"},
		{Name: "old", Version: "1"},
		{Name: "openssl", Version: "3.0.9-1", Purl: "pkg:deb/debian/openssl@3.0.9-1?arch=amd64", Distro: "debian-12"},
	}
	for form, text := range sboms {
		t.Run(form, func(t *testing.T) {
			s, err := ParseSBOM(strings.NewReader("\xef\xbb\xbf" + text))
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Clone(s.Components)
			if s.Subject.Name != "image" && form != "SPDX 2 RDF" {
				t.Errorf("subject %+v", s.Subject)
			}
			if strings.HasPrefix(form, "CycloneDX") {
				got = append(got, s.Subject) // it is in no list of components
			}
			slices.SortFunc(got, func(a, b Component) int { return strings.Compare(a.Name, b.Name) })
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if s.ID != "urn:uuid:1" || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "SWID") {
				t.Errorf("ID %q, notes %q", s.ID, s.Notes)
			}
			for ref, name := range map[string]string{"a": "golang.org/x/text", "b": "nginx", "c": "openssl"} {
				if at, ok := s.Refs[ref]; !ok || s.Components[at].Name != name {
					t.Errorf("reference %s: %d, %v", ref, at, ok)
				}
			}
		})
	}
}

func TestParseSBOMRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "not an SBOM"},
		{"hello", "not an SBOM"},
		{"{}", "not an SBOM"},
		{`{"bomFormat":"Other"}`, "not an SBOM"},
		{`<svg xmlns="http://www.w3.org/2000/svg"/>`, "not an SBOM"},
		{"name: x\n", "not an SBOM"},
		{"SPDXID: x\n", "not an SBOM"},
		{`{"bomFormat":"CycloneDX","components":[{]}`, "/components/0: offset 40: "},
		{`{"bomFormat":"CycloneDX","components":[{"name":"a"},{"name":{}}]}`, "/components/1/name: offset 61: an object where a string belongs"},
		{`{"bomFormat":"CycloneDX","components":{}}`, "/components: offset 39: an object where an array belongs"},
		{`{"bomFormat":"CycloneDX","components":[{"name":"a"}`, "offset 51: unexpected EOF"},
		{`{"bomFormat":"CycloneDX"} {}`, "text behind the end"},
		{`{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"},7]}`, "/packages/1: offset 52: a number where an object belongs"},
		{"<bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\">\n<components><component>", "line 2, column 24: XML syntax error on line 2: unexpected EOF"},
		{"<?xml version=\"1.0\" encoding=\"UTF-16\"?><bom/>", `charset "UTF-16" is not read`},
		{"SPDXVersion: SPDX-2.3\nPackageName: a\nExternalRef: purl\n", "line 3: ExternalRef: want category"},
		{"SPDXVersion: SPDX-2.3\nPackageName\n", "line 2: no tag"},
		{"SPDXVersion: SPDX-2.3\nDocumentComment: <text>a\nb\n", "<text> without an end"},
		{"spdxVersion: SPDX-2.3\npackages: {a\n", "line "},
	} {
		_, err := ParseSBOM(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
		if strings.Contains(c.want, "not an SBOM") != errors.Is(err, ErrSBOM) {
			t.Errorf("%.60q: %v: wraps ErrSBOM: %v", c.text, err, errors.Is(err, ErrSBOM))
		}
	}
}

func FuzzParseSBOM(f *testing.F) {
	for _, text := range sboms {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSBOM(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		seen := map[Component]bool{}
		for _, c := range s.Components {
			c.Distro = ""
			if seen[c] {
				t.Errorf("twice: %+v", c)
			}
			seen[c] = true
			componentQuestion(c)
		}
		for ref, at := range s.Refs {
			if at < -1 || at >= len(s.Components) {
				t.Errorf("reference %q: %d of %d", ref, at, len(s.Components))
			}
		}
	})
}

func TestMatchByDistroAndCPE(t *testing.T) {
	db := world(t, `
{"id":"DSA-1","affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.11-1"}]}]}]}
{"id":"DSA-2","affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.11-1"}]}]}]}
{"id":"CVE-2021-23017","database_specific":{"nvd":{"configurations":[{"nodes":[{"operator":"OR","cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*","versionStartIncluding":"0.6.18","versionEndExcluding":"1.20.1"}]}]}]}}}
`, "")
	nginx := "cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*"
	for _, c := range []struct {
		c    Component
		want string
		gap  string
	}{
		{c: Component{Name: "openssl", Version: "3.0.9-1", Purl: "pkg:deb/debian/openssl@3.0.9-1", Distro: "debian-12"}, want: "DSA-1"},
		{c: Component{Name: "openssl", Version: "3.0.9-1", Purl: "pkg:deb/openssl@3.0.9-1?arch=amd64", Distro: "debian-11"}, want: "DSA-2"},
		{c: Component{Name: "openssl", Version: "3.0.9-1", Purl: "pkg:deb/debian/openssl@3.0.9-1", Distro: "ubuntu-22.04"}, want: "DSA-2 DSA-1"},
		{c: Component{Name: "nginx", Version: "1.20.0", CPE: nginx}, want: "CVE-2021-23017"},
		{c: Component{Name: "nginx", Version: "1.20.1", CPE: nginx}},
		{c: Component{Name: "nginx", Version: "1.20.0", CPE: nginx, Purl: "pkg:generic/nginx@1.20.0"}, want: "CVE-2021-23017"},
		{c: Component{Name: "nginx", Version: "1.20.0", CPE: "cpe:nonsense"}, gap: "invalid CPE"},
		{c: Component{Name: "nginx", Version: "1.20.0", CPE: "cpe:2.3:a:*:*:1.20.0:*:*:*:*:*:*:*", Purl: "pkg:npm/nginx@1.20.0"}, gap: "no data of npm is held; cpe:2.3:a:*:*:1.20.0:*:*:*:*:*:*:*: vendor or product must be said"},
		{c: Component{Name: "nginx", Version: "1.20.0"}, gap: "no purl"},
	} {
		s, err := ScanComponents(db, []Component{c.c})
		if err != nil {
			t.Errorf("%+v: %v", c.c, err)
			continue
		}
		var ids []string
		for _, m := range s.Matches {
			for _, f := range m.Findings {
				ids = append(ids, f.ID)
			}
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.c, got, c.want)
		}
		if c.gap == "" && len(s.Gaps) > 0 || c.gap != "" && (len(s.Gaps) != 1 || !strings.Contains(s.Gaps[0].Reason, c.gap)) {
			t.Errorf("%+v: gaps %+v, want %q", c.c, s.Gaps, c.gap)
		}
	}
}

// BenchmarkParseSBOM reads documents of 5,000 components in each streamed form.
func BenchmarkParseSBOM(b *testing.B) {
	for _, form := range []string{"CycloneDX JSON", "SPDX 2 JSON", "SPDX 2 tag-value"} {
		text := largeSBOM(form, 5000)
		b.Run(form, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := ParseSBOM(strings.NewReader(text))
				if err != nil || len(s.Components) != 5000 {
					b.Fatal(len(s.Components), err)
				}
			}
		})
	}
}

// largeSBOM has n components, each with licences and relations that are of no
// use here, as tools write them.
func largeSBOM(form string, n int) string {
	var s strings.Builder
	parts := map[string][3]string{
		"CycloneDX JSON": {`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"file","name":"f"}`,
			`,{"bom-ref":"r%[1]d","type":"library","name":"p%[1]d","version":"1.%[1]d","licenses":[{"license":{"id":"MIT"}}],"purl":"pkg:npm/p%[1]d@1.%[1]d","properties":[{"name":"syft:location:0:path","value":"/a/b/c/%[1]d"}]}`, `]}`},
		"SPDX 2 JSON": {`{"spdxVersion":"SPDX-2.3","relationships":[],"packages":[{"name":"f","primaryPackagePurpose":"FILE"}`,
			`,{"SPDXID":"r%[1]d","name":"p%[1]d","versionInfo":"1.%[1]d","licenseConcluded":"MIT","checksums":[{"algorithm":"SHA1","checksumValue":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}],"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/p%[1]d@1.%[1]d"}]}`, `]}`},
		"SPDX 2 tag-value": {"SPDXVersion: SPDX-2.3\n", "PackageName: p%[1]d\nSPDXID: r%[1]d\nPackageVersion: 1.%[1]d\nPackageLicenseConcluded: MIT\nExternalRef: PACKAGE-MANAGER purl pkg:npm/p%[1]d@1.%[1]d\n", ""},
	}[form]
	s.WriteString(parts[0])
	for i := range n {
		fmt.Fprintf(&s, parts[1], i)
	}
	s.WriteString(parts[2])
	return s.String()
}

// TestParseSBOMBounded holds that what is not used of a document is not held:
// 64 MiB of a member that no answer needs, with little memory.
func TestParseSBOMBounded(t *testing.T) {
	filler := strings.Repeat(`{"ref":"a","dependsOn":["b","c"]},`, 1000)
	list := []io.Reader{strings.NewReader(`{"bomFormat":"CycloneDX","dependencies":[`)}
	for range 64 << 20 / len(filler) {
		list = append(list, strings.NewReader(filler))
	}
	list = append(list, strings.NewReader(`{}],"components":[{"type":"library","name":"x"}]}`))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := ParseSBOM(io.MultiReader(list...))
	runtime.ReadMemStats(&after)
	if err != nil || len(s.Components) != 1 {
		t.Fatal(s, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

// TestParseSBOMTooLarge ends where a document goes on for ever.
func TestParseSBOMTooLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 512 MiB")
	}
	_, err := ParseSBOM(io.MultiReader(strings.NewReader(`{"bomFormat":"CycloneDX","x":[0`), &endless{text: `,{"a":"` + strings.Repeat("x", 4000) + `"}`}))
	if !errors.Is(err, ErrSBOM) || !strings.Contains(err.Error(), "over 536870912 bytes") {
		t.Error(err)
	}
}

// endless repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}
