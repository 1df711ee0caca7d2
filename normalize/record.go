package normalize

import "github.com/go-json-experiment/json/jsontext"

// A Record is one OSV record: the lean form of osvschema.Vulnerability that
// everything in advdb works on. Times are RFC 3339 strings as upstream wrote
// them; members that OSV does not define are kept in Extra.
//
// Fields are in the order of their JSON names, which makes the encoding
// canonical (RFC 8785) without a sort; a test holds the order.
//
// Source: the OSV schema, https://ossf.github.io/osv-schema/.
type Record struct {
	Affected         []Affected     `json:"affected,omitempty"`
	Aliases          []string       `json:"aliases,omitempty"`
	Credits          []Credit       `json:"credits,omitempty"`
	DatabaseSpecific jsontext.Value `json:"database_specific,omitzero"`
	Details          string         `json:"details,omitempty"`
	ID               string         `json:"id"`
	Modified         string         `json:"modified,omitempty"`
	Published        string         `json:"published,omitempty"`
	References       []Reference    `json:"references,omitempty"`
	Related          []string       `json:"related,omitempty"`
	SchemaVersion    string         `json:"schema_version,omitempty"`
	Severity         []Severity     `json:"severity,omitempty"`
	Summary          string         `json:"summary,omitempty"`
	Upstream         []string       `json:"upstream,omitempty"`
	Withdrawn        string         `json:"withdrawn,omitempty"`
	Extra            jsontext.Value `json:",embed"`
}

// Affected is one entry of affected[].
type Affected struct {
	DatabaseSpecific  jsontext.Value `json:"database_specific,omitzero"`
	EcosystemSpecific jsontext.Value `json:"ecosystem_specific,omitzero"`
	Package           Package        `json:"package,omitzero"`
	Ranges            []Range        `json:"ranges,omitempty"`
	Severity          []Severity     `json:"severity,omitempty"`
	Versions          []string       `json:"versions,omitempty"`
	Extra             jsontext.Value `json:",embed"`
}

// Package names a package; the zero Package is absent (a GIT-only entry).
type Package struct {
	Ecosystem string         `json:"ecosystem"`
	Name      string         `json:"name"`
	Purl      string         `json:"purl,omitempty"`
	Extra     jsontext.Value `json:",embed"`
}

// IsZero reports whether p is absent.
func (p Package) IsZero() bool {
	return p.Ecosystem == "" && p.Name == "" && p.Purl == "" && len(p.Extra) == 0
}

// Range types of OSV.
const (
	Git       = "GIT"
	Semver    = "SEMVER"
	Ecosystem = "ECOSYSTEM"
)

// Range is one entry of ranges[]: events in one order of versions.
type Range struct {
	DatabaseSpecific jsontext.Value `json:"database_specific,omitzero"`
	Events           []Event        `json:"events"`
	Repo             string         `json:"repo,omitempty"`
	Type             string         `json:"type"`
	Extra            jsontext.Value `json:",embed"`
}

// Event is one entry of events[]; exactly one member of it is set.
type Event struct {
	Fixed        string         `json:"fixed,omitempty"`
	Introduced   string         `json:"introduced,omitempty"`
	LastAffected string         `json:"last_affected,omitempty"`
	Limit        string         `json:"limit,omitempty"`
	Extra        jsontext.Value `json:",embed"`
}

// Severity is one score; Score is a CVSS vector, or for Type "Ubuntu" and
// the like the vendor's word.
type Severity struct {
	Score string         `json:"score"`
	Type  string         `json:"type"`
	Extra jsontext.Value `json:",embed"`
}

// Reference is one link; Type is one of the schema's (ADVISORY, FIX, WEB, …).
type Reference struct {
	Type  string         `json:"type"`
	URL   string         `json:"url"`
	Extra jsontext.Value `json:",embed"`
}

// Credit is one credited person or organization.
type Credit struct {
	Contact []string       `json:"contact,omitempty"`
	Name    string         `json:"name"`
	Type    string         `json:"type,omitempty"`
	Extra   jsontext.Value `json:",embed"`
}
