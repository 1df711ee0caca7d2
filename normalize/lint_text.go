package normalize

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// isTime reports whether s is "2006-01-02T15:04:05Z", with a fraction of any
// length, and a day that exists.
func isTime(s string) bool {
	const form = "####-##-##T##:##:##"
	if len(s) < len(form)+1 || s[len(s)-1] != 'Z' {
		return false
	}
	for i := range len(form) {
		if c := s[i]; form[i] == '#' && !isDigitByte(c) || form[i] != '#' && form[i] != c {
			return false
		}
	}
	if f := s[len(form) : len(s)-1]; f != "" && (f[0] != '.' || !isNumber(f[1:])) {
		return false
	}
	return isDate(number(s[:4]), number(s[5:7]), number(s[8:10])) &&
		number(s[11:13]) < 24 && number(s[14:16]) < 60 && number(s[17:19]) <= 60
}

func number(digits string) (n int) {
	for i := range len(digits) {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

func isDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days++
	}
	return day <= days
}

// isURI reports whether s is an absolute URI. Plain web addresses are decided
// without a parse.
func isURI(s string) bool {
	if plainURL(s) {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}

// plainURL accepts http and https addresses of letters, digits and
// punctuation that need no escape.
func plainURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	if !ok || rest == "" || !isAlphanumeric(rest[0]) {
		return false
	}
	host := true
	for i := range len(rest) {
		c := rest[i]
		host = host && c != '/'
		if isAlphanumeric(c) || c == '-' || c == '.' || c == '/' {
			continue
		}
		if host || strings.IndexByte("_~?#&=+,;!*'@$()", c) < 0 {
			return false
		}
	}
	return true
}

func (l *linter) severity(s *Severity, place string, args ...any) {
	switch {
	case !severityTypes[s.Type]:
		l.add("severity-type", fmt.Sprintf("%q", s.Type), place, args...)
	case !isScore(s.Type, s.Score):
		l.add("severity-score", fmt.Sprintf("%q is no %s", s.Score, s.Type), place, args...)
	case hasMembers(s.Extra) && !isSeveritySource(s):
		l.add("severity-source", "source is not NVD, CNA or SELF", place, args...)
	}
}

var severityTypes = nameSet("CVSS_V2", "CVSS_V3", "CVSS_V4", "Ubuntu")

// isSeveritySource checks the member source, which the schema has since 1.8.
func isSeveritySource(s *Severity) bool {
	var extra struct {
		Source *string `json:"source"`
	}
	if err := json.Unmarshal(s.Extra, &extra, decodeOptions); err != nil {
		return false
	}
	return extra.Source == nil || *extra.Source == "NVD" || *extra.Source == "CNA" || *extra.Source == "SELF"
}

var ubuntuScores = nameSet("negligible", "low", "medium", "high", "critical")

// isScore reports whether score has the shape that the schema gives to typ.
func isScore(typ, score string) bool {
	switch typ {
	case "CVSS_V2":
		return metricsIn(score, cvss2)
	case "CVSS_V3":
		rest, ok := strings.CutPrefix(score, "CVSS:3.1/")
		if !ok {
			rest, ok = strings.CutPrefix(score, "CVSS:3.0/")
		}
		return ok && metricsIn(rest, cvss3)
	case "CVSS_V4":
		rest, ok := strings.CutPrefix(score, "CVSS:4.0/")
		return ok && metricsInOrder(rest)
	}
	return ubuntuScores[score]
}

// metricsIn reports whether s is a list of metrics of the set, separated by
// slashes, in any order.
func metricsIn(s string, allowed map[string]bool) bool {
	for {
		metric, rest, more := strings.Cut(s, "/")
		if !allowed[metric] {
			return false
		}
		if !more {
			return true
		}
		s = rest
	}
}

// metricsInOrder reports whether s holds all base metrics of CVSS 4.0 and any
// others, in the order of its specification, table 23.
func metricsInOrder(s string) bool {
	i := 0
	for {
		metric, rest, more := strings.Cut(s, "/")
		for i < len(cvss4) && !cvss4[i][metric] {
			if i < cvss4Base {
				return false
			}
			i++
		}
		if i == len(cvss4) {
			return false
		}
		i++
		if !more {
			return i >= cvss4Base
		}
		s = rest
	}
}

// metrics makes the set of "NAME:VALUE" out of "NAME VALUE VALUE…" lines.
func metrics(lines ...string) map[string]bool {
	m := map[string]bool{}
	for _, line := range lines {
		words := strings.Fields(line)
		for _, value := range words[1:] {
			m[words[0]+":"+value] = true
		}
	}
	return m
}

// The metrics of each version of CVSS (https://www.first.org/cvss/), as the
// schema's patterns have them.
var (
	cvss2 = metrics("AV N A L", "AC L M H", "Au M S N", "C N P C", "I N P C", "A N P C", "E U POC F H ND",
		"RL OF TF W U ND", "RC UC UR C ND", "CDP N L LM MH H ND", "TD N L M H ND", "CR L M H ND", "IR L M H ND",
		"AR L M H ND")
	cvss3 = metrics("AV N A L P", "AC L H", "PR N L H", "UI N R", "S U C", "C N L H", "I N L H", "A N L H",
		"E X U P F H", "RL X O T W U", "RC X U R C", "CR X L M H", "IR X L M H", "AR X L M H", "MAV X N A L P",
		"MAC X L H", "MPR X N L H", "MUI X N R", "MS X U C", "MC X N L H", "MI X N L H", "MA X N L H")
	cvss4 = []map[string]bool{
		metrics("AV N A L P"), metrics("AC L H"), metrics("AT N P"), metrics("PR N L H"), metrics("UI N P A"),
		metrics("VC H L N"), metrics("VI H L N"), metrics("VA H L N"), metrics("SC H L N"), metrics("SI H L N"),
		metrics("SA H L N"), metrics("E X A P U"), metrics("CR X H M L"), metrics("IR X H M L"), metrics("AR X H M L"),
		metrics("MAV X N A L P"), metrics("MAC X L H"), metrics("MAT X N P"), metrics("MPR X N L H"),
		metrics("MUI X N P A"), metrics("MVC X N L H"), metrics("MVI X N L H"), metrics("MVA X N L H"),
		metrics("MSC X N L H"), metrics("MSI X N L H S"), metrics("MSA X N L H S"), metrics("S X N P"),
		metrics("AU X N Y"), metrics("R X A U I"), metrics("V X D C"), metrics("RE X L M H"),
		metrics("U X Clear Green Amber Red"),
	}
)

// cvss4Base is the number of metrics that a CVSS 4.0 vector must have.
const cvss4Base = 11
