package normalize

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// OracleOVAL reads Oracle's OVAL: com.oracle.elsa-all.xml, a year of it, or
// one advisory. Each definition is an advisory (ELSA-2023-12342).
//
// Each package of each release ("Oracle Linux:8") is an entry with the version
// that fixes it, epoch and all. ecosystem_specific has the architectures
// ("arch"; absent where all are meant) and the module stream ("module",
// "virt:kvm_utils"). Builds of a flavour, Ksplice or FIPS, are packages of
// their own under the same names: they stand under an ecosystem of their own
// ("Oracle Linux:8:ksplice"), also named by ecosystem_specific.flavour, so
// that their fixed versions are never held against a plain package.
//
// Excerpts of the feed go about without tests: what a comment says is then
// taken for the test, and reported.
//
// A record comes in two pieces: what the definition says, and, when the tests
// have been read, its affected entries.
func OracleOVAL(d Doc, emit func(*Record) error) error {
	o := &oracleOVAL{doc: d, emit: emit, about: map[string]oracleAbout{}}
	content, err := readOVAL(d.Body, o.define)
	if err != nil {
		return err
	}
	content.byComment = rpmComment
	for i := range content.definitions {
		if err := o.affected(content, &content.definitions[i]); err != nil {
			return err
		}
	}
	return nil
}

type oracleOVAL struct {
	doc   Doc
	emit  func(*Record) error
	about map[string]oracleAbout
}

// oracleAbout is what an advisory says of all its packages.
type oracleAbout struct {
	platforms []string
	flavour   string // that its CPEs name
}

func (o *oracleOVAL) report(place, rule, message string) {
	o.doc.report(Finding{Place: place, Rule: rule, Message: message})
}

var (
	oracleID     = lazyregexp.New(`^[A-Z]{4,8}-\d{4}-\d{1,9}(-\d+)?$`)
	oracleRating = lazyregexp.New(`\s*\(([A-Za-z/ ]+)\)$`)
)

// define emits the first piece of a record.
func (o *oracleOVAL) define(m *ovalMetadata) (string, error) {
	r := &Record{Details: m.Description}
	for _, ref := range m.References {
		switch {
		case oracleID.MatchString(ref.ID) && !isCVE(ref.ID):
			if r.ID == "" {
				r.ID = ref.ID
			}
			r.References = append(r.References, Reference{Type: "ADVISORY", URL: ref.URL})
		case isCVE(ref.ID):
			r.Upstream = addOnce(r.Upstream, ref.ID)
			r.References = append(r.References, Reference{Type: "WEB", URL: ref.URL})
		}
	}
	title, rest, _ := strings.Cut(strings.TrimSpace(m.Title), ":")
	if r.ID == "" && oracleID.MatchString(title) {
		r.ID = title
	}
	if r.ID == "" {
		o.report(m.ID, "bad-id", fmt.Sprintf("no advisory's ID, title %.60q", m.Title))
		return "", nil
	}
	r.Summary = strings.Join(strings.Fields(oracleRating.ReplaceAllString(rest, "")), " ")
	if day, err := time.Parse(time.DateOnly, m.Issued); err == nil {
		r.Published = day.Format(time.RFC3339)
	} else if m.Issued != "" {
		o.report(r.ID, "bad-time", fmt.Sprintf("issued: %q", m.Issued))
	}
	if err := o.score(r, m); err != nil {
		return "", err
	}
	o.about[r.ID] = oracleAbout{platforms: m.Platforms, flavour: oracleCPEFlavour(m.CPEs)}
	return r.ID, o.emit(r)
}

// oracleCVE is a CVE as database_specific.oracle.cves keeps it, with scores
// as Oracle writes them.
type oracleCVE struct {
	CVSS2  string `json:"cvss2,omitempty"`
	CVSS3  string `json:"cvss3,omitempty"`
	ID     string `json:"id"`
	Public string `json:"public,omitempty"`
}

// score notes the advisory's CVEs and, as its severity, the vector with the
// highest score.
func (o *oracleOVAL) score(r *Record, m *ovalMetadata) error {
	var cves []oracleCVE
	best, top := Severity{}, -1.0
	for _, c := range m.CVEs {
		if !isCVE(c.ID) {
			o.report(r.ID, "bad-id", fmt.Sprintf("%q is no CVE ID", c.ID))
			continue
		}
		r.Upstream = addOnce(r.Upstream, c.ID)
		if c.CVSS2 != "" || c.CVSS3 != "" || c.Public != "" {
			cves = append(cves, oracleCVE{c.CVSS2, c.CVSS3, c.ID, c.Public})
		}
		s, score, err := oracleScore(c)
		if err != nil {
			o.report(r.ID, "bad-cvss", fmt.Sprintf("%s: %v", c.ID, err))
		}
		if newer := s.Type == "CVSS_V3" && best.Type != "CVSS_V3"; s.Type != "" && (newer || best.Type == "" || s.Type == best.Type && score > top) {
			best, top = s, score
		}
	}
	if best.Type != "" {
		r.Severity = []Severity{best}
	}
	oracle := map[string]any{}
	if len(cves) > 0 {
		oracle["cves"] = cves
	}
	if len(m.CPEs) > 0 {
		oracle["cpes"] = m.CPEs
	}
	all := map[string]any{}
	if len(oracle) > 0 {
		all["oracle"] = oracle
	}
	if m.Severity != "" {
		all["severity"] = m.Severity
	}
	if len(all) == 0 {
		return nil
	}
	return r.SetSpecific(all)
}

var (
	cvss2Vector = lazyregexp.New(`^AV:[LAN]/AC:[HML]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]$`)
	cvss3Vector = lazyregexp.New(`^CVSS:3\.[01]/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[NLH]/I:[NLH]/A:[NLH]$`)
)

// oracleScore reads "5.5/CVSS:3.1/AV:…", or a score of CVSS 2 where there is
// none of 3. Its error names a score that is not well formed; the other
// version may still be.
func oracleScore(c ovalCVE) (s Severity, score float64, err error) {
	for _, kind := range []struct {
		osv, text string
		valid     *lazyregexp.Regexp
	}{{"CVSS_V3", c.CVSS3, cvss3Vector}, {"CVSS_V2", c.CVSS2, cvss2Vector}} {
		if kind.text == "" {
			continue
		}
		number, vector, _ := strings.Cut(kind.text, "/")
		n, bad := strconv.ParseFloat(number, 64)
		if bad != nil || n < 0 || n > 10 || !kind.valid.MatchString(vector) {
			err = cmp.Or(err, fmt.Errorf("%q", kind.text))
			continue
		}
		if s.Type == "" {
			s, score = Severity{Type: kind.osv, Score: vector}, n
		}
	}
	return s, score, err
}

// oracleCPEFlavour returns the flavour that all CPEs of Oracle Linux agree
// on, by their edition.
func oracleCPEFlavour(cpes []string) string {
	found := ""
	for _, c := range cpes {
		if !strings.HasPrefix(c, "cpe:/a:oracle:linux:") {
			continue
		}
		f := oracleFlavour(c[strings.LastIndexByte(c, ':')+1:])
		if f == "" || found != "" && f != found {
			return ""
		}
		found = f
	}
	return found
}

// oracleFlavour finds a flavour in a version ("1.1.1g-15.ksplice1.el8_3",
// "3.6.16-5.el8_6_fips"), in a pattern on one, or in a CPE's edition.
func oracleFlavour(s string) string {
	switch s = strings.ToLower(s); {
	case strings.Contains(s, "ksplice"):
		return "ksplice"
	case strings.Contains(s, "fips"):
		return "fips"
	}
	return ""
}
