package sources

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxName is the longest name of a document, in bytes.
const maxName = 512

// checkName refuses what cannot name a document: names are slash-separated,
// without empty, "." and ".." elements, and without control characters and
// backslashes.
func checkName(name string) error {
	bad := name == "" || len(name) > maxName || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
	for e := range strings.SplitSeq(name, "/") {
		bad = bad || e == "" || e == "." || e == ".."
	}
	if bad {
		return fmt.Errorf("document name %q: %w", name, ErrHostile)
	}
	return nil
}
