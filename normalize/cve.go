package normalize

// cveAt reports the length of the CVE ID at the start of s, 0 where there is
// none: "CVE-", a year of four digits, "-", four digits or more
// (https://cve.mitre.org/cve/identifiers/syntaxchange.html). With lax, any
// case and "_" for "-" pass too.
func cveAt(s string, lax bool) int {
	const head = len("CVE-2000-")
	if len(s) < head+4 {
		return 0
	}
	for i, want := range []byte("CVE-####-") {
		c := s[i]
		if lax && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if lax && c == '_' {
			c = '-'
		}
		if want == '#' && (c < '0' || c > '9') || want != '#' && c != want {
			return 0
		}
	}
	n := head
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	if n < head+4 {
		return 0
	}
	return n
}

// isCVE reports whether s is a CVE ID and nothing more.
func isCVE(s string) bool { return s != "" && cveAt(s, false) == len(s) }
