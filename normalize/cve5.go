package normalize

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// CVEList reads one record of the CVE List, in format 5.0 to 5.2: what the
// assigning CNA and the ADPs say of one CVE.
//
// An affected product becomes an entry of affected[] only where the record
// itself names a package (a package URL, or a collection that is an ecosystem's
// registry), the Linux kernel, or a repository with commits. All other products
// stand in database_specific.cve.affected with their ranges: a vendor and a
// product name no package. The status of versions is computed as the format
// defines it, see [cveProduct].
//
// The record of a rejected CVE is withdrawn on its dateRejected, else its
// dateUpdated. CVSS is taken from the CNA, else from an ADP, version 4 before
// 3.1 before 3.0, and version 2 only where there is no other. Only the English
// description is kept.
//
// Source: https://github.com/CVEProject/cve-schema, 5.2.0.
func CVEList(d Doc, emit func(*Record) error) error {
	return cveDocument(d, emit, func(r *cveRecord) []cveContainer {
		return append([]cveContainer{r.Containers.CNA}, r.Containers.ADP...)
	})
}

// Vulnrichment reads one record of CISA's Vulnrichment: the CVE record with
// CISA's own container. Only that container is read, with its own dateUpdated, the rest
// is the CVE List's; its SSVC decision is for [SSVC]. A record without one is no error
// and says nothing.
//
// Source: https://github.com/cisagov/vulnrichment.
func Vulnrichment(d Doc, emit func(*Record) error) error {
	return cveDocument(d, emit, func(r *cveRecord) []cveContainer {
		for _, c := range r.Containers.ADP {
			if c.Provider.ShortName == cisaADP {
				return []cveContainer{c}
			}
		}
		return nil
	})
}

const cisaADP = "CISA-ADP"

// cveDocument reads a record and emits what the chosen containers say.
func cveDocument(d Doc, emit func(*Record) error, choose func(*cveRecord) []cveContainer) error {
	c, err := readCVE(d)
	if err != nil {
		return err
	}
	containers := choose(c)
	if len(containers) == 0 {
		return nil
	}
	r, err := c.record(containers)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Meta.ID, err)
	}
	return emit(r)
}

// readCVE reads a document that is one CVE record.
func readCVE(d Doc) (*cveRecord, error) {
	data, err := readText(d.Body)
	if err != nil {
		return nil, err
	}
	c := new(cveRecord)
	if err := json.Unmarshal(data, c, decodeOptions); err != nil {
		return nil, placed(err)
	}
	if !isCVE(c.Meta.ID) {
		return nil, fmt.Errorf("cveMetadata/cveId: %q: %w", c.Meta.ID, ErrNoID)
	}
	return c, nil
}

type cveRecord struct {
	Meta       cveMeta `json:"cveMetadata"`
	Containers struct {
		CNA cveContainer   `json:"cna"`
		ADP []cveContainer `json:"adp"`
	} `json:"containers"`
}

type cveMeta struct {
	ID        string `json:"cveId"`
	State     string `json:"state"`
	Assigner  string `json:"assignerShortName"`
	Published string `json:"datePublished"`
	Updated   string `json:"dateUpdated"`
	Rejected  string `json:"dateRejected"`
}

// A cveContainer is what one CNA or ADP says. Its text members may stand in
// any language.
type cveContainer struct {
	Provider struct {
		ShortName string `json:"shortName"`
		Updated   string `json:"dateUpdated"`
	} `json:"providerMetadata"`
	Title        string         `json:"title"`
	Descriptions []nvdText      `json:"descriptions"`
	Reasons      []nvdText      `json:"rejectedReasons"`
	ReplacedBy   []string       `json:"replacedBy"`
	Affected     []cveProduct   `json:"affected"`
	References   []nvdReference `json:"references"`
	Problems     []struct {
		Descriptions []struct {
			CWE string `json:"cweId"`
		} `json:"descriptions"`
	} `json:"problemTypes"`
	Metrics       []cveMetric    `json:"metrics"`
	Credits       []cveCredit    `json:"credits"`
	Tags          []string       `json:"tags"`
	Applicability jsontext.Value `json:"cpeApplicability"`
}

type cveCredit struct {
	Value string `json:"value"`
	Type  string `json:"type"`
}

