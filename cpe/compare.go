package cpe

import (
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// A truth is the outcome of one condition; the greater the surer. AND is the
// least of its members, OR the greatest.
type truth int8

const (
	no      truth = iota
	unknown       // the question does not say enough, or a version has no order
	assumed       // true where what the question does not say is so
	yes
)

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return t
}

// compareValues says whether an attribute of the question (target) lies
// within that of a criterion (source). A target of ANY is more than a source
// that restricts: the outcome is unknown.
//
// Source: NISTIR 7696, section 6.2 and table 6-2.
func compareValues(source, target Value) truth {
	switch {
	case source == Any || source == target:
		return yes
	case target == Any:
		return unknown
	case source == NA || target == NA:
		return no
	}
	switch sw, tw := source.wild(), target.wild(); {
	case sw && tw:
		return unknown // undefined by the specification
	case sw:
		return truthOf(glob(string(source), target.text()), yes)
	case tw:
		return truthOf(glob(string(target), source.text()), unknown)
	}
	return no
}

func truthOf(ok bool, then truth) truth {
	if ok {
		return then
	}
	return no
}

// glob reports whether s matches pattern, in which "*" is any run of bytes
// and "?" one byte or none (NISTIR 7696, section 7.3, compareStrings).
func glob(pattern, s string) bool {
	at := make([]bool, len(s)+1) // at[j]: the pattern so far matches s[:j]
	at[0] = true
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			for j := 1; j <= len(s); j++ {
				at[j] = at[j] || at[j-1]
			}
		case '?':
			for j := len(s); j > 0; j-- {
				at[j] = at[j] || at[j-1]
			}
		default:
			if c == '\\' && i+1 < len(pattern) {
				i++
				c = pattern[i]
			}
			for j := len(s); j > 0; j-- {
				at[j] = at[j-1] && s[j-1] == c
			}
			at[0] = false
		}
	}
	return at[len(s)]
}

// order parses versions as CPE bounds are ordered. It is the one place that
// knows which scheme that is.
func order(version string) (versioncmp.Version, bool) {
	v, err := versioncmp.ForCPE().Parse(version)
	return v, err == nil
}

// bound reads a version bound as it stands in a feed: quoted, or with blanks
// or a colon at its end.
func bound(s string) string {
	s = strings.TrimSpace(s)
	if strings.Contains(s, `\`) {
		s = Value(s).text()
	}
	return strings.TrimRight(s, ": ")
}

// full returns the version of n with its update, such as "1.0-rc1": bounds
// are compared with both.
func (n *Name) full() string {
	v := n.Version.text()
	if n.Update == Any || n.Update == NA || n.Update == "" || n.Update.wild() {
		return v
	}
	return v + "-" + n.Update.text()
}
