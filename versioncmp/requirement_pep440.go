package versioncmp

import (
	"fmt"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// readPEP440 reads version specifiers of PEP 440: commas between those that
// must all hold, and "||" between alternatives (GitLab's). Comparisons follow
// the order alone: "< 2.0" includes 2.0rc1 and "> 1.0" includes 1.0.post1,
// which pip would leave out, since the code of an advisory's "before 2.0" is
// in 2.0rc1 too and OSV's events say the same.
func readPEP440(text string) ([]clause, error) {
	return alternatives(text, "||", func(part string) (clause, error) {
		if part == "*" {
			return clause{everything}, nil
		}
		return conjunction(part, "<>=!~", " \t\r\n,", expandPEP440)
	})
}

// pepRelease matches the epoch and the numbers of a release.
var pepRelease = lazyregexp.New(`^[vV]?([0-9]+!)?([0-9]+(?:\.[0-9]+)*)`)

func expandPEP440(c comparator) ([]Span, error) {
	prefix, wild := strings.CutSuffix(c.version, ".*")
	if c.op != "~=" && !wild {
		return c.spans()
	}
	m := pepRelease.FindStringSubmatch(prefix)
	if m == nil {
		return nil, fmt.Errorf("%q: %w: no number to raise", c.version, ErrInvalid)
	}
	epoch, numbers := m[1], strings.Split(m[2], ".")
	switch {
	case c.op == "~=" && len(numbers) > 1 && !wild:
		return from(c.version, pepNext(epoch, numbers[:len(numbers)-1])), nil
	case (c.op == "=" || c.op == "==" || c.op == "") && m[0] == prefix:
		return from(prefix+".dev0", pepNext(epoch, numbers)), nil
	case c.op == "!=" && m[0] == prefix:
		return append(below(prefix+".dev0"), from(pepNext(epoch, numbers), "")...), nil
	}
	return nil, fmt.Errorf("%q: %w behind %q", c.version, ErrInvalid, c.op)
}

// pepNext is the least version whose release is the next one of the numbers.
func pepNext(epoch string, numbers []string) string {
	last := len(numbers) - 1
	next := append(append([]string{}, numbers[:last]...), increment(numbers[last]))
	return epoch + strings.Join(next, ".") + ".dev0"
}
