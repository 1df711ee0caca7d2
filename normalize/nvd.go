package normalize

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// NVD reads what NVD serves in schema 2.0: a yearly or modified feed, a page
// of the API, or one entry {"cve": …}.
//
// Each record has the CVE's ID and no affected[]: NVD names CPEs, not
// packages. The configurations stand whole in database_specific.nvd, for
// package cpe to evaluate, beside vulnStatus, source, the CVSS scores of all
// sources ("cvss") and every member that this parser does not know. Only the
// English description is kept. Times of NVD without a zone are UTC.
//
// Source: https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema.
func NVD(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	p := &nvdFeed{doc: d, emit: emit, dec: jsontext.NewDecoder(body, decodeOptions)}
	if err := eachMember(p.dec, p.member); err != nil {
		return err
	}
	if err := atEnd(p.dec); err != nil {
		return err
	}
	if !p.seen {
		return fmt.Errorf("vulnerabilities: missing")
	}
	return nil
}

type nvdFeed struct {
	doc  Doc
	emit func(*Record) error
	dec  *jsontext.Decoder
	seen bool // entries were there, be it none
}

func (p *nvdFeed) member(name string) error {
	switch name {
	case "vulnerabilities":
		p.seen = true
		return p.entries()
	case "cve":
		p.seen = true
		v, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		return p.entry(v, "cve")
	case "CVE_Items":
		return placedAt(p.dec.InputOffset(), "/CVE_Items", fmt.Errorf("the retired schema 1.1"))
	}
	return p.dec.SkipValue()
}

