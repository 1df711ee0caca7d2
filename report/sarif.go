package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json/jsontext"
)

// Members of SARIF that are written here.
//
// Source: OASIS SARIF 2.1.0 (errata 01), sections in the comments; GitHub's
// "SARIF support for code scanning" for the properties of rules.
type (
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}

	// sarifRule is a reportingDescriptor (§3.49), one a vulnerability.
	sarifRule struct {
		ID         string          `json:"id"`
		Short      sarifText       `json:"shortDescription"`
		Full       sarifText       `json:"fullDescription"`
		HelpURI    string          `json:"helpUri,omitempty"`
		Help       sarifText       `json:"help"`
		Default    sarifLevel      `json:"defaultConfiguration"`
		Properties sarifRuleDetail `json:"properties"`
	}

	sarifLevel struct {
		Level string `json:"level"`
	}

	sarifRuleDetail struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity,omitempty"` // 0.0 to 10.0
	}

	// sarifResult is a result (§3.27), one a vulnerability of a component.
	sarifResult struct {
		RuleID       string              `json:"ruleId"`
		RuleIndex    int                 `json:"ruleIndex"`
		Kind         string              `json:"kind"`
		Level        string              `json:"level"`
		Message      sarifText           `json:"message"`
		Locations    []sarifLocation     `json:"locations"`
		Fingerprints map[string]string   `json:"partialFingerprints"`
		Suppressions *[]sarifSuppression `json:"suppressions,omitzero"` // of all results or of none (§3.27.23)
		Properties   map[string]any      `json:"properties,omitempty"`
	}

	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}

	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}

	sarifArtifact struct {
		URI string `json:"uri"`
	}

	sarifRegion struct {
		StartLine int `json:"startLine"`
	}

	sarifLogical struct {
		Name string `json:"name"`
		Full string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}

	// sarifSuppression is one outside of the scanned file (§3.35).
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}

	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}

	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		End           string              `json:"endTimeUtc"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}

	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Home    string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF writes a report as a SARIF log of one run: a rule is a vulnerability,
// a result one of a component, at the SBOM's file and the component's purl.
// What could not be matched are notifications.
//
// A result's fingerprint is of the vulnerability and the package without its
// version: it stays while the package is there and is affected.
func SARIF(w io.Writer, r *Report) error {
	return writeJSON(w, func(enc *jsontext.Encoder) error {
		s := sarif{Report: r, enc: enc, index: map[string]int{}, prints: map[string]int{}}
		return s.write()
	})
}

type sarif struct {
	*Report
	enc      *jsontext.Encoder
	rules    []sarifRule
	index    map[string]int // vulnerability → index in rules
	prints   map[string]int // fingerprint → results that have it
	suppress bool           // one of the results is suppressed
}

func (s *sarif) write() error {
	s.collect()
	enc := s.enc
	enc.WriteToken(jsontext.BeginObject)
	if err := member(enc, "$schema", sarifSchema); err != nil {
		return err
	}
	if err := member(enc, "version", "2.1.0"); err != nil {
		return err
	}
	if err := list(enc, "runs", s.run); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (s *sarif) run() error {
	enc := s.enc
	enc.WriteToken(jsontext.BeginObject)
	if err := member(enc, "tool", map[string]any{"driver": sarifDriver{"advdb", s.Version, home, s.rules}}); err != nil {
		return err
	}
	invocation := sarifInvocation{true, s.Time.UTC().Format("2006-01-02T15:04:05Z"), s.notifications()}
	if err := member(enc, "invocations", []sarifInvocation{invocation}); err != nil {
		return err
	}
	if err := member(enc, "columnKind", "utf16CodeUnits"); err != nil {
		return err
	}
	if err := list(enc, "results", s.results); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

// collect makes the rules, in the order of their IDs.
func (s *sarif) collect() {
	s.rules = []sarifRule{}
	of := map[string]*query.Vulnerability{}
	for i := range s.Found {
		for j := range s.Found[i].Vulnerabilities {
			v := &s.Found[i].Vulnerabilities[j]
			s.suppress = s.suppress || v.Suppressed != nil
			if old := of[v.ID]; old == nil || v.Severity.Score > old.Severity.Score {
				of[v.ID] = v
			}
		}
	}
	ids := make([]string, 0, len(of))
	for id := range of {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		s.index[id] = i
		s.rules = append(s.rules, newRule(of[id]))
	}
}

func newRule(v *query.Vulnerability) sarifRule {
	_, at := page(v.ID)
	rule := sarifRule{ID: v.ID, Short: sarifText{Text: v.ID + ": " + summary(v)}, Full: sarifText{Text: summary(v)}, HelpURI: at,
		Default: sarifLevel{level(v.Severity.Rating)}, Properties: sarifRuleDetail{Tags: []string{"security", "vulnerability"}, Severity: securitySeverity(v.Severity)}}
	for _, cwe := range v.CWEs {
		rule.Properties.Tags = append(rule.Properties.Tags, "external/cwe/"+strings.ToLower(cwe))
	}
	if len(rule.Properties.Tags) > 20 { // GitHub refuses more
		rule.Properties.Tags = rule.Properties.Tags[:20]
	}
	rule.Help = help(v)
	return rule
}

// help says what is known of a vulnerability whatever the component.
func help(v *query.Vulnerability) sarifText {
	var text, mark strings.Builder
	line := func(name, value, marked string) {
		if value != "" {
			fmt.Fprintf(&text, "%s: %s\n", name, value)
			fmt.Fprintf(&mark, "| %s | %s |\n", name, strings.ReplaceAll(marked, "|", `\|`))
		}
	}
	mark.WriteString("| | |\n|---|---|\n")
	_, at := page(v.ID)
	line("Vulnerability", v.ID, link(v.ID, at))
	line("Summary", v.Summary, v.Summary)
	severity := v.Severity.Rating.String()
	if v.Severity.Vector != "" {
		severity += fmt.Sprintf(" %.1f (%s)", v.Severity.Score, v.Severity.Vector)
	}
	line("Severity", severity, severity)
	var also []string
	for _, id := range records(v) {
		_, at := page(id)
		also = append(also, link(id, at))
	}
	line("Records", strings.Join(records(v), ", "), strings.Join(also, ", "))
	line("Weaknesses", strings.Join(v.CWEs, ", "), strings.Join(v.CWEs, ", "))
	if v.Threat.EPSS > 0 {
		epss := fmt.Sprintf("%.2f%%", 100*v.Threat.EPSS)
		line("EPSS", epss, epss)
	}
	line("Exploited, according to", strings.Join(v.Threat.Exploited, ", "), strings.Join(v.Threat.Exploited, ", "))
	return sarifText{strings.TrimSuffix(text.String(), "\n"), strings.TrimSuffix(mark.String(), "\n")}
}

func link(text, to string) string {
	if to == "" {
		return text
	}
	return "[" + text + "](" + to + ")"
}

// level is the level of a rating (§3.27.10).
func level(r query.Rating) string {
	switch r {
	case query.Critical, query.High:
		return "error"
	case query.Low, query.None:
		return "note"
	}
	return "warning"
}

// securitySeverity is the score, or the least one that has the rating.
func securitySeverity(s query.Severity) string {
	score := s.Score
	if s.Type == "" {
		score = map[query.Rating]float64{query.Low: 0.1, query.Medium: 4, query.High: 7, query.Critical: 9}[s.Rating]
	}
	if score == 0 {
		return ""
	}
	return strconv.FormatFloat(score, 'f', 1, 64)
}

func (s *sarif) results() error {
	at := sarifPhysical{sarifArtifact{fileURI(s.Name)}, sarifRegion{1}}
	for i := range s.Found {
		a := &s.Found[i]
		for j := range a.Vulnerabilities {
			if err := encode(s.enc, s.result(a.Component, &a.Vulnerabilities[j], at)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sarif) result(c query.Component, v *query.Vulnerability, at sarifPhysical) sarifResult {
	res := sarifResult{RuleID: v.ID, RuleIndex: s.index[v.ID], Kind: "fail", Level: level(v.Severity.Rating), Fingerprints: map[string]string{"advdb/v1": s.fingerprint(c, v.ID)},
		Locations: []sarifLocation{{at, []sarifLogical{{c.Name, product(c), "module"}}}}}
	res.Message.Text = fmt.Sprintf("%s %s is affected by %s (%s). %s", c.Name, versionOf(c), v.ID, summary(v), action(c, v))
	if v.Verdict != versioncmp.Affected {
		res.Kind, res.Level = "open", "none" // §3.27.9: not enough is known
		res.Message.Text = fmt.Sprintf("It cannot be decided whether %s %s is affected by %s: %s.", c.Name, versionOf(c), v.ID, reason(v))
	}
	res.Properties = map[string]any{"records": v.Records(), "severity": v.Severity.Rating.String()}
	if len(v.Fixed) > 0 {
		res.Properties["fixed"] = v.Fixed
	}
	if s.suppress {
		res.Suppressions = &[]sarifSuppression{}
		if x := v.Suppressed; x != nil {
			res.Suppressions = &[]sarifSuppression{{"external", "accepted", x.Text()}}
		}
	}
	return res
}

// fingerprint is of a vulnerability and a package; several versions of one
// package are counted.
func (s *sarif) fingerprint(c query.Component, id string) string {
	name, _, _ := strings.Cut(product(c), "?")
	if c.Purl != "" {
		if at := strings.LastIndexByte(name, '@'); at > strings.LastIndexByte(name, '/') {
			name = name[:at]
		}
	}
	sum := sha256.Sum256([]byte(id + "\x00" + name))
	print := hex.EncodeToString(sum[:16])
	s.prints[print]++
	return print + ":" + strconv.Itoa(s.prints[print])
}

// notifications say what could not be matched, by reason, and what of the SBOM
// is not used.
func (s *sarif) notifications() (all []sarifNotification) {
	for _, n := range s.SBOM.Notes {
		all = append(all, sarifNotification{"note", sarifText{Text: n}})
	}
	for _, g := range s.Gaps {
		all = append(all, sarifNotification{"warning", sarifText{Text: fmt.Sprintf("not matched: %s %s: %s", g.Component.Name, g.Component.Version, g.Reason)}})
	}
	return all
}

// fileURI is the relative reference, or the URI, of a file name (§3.10.3 of
// SARIF, RFC 8089).
func fileURI(name string) string {
	if name == "-" {
		return "stdin"
	}
	u := url.URL{Path: filepath.ToSlash(name)}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}
