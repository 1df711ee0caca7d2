package versioncmp

import "strings"

// cpeScheme orders versions as NVD writes them in CPE names and match
// criteria. No standard defines that order, so this is one, total and
// transitive:
//
//   - A version is numbers and words; what else stands between them only
//     separates ("15.2\(7\)e3", "6.5.4_39316"). Backslashes, case, a leading
//     v, all from the first plus sign, and the words final, ga, release and
//     stable do not count; nor do zeros at the end of a row of numbers.
//   - Numbers compare as numbers, of any length, whatever separates them
//     ("7.0.8-9" < "7.0.8-11", "2022-09" < "2022-09-15").
//   - A pre-release is below its release: a word such as beta or rc anywhere,
//     any word after a hyphen that is not one of an update, and all after a
//     tilde. Inside it the order is SemVer's, the number of a word split off:
//     1.0-beta < 1.0-rc2 < 1.0-rc10 < 1.0.
//   - Any other word is above the release and below a further number:
//     1.0.1 < 1.0.1a < 1.0.1.1. So is CPE's update, appended after a hyphen:
//     1.8.0 < 1.8.0-update151, 8.1.23 < 8.1.23-h1, 20.1 < 20.1-r1-s2.
//
// On x.y.z and on x.y.z with pre-releases of separate words and numbers it
// agrees with [Generic] wherever that answers.
var cpeScheme = &Scheme{Name: "cpe", key: appendCPE}

// ForCPE returns the scheme of CPE versions. To compare a CPE's version with
// its update, parse them joined by a hyphen. The values * and - of CPE are no
// versions and are refused, as is all else without a digit or a letter.
func ForCPE() *Scheme { return cpeScheme }

// What may come at each position, least first; inside a pre-release it is
// idEnd, idNumber and idText.
const (
	cpePre    = 1
	cpeEnd    = 2
	cpeWord   = 3
	cpeNumber = 4
)

func appendCPE(dst []byte, version string) ([]byte, error) {
	k := cpeKey{dst: dst}
	s, _ := cutBuild(version)
	for {
		var t cpeToken
		if t, s = nextCPEToken(s); t.text == "" {
			break
		}
		k.append(t, s != "" && isDigit(s[0]))
	}
	switch {
	case !k.some:
		return nil, invalid("cpe", version)
	case k.pre:
		return append(k.dst, idEnd), nil
	}
	return append(k.dst, cpeEnd), nil
}

// A cpeToken is a number or a word and what separates it from the one before.
type cpeToken struct {
	text  string
	sep   byte // '~' or '-' if that is among the separators, else the last of them, 0 for none
	digit bool
}

// nextCPEToken cuts the first token from s; its text is empty at the end.
func nextCPEToken(s string) (t cpeToken, rest string) {
	for s != "" && !isDigit(s[0]) && !isCPELetter(s[0]) {
		if c := s[0]; t.sep != '~' && (t.sep != '-' || c == '~') {
			t.sep = c
		}
		s = s[1:]
	}
	if s != "" && isDigit(s[0]) {
		t.digit = true
		t.text, rest = cutDigits(s)
		return t, rest
	}
	i := 0
	for i < len(s) && isCPELetter(s[i]) {
		i++
	}
	t.text = s[:i]
	return t, s[i:]
}

// isCPELetter holds all that is not ASCII to be letters.
func isCPELetter(c byte) bool { return isAlpha(c) || c >= 0x80 }

// A cpeKey is a key being built.
type cpeKey struct {
	dst   []byte
	zeros int  // numbers 0 held back: they count if another number follows
	some  bool // a token was seen
	pre   bool // inside a pre-release
}

// append appends a token; digits says that one follows it at once.
func (k *cpeKey) append(t cpeToken, digits bool) {
	var buf [16]byte
	word := appendLower(buf[:0], t.text)
	first := !k.some
	k.some = true
	if !k.pre && t.isPre(word, digits) {
		k.dst = append(k.dst, cpePre)
		k.pre = true
	}
	switch {
	case k.pre && t.digit:
		k.dst = appendNumber(append(k.dst, idNumber), t.text)
	case k.pre:
		k.dst = append(appendLower(append(k.dst, idText), t.text), 0)
	case t.digit:
		k.appendNumber(t.text)
	case cpeNeutral[string(word)] || first && digits && string(word) == "v":
	default:
		k.dst = append(appendLower(append(k.dst, cpeWord), t.text), 0)
		k.zeros = 0
	}
}

// appendNumber appends a number outside of pre-releases.
func (k *cpeKey) appendNumber(digits string) {
	if isZeros(digits) {
		k.zeros++
		return
	}
	for ; k.zeros > 0; k.zeros-- {
		k.dst = append(k.dst, cpeNumber, 0)
	}
	k.dst = appendNumber(append(k.dst, cpeNumber), digits)
}

// isPre reports whether a token outside of pre-releases begins one. The word
// is the token in lower case, cut if it is long.
func (t cpeToken) isPre(word []byte, digits bool) bool {
	switch {
	case t.sep == '~':
		return true
	case t.digit:
		return false
	case cpePreWords[string(word)]:
		return true
	case len(word) == 1 && word[0] == 'm' && digits: // milestone, but Cisco's "15.4(3)m5"
		return t.sep == '-' || t.sep == '.'
	case len(word) == 1 && word[0] != 'a' && digits:
		return false
	}
	return t.sep == '-' && !cpeUpdates[string(word)]
}

// appendLower appends s in lower case.
func appendLower(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = append(dst, toLower(s[i]))
	}
	return dst
}

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// The words by which the update of a CPE name, or the tail of a version,
// tells a pre-release from an update: those that NVD's feeds use most.
var (
	cpePreWords = wordSet("alpha beta rc cr pre prerelease preview dev devel snapshot milestone nightly canary insider staging ea")
	cpeNeutral  = wordSet("final ga release stable")
	cpeUpdates  = wordSet("patch p pl sp su sr cu r s u update upd hotfix hf fix fixpack fp build b rev revision " +
		"service security cumulative maintenance supplemental content rolling interim production cert es esr lts " +
		"final ga release stable")
)