func (p *nvdFeed) entries() error {
	if k := p.dec.PeekKind(); k != '[' {
		return wrongKind(p.dec, "array")
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for i := 0; p.dec.PeekKind() != ']'; i++ {
		v, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		var wrap struct {
			CVE jsontext.Value `json:"cve"`
		}
		place := fmt.Sprintf("vulnerabilities/%d", i)
		if err := json.Unmarshal(v, &wrap, decodeOptions); err != nil {
			p.report(place, "unreadable-entry", placed(err).Error())
			continue
		}
		if err := p.entry(wrap.CVE, place); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

func (p *nvdFeed) report(place, rule, message string) {
	p.doc.report(Finding{Place: place, Rule: rule, Message: message})
}

// entry emits the record of one cve; its errors are emit's.
func (p *nvdFeed) entry(v jsontext.Value, place string) error {
	var c nvdCVE
	if err := json.Unmarshal(v, &c, decodeOptions); err != nil {
		if c.ID != "" {
			place = c.ID
		}
		p.report(place, "unreadable-entry", placed(err).Error())
		return nil
	}
	if !isCVE(c.ID) {
		p.report(place, "bad-id", fmt.Sprintf("%q is no CVE ID", c.ID))
		return nil
	}
	r, err := c.record(func(rule, message string) { p.report(c.ID, rule, message) })
	if err != nil {
		p.report(c.ID, "unreadable-entry", placed(err).Error())
		return nil
	}
	return p.emit(r)
}

// nvdCVE is one cve of schema 2.0.
type nvdCVE struct {
	ID               string                    `json:"id"`
	SourceIdentifier string                    `json:"sourceIdentifier"`
	Published        string                    `json:"published"`
	LastModified     string                    `json:"lastModified"`
	VulnStatus       string                    `json:"vulnStatus"`
	Descriptions     []nvdText                 `json:"descriptions"`
	Metrics          map[string]jsontext.Value `json:"metrics"`
	Weaknesses       []nvdWeakness             `json:"weaknesses"`
	Configurations   jsontext.Value            `json:"configurations"`
	References       []nvdReference            `json:"references"`
	Rest             map[string]jsontext.Value `json:",embed"`
}

type nvdText struct {
	Lang  string `json:"lang"`
	Value string `json:"value"`
}

type nvdWeakness struct {
	Description []nvdText `json:"description"`
}

type nvdReference struct {
	URL  string   `json:"url"`
	Tags []string `json:"tags"`
}

func (c *nvdCVE) record(report func(rule, message string)) (*Record, error) {
	r := &Record{ID: c.ID, Details: c.description(), References: c.references()}
	stamp := func(member, s string) string {
		t, ok := nvdTime(s)
		if !ok && s != "" {
			report("bad-time", fmt.Sprintf("%s: %q", member, s))
		}
		return t
	}
	r.Published, r.Modified = stamp("published", c.Published), stamp("lastModified", c.LastModified)
	if c.VulnStatus == "Rejected" {
		r.Withdrawn = r.Modified
	}
	scores, others := c.scores()
	r.Severity = severities(scores)
	var err error
	r.DatabaseSpecific, err = json.Marshal(struct {
		CWEs []string       `json:"cwe_ids,omitempty"`
		NVD  map[string]any `json:"nvd"`
	}{c.weaknesses(), c.specific(scores, others)}, encodeOptions, json.Deterministic(true))
	return r, err
}

// specific returns what OSV has no member for.
func (c *nvdCVE) specific(scores []nvdScore, others map[string]jsontext.Value) map[string]any {
	m := map[string]any{}
	for name, v := range c.Rest {
		if !isEmptyJSON(v) {
			m[name] = v
		}
	}
	if !isEmptyJSON(c.Configurations) {
		m["configurations"] = c.Configurations
	}
	if len(scores) > 0 {
		m["cvss"] = scores
	}
	if len(others) > 0 {
		m["metrics"] = others
	}
	if c.SourceIdentifier != "" {
		m["source"] = c.SourceIdentifier
	}
	if c.VulnStatus != "" {
		m["vulnStatus"] = c.VulnStatus
	}
	return m
}

// isEmptyJSON reports whether v is absent, null, [] or {}.
func isEmptyJSON(v jsontext.Value) bool {
	switch strings.Join(strings.Fields(string(v[:min(len(v), 16)])), "") {
	case "", "null", "[]", "{}":
		return true
	}
	return false
}

func (c *nvdCVE) description() string {
	for _, d := range c.Descriptions {
		if d.Lang == "en" || strings.HasPrefix(d.Lang, "en-") {
			return d.Value
		}
	}
	return ""
}

// weaknesses returns the CWE IDs; NVD-CWE-noinfo and NVD-CWE-Other are none.
func (c *nvdCVE) weaknesses() []string {
	var ids []string
	for _, w := range c.Weaknesses {
		for _, d := range w.Description {
			if strings.HasPrefix(d.Value, "CWE-") {
				ids = append(ids, d.Value)
			}
		}
	}
	return set(ids)
}

// references returns each URL once, in NVD's order, with the type that its
// tags in all occurrences say.
func (c *nvdCVE) references() []Reference {
	var out []Reference
	at := make(map[string]int, len(c.References))
	for _, ref := range c.References {
		if ref.URL == "" {
			continue
		}
		i, ok := at[ref.URL]
		if !ok {
			i = len(out)
			at[ref.URL] = i
			out = append(out, Reference{Type: "WEB", URL: ref.URL})
		}
		if t := nvdReferenceType(ref.Tags); nvdReferenceRank[t] > nvdReferenceRank[out[i].Type] {
			out[i].Type = t
		}
	}
	return out
}

var nvdReferenceRank = map[string]int{"WEB": 0, "EVIDENCE": 1, "ADVISORY": 2, "FIX": 3}

// nvdReferenceType maps NVD's tags (https://nvd.nist.gov/vuln/vulnerability-detail-pages)
// to OSV's types.
func nvdReferenceType(tags []string) string {
	best := "WEB"
	for _, tag := range tags {
		t := "WEB"
		switch tag {
		case "Patch":
			t = "FIX"
		case "Vendor Advisory":
			t = "ADVISORY"
		case "Exploit":
			t = "EVIDENCE"
		}
		if nvdReferenceRank[t] > nvdReferenceRank[best] {
			best = t
		}
	}
	return best
}

// nvdTime reads a time of NVD, which is UTC where it names no zone, and
// writes it as OSV wants it. Fractions keep their digits.
func nvdTime(s string) (string, bool) {
	if _, err := time.Parse(time.RFC3339Nano, s+"Z"); err == nil {
		return s + "Z", true
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return "", false
	}
	if strings.HasSuffix(s, "Z") {
		return s, true
	}
	return t.UTC().Format(time.RFC3339Nano), true
}
