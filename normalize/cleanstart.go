package normalize

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// CleanStart reads one of CleanStart's advisories: OSV, of which a part names
// the ecosystem "Alpine", without a release, or "clnstrt". All packages in
// them are CleanStart's own builds: their ecosystem becomes "CleanStart", what
// stood there stays as database_specific.ecosystem, and each such record is
// reported. Versions that are none of apk's ("3.5.2:r0") stay as they are, and
// are reported.
func CleanStart(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, mendCleanStart)
}

func mendCleanStart(d Doc, r *Record) error {
	const name = "CleanStart"
	wrong := ""
	for i := range r.Affected {
		a := &r.Affected[i]
		reportVersions(d, r.ID, a)
		if a.Package.IsZero() || a.Package.Ecosystem == name {
			continue
		}
		wrong = a.Package.Ecosystem
		v, err := json.Marshal(map[string]string{"ecosystem": wrong}, encodeOptions)
		if err != nil {
			return err
		}
		if err := uniteValue(&a.DatabaseSpecific, v); err != nil {
			return err
		}
		a.Package.Ecosystem = name
	}
	if wrong != "" {
		d.report(Finding{Place: r.ID, Rule: "ecosystem", Message: fmt.Sprintf("%q for %q", wrong, name)})
	}
	return nil
}

// reportVersions reports bounds that apk's grammar does not know.
func reportVersions(d Doc, id string, a *Affected) {
	for i := range a.Ranges {
		for _, e := range a.Ranges[i].Events {
			if v := e.version(); v != "0" && !apkVersion.MatchString(v) {
				d.report(Finding{Place: id, Rule: "bad-version", Message: fmt.Sprintf("%q is no version of apk's", v)})
			}
		}
	}
}
