package normalize

import (
	"strings"
	"time"
)

// parseTime reads an RFC 3339 time.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// laterOrSame reports whether a is not before b. A time that cannot be read
// is before all others.
func laterOrSame(a, b string) bool {
	if a == b {
		return true
	}
	ta, oka := parseTime(a)
	tb, okb := parseTime(b)
	switch {
	case oka && okb && !ta.Equal(tb):
		return ta.After(tb)
	case oka != okb:
		return oka
	}
	return strings.Compare(a, b) >= 0
}

// laterTime returns the later of two RFC 3339 times; of an empty and another
// the other.
func laterTime(a, b string) string {
	if b == "" || a != "" && laterOrSame(a, b) {
		return a
	}
	return b
}

// earlierTime returns the earlier of two RFC 3339 times; of an empty and
// another the other.
func earlierTime(a, b string) string {
	if b == "" || a != "" && laterOrSame(b, a) {
		return a
	}
	return b
}
