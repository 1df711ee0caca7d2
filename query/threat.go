package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

// A Threat is what the enrichment tables say of the CVE of a vulnerability.
type Threat struct {
	EPSS       float64  `json:"epss,omitzero"`       // probability of exploitation within 30 days, 0 to 1
	Percentile float64  `json:"percentile,omitzero"` // of the EPSS score
	KEV        *KEV     `json:"kev,omitempty"`       // in CISA's catalog of known exploited vulnerabilities
	Exploited  []string `json:"exploited,omitempty"` // tables that say it is exploited, "kev" among them; sorted
	Exploits   []string `json:"exploits,omitempty"`  // tables that have an exploit, sorted
	SSVC       *SSVC    `json:"ssvc,omitempty"`
}

// A KEV is an entry of CISA's catalog.
type KEV struct {
	Added      string `json:"date_added"`
	Due        string `json:"due_date,omitempty"`
	Ransomware bool   `json:"ransomware"`
}

// An SSVC is the decision points of CISA's coordinator.
type SSVC struct {
	Exploitation    string `json:"exploitation"` // none, poc, active
	Automatable     string `json:"automatable"`
	TechnicalImpact string `json:"technical_impact"`
}

// threatTables says, for each table that counts, how a row of it adds to a
// Threat.
var threatTables = map[string]func(t *Threat, row []byte) error{
	"epss": func(t *Threat, row []byte) error {
		var epss, percentile float64
		_, err := eachMember(row, func(name, value []byte) (err error) {
			switch string(name) {
			case "epss":
				epss, err = strconv.ParseFloat(string(value), 64)
			case "percentile":
				percentile, err = strconv.ParseFloat(string(value), 64)
			}
			return err
		})
		if epss > t.EPSS {
			t.EPSS, t.Percentile = epss, percentile
		}
		return err
	},
	"kev": func(t *Threat, row []byte) error {
		t.Exploited = append(t.Exploited, "kev")
		t.KEV = new(KEV)
		return json.Unmarshal(row, t.KEV)
	},
	"ssvc": func(t *Threat, row []byte) error {
		t.SSVC = new(SSVC)
		return json.Unmarshal(row, t.SSVC)
	},
	"eukev": func(t *Threat, _ []byte) error {
		t.Exploited = append(t.Exploited, "eukev")
		return nil
	},
	"euvd": func(t *Threat, row []byte) error {
		var v struct {
			EUVD []struct {
				Since string `json:"exploited_since"`
			} `json:"euvd"`
		}
		err := json.Unmarshal(row, &v)
		for _, e := range v.EUVD {
			if e.Since != "" {
				t.Exploited = append(t.Exploited, "euvd")
			}
		}
		return err
	},
	"inthewild": func(t *Threat, row []byte) error {
		var v struct {
			Reports []struct {
				Type string `json:"type"`
			} `json:"reports"`
		}
		err := json.Unmarshal(row, &v)
		for _, r := range v.Reports {
			if r.Type == "exploitation" {
				t.Exploited = append(t.Exploited, "inthewild")
			} else {
				t.Exploits = append(t.Exploits, "inthewild")
			}
		}
		return err
	},
	"exploitdb":  hasExploit("exploitdb"),
	"metasploit": hasExploit("metasploit"),
	"nuclei":     hasExploit("nuclei"),
}

func hasExploit(table string) func(*Threat, []byte) error {
	return func(t *Threat, _ []byte) error {
		t.Exploits = append(t.Exploits, table)
		return nil
	}
}

// Threats returns what the tables say of each of the CVEs of which they have
// anything. cves must be sorted.
func Threats(db *store.DB, cves []string) (map[string]*Threat, error) {
	all := map[string]*Threat{}
	tables, err := db.Tables()
	if err != nil {
		return nil, err
	}
	for _, name := range tables {
		add := threatTables[name]
		if add == nil {
			continue
		}
		err := db.LookupRows(name, cves, func(cve string, row []byte) error {
			t := all[cve]
			if t == nil {
				t = new(Threat)
				all[cve] = t
			}
			if err := add(t, row); err != nil {
				return fmt.Errorf("%s: %s: %w", name, cve, err)
			}
			return nil
		})
		if err := cmp.Or(err, trim(db, len(cves))); err != nil {
			return nil, err
		}
	}
	for _, t := range all {
		slices.Sort(t.Exploited)
		t.Exploited = slices.Compact(t.Exploited)
		slices.Sort(t.Exploits)
		t.Exploits = slices.Compact(t.Exploits)
	}
	return all, nil
}
