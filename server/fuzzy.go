package server

import (
	"regexp"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// Versions that no rule can read, and tags, are compared by what is left of
// them when decoration is taken away.
//
// Source: osv.dev, go/internal/database/datastore/vulnerability_matching.go,
// fuzzyMatchString.

// alike reports whether two versions are the same but for decoration.
func alike(a, b string) bool {
	return a == b || tagNumbers(a) == tagNumbers(b) || evenSeparators(a) == evenSeparators(b)
}

var tagComponent = regexp.MustCompile(`(?i:\d+|rc\d*|alpha\d*|beta\d*|preview\d*)`)

// tagNumbers is the numbers and release words of a tag, joined by hyphens:
// "openssl-1_1_1n" is 1-1-1. A word within another ("arc") is none. A text
// without any is itself.
func tagNumbers(tag string) string {
	if strings.HasPrefix(tag, ".") {
		tag = "0" + tag
	}
	var parts []string
	for _, loc := range tagComponent.FindAllStringIndex(tag, -1) {
		if isLetter(tag[loc[0]]) && loc[0] > 0 && isLetter(tag[loc[0]-1]) {
			continue
		}
		parts = append(parts, tag[loc[0]:loc[1]])
	}
	if len(parts) == 0 {
		return tag
	}
	return strings.Join(parts, "-")
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

var separators = regexp.MustCompile(`[-_.]+`)

// evenSeparators is a version in lower case with dots only, none at its ends.
func evenSeparators(version string) string {
	return strings.Trim(separators.ReplaceAllString(strings.ToLower(version), "."), ".")
}

// readRecord returns a record, nil where there is none.
func readRecord(db *store.DB, id string) (*normalize.Record, error) {
	data, err := db.Record(id)
	if err != nil || data == nil {
		return nil, err
	}
	return normalize.Decode(data)
}

func samePackage(ecosystem, a, b string) bool {
	return normalize.PackageKey(ecosystem, a) == normalize.PackageKey(ecosystem, b)
}
