package sources

import (
	"path"
	"strings"
)

// A Selection says which entries of an archive are documents. Patterns are
// those of [path.Match], element by element; the element "**" stands for any
// number of elements. A pattern without a slash is matched against the last
// element.
type Selection struct {
	Strip int      // elements to take off the front of a path, such as a git archive's top folder
	Match []string // what is wanted
	Not   []string // what is not, though it matches
}

// name returns the document's name for an entry's path, "" for none.
func (s Selection) name(p string) string {
	for range s.Strip {
		_, rest, ok := strings.Cut(p, "/")
		if !ok {
			return ""
		}
		p = rest
	}
	if !matchAny(s.Match, p) || matchAny(s.Not, p) {
		return ""
	}
	return p
}

// key returns a string that differs for selections that differ.
func (s Selection) key() string {
	return strings.Repeat("*/", s.Strip) + strings.Join(s.Match, " ") + " !" + strings.Join(s.Not, " !")
}

func matchAny(patterns []string, p string) bool {
	for _, pattern := range patterns {
		if matches(pattern, p) {
			return true
		}
	}
	return false
}

// matches reports whether p matches pattern. A malformed pattern matches
// nothing.
func matches(pattern, p string) bool {
	if !strings.Contains(pattern, "/") && pattern != "**" {
		ok, _ := path.Match(pattern, path.Base(p))
		return ok
	}
	return matchElements(strings.Split(pattern, "/"), strings.Split(p, "/"))
}

func matchElements(pattern, p []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(p) + 1 {
				if matchElements(pattern[1:], p[i:]) {
					return true
				}
			}
			return false
		}
		if len(p) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], p[0]); !ok {
			return false
		}
		pattern, p = pattern[1:], p[1:]
	}
	return len(p) == 0
}
