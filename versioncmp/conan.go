package versioncmp

import "strings"

// conanScheme is the order of Conan packages: class Version of Conan 2
// (conan/internal/model/version.py; documentation, "Version ranges"). A version
// is items between dots, then a pre-release after the first dash and a build
// after the last plus, which are lists of items as well. Zeros at the end of a
// list do not count, a pre-release is below its release, no build is below any
// build. Every string but the empty one is a version.
//
// Two numbers compare as such, but a number and a text compare as texts: 9 < 10
// < "10a" < 9. The order is not transitive, and the key is coarse.
var conanScheme = &Scheme{Name: "conan", key: appendConanKey, compare: compareConan}

// Classes of the first item in the key, least first. Within one class only the
// comparator can tell.
const (
	conanNone   = 0 // 0 and 0.0
	conanSign   = 1 // begins below a digit, or is empty
	conanDigit  = 2
	conanLetter = 3 // begins above a digit
)

// maxPythonDigits is the length from which on Python's int refuses digits, so
// that they are text (sys.int_info.default_max_str_digits).
const maxPythonDigits = 4300

func appendConanKey(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("Conan", version)
	}
	items, some := trimConanZeros(splitConan(version).items)
	if !some {
		return append(dst, conanNone), nil
	}
	first, _, _ := strings.Cut(items, ".")
	text := parseConanItem(first).text
	switch {
	case text == "" || text[0] < '0':
		return append(dst, conanSign), nil
	case isDigit(text[0]):
		return append(dst, conanDigit), nil
	}
	return append(dst, conanLetter), nil
}

func compareConan(a, b string) int {
	v, w := splitConan(a), splitConan(b)
	if c := compareConanItems(v.items, w.items); c != 0 {
		return c
	}
	switch {
	case v.hasPre && !w.hasPre:
		return -1
	case !v.hasPre && w.hasPre:
		return 1
	}
	if c := compareConanItems(v.pre, w.pre); c != 0 {
		return c
	}
	switch {
	case v.hasBuild && !w.hasBuild:
		return 1
	case !v.hasBuild && w.hasBuild:
		return -1
	}
	return compareConanItems(v.build, w.build)
}

// A conanVersion is a version cut into its lists of items.
type conanVersion struct {
	items, pre, build string
	hasPre, hasBuild  bool
}

func splitConan(s string) (v conanVersion) {
	if i := strings.LastIndexByte(s, '+'); i >= 0 {
		s, v.build, v.hasBuild = s[:i], s[i+1:], true
	}
	v.items, v.pre, v.hasPre = strings.Cut(s, "-")
	return v
}

// compareConanItems compares two lists of items.
func compareConanItems(a, b string) int {
	a, moreA := trimConanZeros(a)
	b, moreB := trimConanZeros(b)
	for moreA && moreB {
		var x, y string
		x, a, moreA = strings.Cut(a, ".")
		y, b, moreB = strings.Cut(b, ".")
		if x == y {
			continue
		}
		if c := compareConanItem(parseConanItem(x), parseConanItem(y)); c != 0 {
			return c
		}
	}
	switch {
	case moreA:
		return 1
	case moreB:
		return -1
	}
	return 0
}

// trimConanZeros removes the zeros at the end of a list, and reports whether
// there is any item left.
func trimConanZeros(items string) (rest string, some bool) {
	for {
		i := strings.LastIndexByte(items, '.')
		if last := parseConanItem(items[i+1:]); !last.number || last.text != "0" {
			return items, true
		}
		if i < 0 {
			return "", false
		}
		items = items[:i]
	}
}

// A conanItem is an item as Conan holds it: text is what Python's str makes of
// it, for a number without leading zeros.
type conanItem struct {
	text   string
	number bool
}

// parseConanItem reads an item: a number is what Python's int takes (Language
// Reference, "Integer literals", in decimal, with a sign and white space around
// it, and leading zeros).
func parseConanItem(s string) conanItem {
	trimmed := strings.TrimSpace(s)
	digits, negative := trimmed, false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	plain, ok := pythonDigits(digits)
	if !ok {
		return conanItem{text: s}
	}
	plain = strings.TrimLeft(plain, "0")
	switch {
	case plain == "":
		return conanItem{text: "0", number: true}
	case negative:
		return conanItem{text: "-" + plain, number: true}
	}
	return conanItem{text: plain, number: true}
}

// pythonDigits returns the digits of a decimal literal, in which single
// underscores may stand between digits.
func pythonDigits(s string) (digits string, ok bool) {
	if s == "" || len(s) > maxPythonDigits {
		return "", false
	}
	underscores := false
	for i := range len(s) {
		switch {
		case isDigit(s[i]):
		case s[i] == '_' && i > 0 && isDigit(s[i-1]) && i+1 < len(s):
			underscores = true
		default:
			return "", false
		}
	}
	if underscores {
		s = strings.ReplaceAll(s, "_", "")
	}
	return s, true
}

func compareConanItem(a, b conanItem) int {
	if !a.number || !b.number {
		return strings.Compare(a.text, b.text)
	}
	x, negativeX := strings.CutPrefix(a.text, "-")
	y, negativeY := strings.CutPrefix(b.text, "-")
	switch {
	case negativeX && negativeY:
		return compareDigits(y, x)
	case negativeX:
		return -1
	case negativeY:
		return 1
	}
	return compareDigits(x, y)
}
