package versioncmp

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// maxPairLine bounds a line of a corpus, in bytes.
const maxPairLine = 1 << 20

// Relation says how a stands to b in an ecosystem: "<", "=" or ">", and "?"
// where the ecosystem has no order or its rule refuses one of the two.
func Relation(ecosystem, a, b string) string {
	s := For(ecosystem)
	if s == nil {
		return "?"
	}
	return s.relation(a, b)
}

func (s *Scheme) relation(a, b string) string {
	v, err := s.Parse(a)
	if err != nil {
		return "?"
	}
	w, err := s.Parse(b)
	if err != nil {
		return "?"
	}
	switch c := v.Compare(w); {
	case c < 0:
		return "<"
	case c > 0:
		return ">"
	}
	return "="
}

// Check reads pairs of versions, one a line, "A < B", "A = B" or "A > B",
// and compares them by the ecosystem's rule. Each that comes out otherwise is
// reported, with the number of its line, the line, and what [Relation]
// answers; report may be nil. Empty lines, lines that begin with "#" or "//",
// and what follows the pair after "#" are skipped.
//
// The error wraps ErrNoOrder for an ecosystem that has none; a line of
// another form is an error that ends the reading.
func Check(r io.Reader, ecosystem string, report func(line int, text, got string)) (passed, failed int, err error) {
	s := For(ecosystem)
	if s == nil {
		return 0, 0, fmt.Errorf("%s: %w", ecosystem, ErrNoOrder)
	}
	return s.check(r, report)
}

func (s *Scheme) check(r io.Reader, report func(line int, text, got string)) (passed, failed int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxPairLine)
	n := 0
	for lines.Scan() {
		n++
		p, ok := parsePair(lines.Text())
		switch {
		case !ok:
			return passed, failed, fmt.Errorf(`line %d: %q is not of the form "A < B"`, n, lines.Text())
		case p == pair{}:
			continue
		}
		if got := s.relation(p.a, p.b); got == p.want {
			passed++
		} else {
			failed++
			if report != nil {
				report(n, lines.Text(), got)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return passed, failed, fmt.Errorf("line %d: %w", n+1, err)
	}
	return passed, failed, nil
}

// A pair is a line of a corpus; the zero pair is a line that says nothing.
type pair struct{ a, want, b string }

func parsePair(line string) (p pair, ok bool) {
	f := strings.Fields(line)
	if len(f) == 0 || strings.HasPrefix(f[0], "#") || strings.HasPrefix(f[0], "//") {
		return pair{}, true
	}
	if len(f) < 3 || len(f) > 3 && !strings.HasPrefix(f[3], "#") || !strings.Contains("<=>", f[1]) || len(f[1]) != 1 {
		return pair{}, false
	}
	return pair{f[0], f[1], f[2]}, true
}
