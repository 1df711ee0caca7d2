package versioncmp

import "strings"

// gladTypes are the grammars of GitLab's advisory database, one a type of
// package (the first element of package_slug).
var gladTypes = map[string]grammar{
	"npm":       {"npm", readNPM},
	"gem":       {"RubyGems", readGem},
	"pypi":      {"PyPI", readPEP440},
	"packagist": {"Packagist", readComposer},
	"maven":     {"Maven", readMaven},
	"nuget":     {"NuGet", readNuGet},
	"cargo":     {"crates.io", readGLAD},
	"conan":     {"ConanCenter", readGLAD},
	"pub":       {"Pub", readGLAD},
	"swift":     {"SwiftURL", readGLADTag},
	"go":        {"Go", readGLADTag},
}

// readGLAD reads comparisons with spaces between those that must all hold
// and "||" between alternatives; ">=0" is every version and "<0" none.
func readGLAD(text string) ([]clause, error) { return gladClauses(text, "") }

// readGLADTag is readGLAD where versions may be written as tags, with a "v"
// that OSV's versions do not have.
func readGLADTag(text string) ([]clause, error) { return gladClauses(text, "v") }

func gladClauses(text, prefix string) ([]clause, error) {
	return alternatives(text, "||", func(part string) (clause, error) {
		if part == "*" {
			return clause{everything}, nil
		}
		return conjunction(part, "<>=!", " \t\r\n,", func(c comparator) ([]Span, error) {
			c.version = strings.TrimPrefix(c.version, prefix)
			if c.op == "<" && c.version == "0" {
				return nothing, nil
			}
			return c.spans()
		})
	})
}
