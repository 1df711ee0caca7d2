package versioncmp

import "strings"

// kernelScheme is the order of Linux kernel releases (kernel.org, "Active
// kernel releases"): any count of numbers, missing ones 0 ("6.6" is "6.6.0"),
// and a candidate below its release. No tool of the kernel's compares
// versions; SemVer would, but holds rc10 to be text below rc9, so the number
// of a candidate is split off here: 6.7-rc9 < 6.7-rc10 < 6.7 < 6.7.1.
//
// Whatever else a hyphen introduces is read as a candidate is, and what a plus
// sign introduces is not compared.
var kernelScheme = &Scheme{Name: "kernel", key: appendKernel}

// What may come after each number, least first.
const (
	kernelPre    = 1
	kernelEnd    = 2
	kernelNumber = 3
)

func appendKernel(dst []byte, version string) ([]byte, error) {
	s, _ := cutBuild(strings.TrimPrefix(version, "v"))
	digits, s := cutDigits(s)
	if digits == "" {
		return nil, invalid("kernel", version)
	}
	dst = appendNumber(dst, digits)
	dst, s = appendKernelNumbers(dst, s)
	if s == "" {
		return append(dst, kernelEnd), nil
	}
	pre, ok := strings.CutPrefix(s, "-")
	if !ok {
		return nil, invalid("kernel", version)
	}
	if dst, ok = appendKernelPre(append(dst, kernelPre), pre); !ok {
		return nil, invalid("kernel", version)
	}
	return dst, nil
}

// appendKernelNumbers appends the numbers after the first, without trailing
// zeros.
func appendKernelNumbers(dst []byte, s string) ([]byte, string) {
	keep := len(dst)
	for {
		digits, rest := cutDotDigits(s)
		if digits == "" {
			return dst[:keep], s
		}
		s = rest
		dst = appendNumber(append(dst, kernelNumber), digits)
		if strings.Trim(digits, "0") != "" {
			keep = len(dst)
		}
	}
}

// appendKernelPre appends the words and numbers of s, which dots and hyphens
// may separate. It reports whether there is one and nothing else.
func appendKernelPre(dst []byte, s string) ([]byte, bool) {
	ok := false
	for s != "" {
		var item string
		switch c := s[0]; {
		case isDigit(c):
			item, s = cutDigits(s)
			dst = appendNumber(append(dst, idNumber), item)
			ok = true
		case isAlpha(c):
			item, s = cutAlpha(s)
			dst = appendText(append(dst, idText), item)
			ok = true
		case c == '.' || c == '-' || c == '_':
			s = s[1:]
		default:
			return dst, false
		}
	}
	return append(dst, idEnd), ok
}
