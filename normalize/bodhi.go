package normalize

import (
	"fmt"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
)

// Bodhi reads one update of Fedora's Bodhi, as /updates/ lists it. The record
// has the update's alias as ID (FEDORA-2023-91e69ea326, FEDORA-EPEL-…) and,
// upstream, the CVEs named in the titles of its bugs and in its notes: Bodhi
// has no member for them.
//
// Only what is stable counts: an update in testing, pending or unpushed makes
// no record. Builds of type rpm are source packages of "Fedora:<version>" or
// "EPEL:<version>", fixed by epoch:version-release. The builds of modules,
// containers and flatpaks name no package; they stand in
// database_specific.builds of a record without affected packages.
//
// Source: https://bodhi.fedoraproject.org/docs/server_api/rest/updates.html.
func Bodhi(d Doc, emit func(*Record) error) error {
	data, err := readText(d.Body)
	if err != nil {
		return err
	}
	var u bodhiUpdate
	if err := json.Unmarshal(data, &u, decodeOptions); err != nil {
		return placed(err)
	}
	if u.Alias == "" {
		return ErrNoID
	}
	if u.Status != "stable" {
		return nil
	}
	u.report = func(rule, message string) { d.report(Finding{Place: u.Alias, Rule: rule, Message: message}) }
	r, err := u.record()
	if err != nil {
		return fmt.Errorf("%s: %w", u.Alias, err)
	}
	return emit(r)
}

type bodhiUpdate struct {
	Alias     string `json:"alias"`
	Title     string `json:"title"`
	Notes     string `json:"notes"`
	Severity  string `json:"severity"`
	Status    string `json:"status"`
	Submitted string `json:"date_submitted"`
	Modified  string `json:"date_modified"`
	Stable    string `json:"date_stable"`
	Pushed    string `json:"date_pushed"`
	URL       string `json:"url"`
	Release   struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Prefix  string `json:"id_prefix"`
	} `json:"release"`
	Bugs []struct {
		ID    int64  `json:"bug_id"`
		Title string `json:"title"`
	} `json:"bugs"`
	Builds []struct {
		NVR   string `json:"nvr"`
		Type  string `json:"type"`
		Epoch int64  `json:"epoch"`
	} `json:"builds"`

	report func(rule, message string)
}

var bodhiCVE = lazyregexp.New(`(?i)\bCVE-\d{4}-\d{4,}\b`)

func (u *bodhiUpdate) record() (*Record, error) {
	r := &Record{ID: u.Alias, Summary: u.Title, Details: u.Notes}
	r.Published = u.time("date_stable", u.Stable)
	if r.Published == "" {
		r.Published = u.time("date_pushed", u.Pushed)
	}
	r.Modified = laterTime(r.Published, u.time("date_modified", u.Modified))
	texts := []string{u.Notes}
	if isURI(u.URL) {
		r.References = append(r.References, Reference{Type: "ADVISORY", URL: u.URL})
	}
	for _, b := range u.Bugs {
		texts = append(texts, b.Title)
		r.References = append(r.References, Reference{Type: "REPORT", URL: fmt.Sprintf("https://bugzilla.redhat.com/show_bug.cgi?id=%d", b.ID)})
	}
	for _, t := range texts {
		for _, id := range bodhiCVE.FindAllString(t, -1) {
			r.Upstream = append(r.Upstream, strings.ToUpper(id))
		}
	}
	r.Upstream = set(r.Upstream)
	specific := map[string]any{}
	if u.Severity != "" && u.Severity != "unspecified" {
		specific["severity"] = u.Severity
	}
	if other := u.affected(r); len(other) > 0 {
		specific["builds"] = other
	}
	if len(specific) == 0 {
		return r, nil
	}
	return r, r.SetSpecific(specific)
}

// affected adds the packages, and returns the builds that are none.
func (u *bodhiUpdate) affected(r *Record) (other []string) {
	ecosystem := u.ecosystem()
	for _, b := range u.Builds {
		name, version, ok := cutNVR(b.NVR)
		switch {
		case b.Type != "rpm" && b.Type != "" || ecosystem == "":
			other = append(other, b.NVR)
			continue
		case !ok:
			u.report("bad-build", fmt.Sprintf("%q", b.NVR))
			other = append(other, b.NVR)
			continue
		}
		if b.Epoch > 0 {
			version = fmt.Sprintf("%d:%s", b.Epoch, version)
		}
		r.Affected = append(r.Affected, Affected{
			Package: Package{Ecosystem: ecosystem, Name: name},
			Ranges:  Ranges(Ecosystem, ecosystem, []Interval{{Introduced: "0", Fixed: version}}),
		})
	}
	return other
}

// ecosystem returns the system whose packages the release has, "" for modules,
// containers and flatpaks.
func (u *bodhiUpdate) ecosystem() string {
	switch {
	case u.Release.Version == "":
	case u.Release.Prefix == "FEDORA":
		return "Fedora:" + u.Release.Version
	case u.Release.Prefix == "FEDORA-EPEL":
		return "EPEL:" + u.Release.Version
	}
	return ""
}

// cutNVR splits name-version-release.
func cutNVR(nvr string) (name, version string, ok bool) {
	r := strings.LastIndexByte(nvr, '-')
	if r < 0 {
		return "", "", false
	}
	v := strings.LastIndexByte(nvr[:r], '-')
	if v < 1 || r == v+1 || r == len(nvr)-1 {
		return "", "", false
	}
	return nvr[:v], nvr[v+1:], true
}

// time reads Bodhi's times, which are in UTC and do not say so.
func (u *bodhiUpdate) time(member, s string) string {
	if s == "" {
		return ""
	}
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		u.report("bad-time", fmt.Sprintf("%s: %q", member, s))
		return ""
	}
	return t.Format(time.RFC3339)
}
