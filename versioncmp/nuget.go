package versioncmp

import (
	"strconv"
	"strings"
)

// nugetScheme is the order of NuGet.Versioning's VersionComparer.Default: up
// to four numbers, missing ones 0, then the labels of a pre-release without
// regard to case. A label that is a 32-bit integer, which may have leading
// zeros and a minus sign, is a number, below all text; one out of that range
// is text. Metadata does not count.
//
// Lax: a leading v; numbers over 32 bits, compared exactly; and labels of
// digits with leading zeros. NuGetVersion.Parse refuses all three.
var nugetScheme = &Scheme{Name: "nuget", key: appendNuGet}

func appendNuGet(dst []byte, version string) ([]byte, error) {
	s := strings.TrimSpace(version)
	if s != "" && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	v, s := cutSemver(s)
	var revision string
	if v.patch != "" {
		revision, s = cutDotDigits(s)
	}
	dst = appendNumber(v.appendNumbers(dst), revision)
	ok := v.major != ""
	if strings.HasPrefix(s, "-") {
		var labels string
		labels, s = cutBuild(s[1:])
		ok = ok && isIdentifiers(labels)
		dst = appendLabels(dst, labels)
	} else {
		dst = append(dst, idRelease)
	}
	metadata, plus := strings.CutPrefix(s, "+")
	if !ok || !plus && s != "" || plus && !isIdentifiers(metadata) {
		return nil, invalid("nuget", version)
	}
	return dst, nil
}

func appendLabels(dst []byte, s string) []byte {
	for label := range strings.SplitSeq(s, ".") {
		if n, ok := labelNumber(label); ok {
			biased := uint32(n) ^ 1<<31
			dst = append(dst, idNumber, byte(biased>>24), byte(biased>>16), byte(biased>>8), byte(biased))
			continue
		}
		dst = append(dst, idText)
		for i := range len(label) {
			dst = append(dst, upper(label[i]))
		}
		dst = append(dst, 0)
	}
	return append(dst, idEnd)
}

// labelNumber reads what .NET's int.TryParse takes of a label.
func labelNumber(label string) (int32, bool) {
	digits := strings.TrimPrefix(label, "-")
	if !isNumber(digits) {
		return 0, false
	}
	n, err := strconv.ParseInt(label, 10, 32)
	return int32(n), err == nil
}

func upper(c byte) byte {
	if isLower(c) {
		return c - 'a' + 'A'
	}
	return c
}