// record makes the OSV record of what containers say.
func (c *cveRecord) record(containers []cveContainer) (*Record, error) {
	r := &Record{
		ID:        c.Meta.ID,
		Published: cveTime(c.Meta.Published),
		Modified:  cveTime(c.Meta.Updated),
		Severity:  cveSeverity(containers),
	}
	if c.Meta.State == "REJECTED" {
		r.Withdrawn = firstNonEmpty(cveTime(c.Meta.Rejected), r.Modified)
	}
	say := cveSpecific{Assigner: c.Meta.Assigner}
	var cwes []string
	for i := range containers {
		k := &containers[i]
		switch own := cveTime(k.Provider.Updated); {
		case i == 0 && k.Provider.ShortName != cisaADP:
			r.Summary, r.Details = k.Title, firstNonEmpty(english(k.Descriptions), english(k.Reasons))
		case i == 0 && own != "":
			r.Modified = own
		}
		cwes = append(cwes, k.cwes()...)
		r.References = addReferences(r.References, k.References)
		for _, p := range k.Credits {
			if name := strings.TrimSpace(p.Value); name != "" {
				r.Credits = append(r.Credits, Credit{Name: name, Type: cveCreditType(p.Type)})
			}
		}
		say.add(k)
		if err := c.affected(r, &say, k); err != nil {
			return nil, err
		}
	}
	var err error
	r.DatabaseSpecific, err = json.Marshal(struct {
		CVE  *cveSpecific `json:"cve"`
		CWEs []string     `json:"cwe_ids,omitempty"`
	}{&say, set(cwes)}, encodeOptions)
	return r, err
}

// cveSpecific is what OSV has no member for.
type cveSpecific struct {
	Affected      []cveStatuses             `json:"affected,omitempty"`
	Applicability map[string]jsontext.Value `json:"applicability,omitempty"` // CPE conditions, by container
	Assigner      string                    `json:"assigner,omitempty"`
	ReplacedBy    []string                  `json:"replaced_by,omitempty"`
	Tags          []string                  `json:"tags,omitempty"` // "disputed", "unsupported-when-assigned"…
}

func (s *cveSpecific) add(k *cveContainer) {
	s.Tags = set(append(s.Tags, k.Tags...))
	s.ReplacedBy = set(append(s.ReplacedBy, k.ReplacedBy...))
	if !isEmptyJSON(k.Applicability) {
		if s.Applicability == nil {
			s.Applicability = map[string]jsontext.Value{}
		}
		s.Applicability[k.Provider.ShortName] = k.Applicability
	}
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// english returns the first text in English.
func english(texts []nvdText) string {
	for _, t := range texts {
		if strings.HasPrefix(strings.ToLower(t.Lang), "en") {
			return t.Value
		}
	}
	return ""
}

func (k *cveContainer) cwes() []string {
	var ids []string
	for _, p := range k.Problems {
		for _, d := range p.Descriptions {
			if strings.HasPrefix(d.CWE, "CWE-") {
				ids = append(ids, d.CWE)
			}
		}
	}
	return ids
}

// cveTime reads a time of the CVE List, which until 2024 often lacks the zone
// (UTC) and has up to six digits of fraction. What is none is left out.
func cveTime(s string) string {
	t, _ := nvdTime(strings.TrimSpace(s))
	return t
}

// cveReferenceTypes maps the tags of cve-schema to OSV's types, where they
// say more than WEB.
var cveReferenceTypes = map[string]string{
	"patch": "FIX", "vendor-advisory": "ADVISORY", "third-party-advisory": "ADVISORY", "exploit": "EVIDENCE",
	"issue-tracking": "REPORT", "mailing-list": "DISCUSSION", "technical-description": "ARTICLE",
}

// addReferences adds what is not there yet, by URL.
func addReferences(have []Reference, more []nvdReference) []Reference {
	for _, m := range more {
		ref := Reference{Type: "WEB", URL: strings.TrimSpace(m.URL)}
		for _, tag := range m.Tags {
			if t := cveReferenceTypes[tag]; t != "" {
				ref.Type = t
				break
			}
		}
		known := ref.URL == ""
		for i := range have {
			known = known || have[i].URL == ref.URL
		}
		if !known {
			have = append(have, ref)
		}
	}
	return have
}

// cveCreditType maps the types of cve-schema to OSV's, which have the same
// names.
func cveCreditType(t string) string {
	t = strings.ToUpper(strings.ReplaceAll(t, " ", "_"))
	if !creditTypes[t] {
		return ""
	}
	return t
}
