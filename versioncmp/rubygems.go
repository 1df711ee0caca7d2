package versioncmp

// rubyGemsScheme is the order of gems: Gem::Version#<=> (rubygems
// lib/rubygems/version.rb, 2025-10) over its canonical segments. A version is a
// list of numbers and words; missing numbers are 0; a word is below a number
// and makes the version a pre-release; words compare with case. A dash stands
// for ".pre.". The first zeros between a dot, or the beginning, and a word do
// not count: 1.0.0.a = 1.a.
//
// More than Gem::Version takes, a leading v is read over. Less, an empty
// version, which is 0 to it, is refused.
var rubyGemsScheme = &Scheme{Name: "rubygems", key: appendRubyGemsKey}

func appendRubyGemsKey(dst []byte, version string) ([]byte, error) {
	s := trimSpaceASCII(version)
	if s != "" && toLower(s[0]) == 'v' {
		s = s[1:]
	}
	if !isGemVersion(s) {
		return nil, invalid("RubyGems", version)
	}
	k := gemKey{dst: dst, dots: 1}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case isDigit(c):
			n := digitsFrom(s, i)
			k.number(n)
			i += len(n)
		case isAlpha(c):
			w := lettersFrom(s, i)
			k.word(w)
			i += len(w)
		case c == '-':
			k.dots++
			k.word("pre")
			k.dots++
			i++
		default:
			k.dots++
			i++
		}
	}
	return append(k.dst, zerosThenEnd), nil
}

// A gemKey appends segments to a key, holding back zeros until it is known
// what follows them.
type gemKey struct {
	dst   []byte
	dots  int  // since the last segment; the beginning counts as one
	zeros int  // held back
	loose int  // of these, how many at the end follow a dot
	cut   bool // loose zeros were dropped once
}

func (k *gemKey) number(digits string) {
	if isZeros(digits) {
		if k.dots > 0 {
			k.loose++
		}
		k.zeros++
	} else {
		k.dst = appendNumber(appendZerosAbove(k.dst, k.zeros), digits)
		k.zeros, k.loose = 0, 0
	}
	k.dots = 0
}

// word appends a word. Before the first one that loose zeros precede, or an
// empty segment, they are dropped: canonical_segments does so with one sub!.
func (k *gemKey) word(w string) {
	if !k.cut && (k.loose > 0 || k.dots > 1) {
		k.zeros -= k.loose
		k.cut = true
	}
	k.dst = appendText(appendZerosBelow(k.dst, k.zeros), w)
	k.dots, k.zeros, k.loose = 0, 0, 0
}

// isGemVersion reports whether s has the form of VERSION_PATTERN:
// digits (. alphanumerics)* and then, after a dash, runs of alphanumerics and
// dashes with dots between them.
func isGemVersion(s string) bool {
	i := len(digitsFrom(s, 0))
	if i == 0 {
		return false
	}
	dotted, dashed, empty := false, false, false
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '-' && dashed:
			empty = false
		case c == '-' && !empty:
			dashed, empty = true, true
		case c == '.' && !empty:
			dotted, empty = true, true
		case isDigit(c), isAlpha(c) && (dotted || dashed):
			empty = false
		default:
			return false
		}
	}
	return !empty
}
