package versioncmp

// appendNumber appends a number of any length, given as decimal digits, so
// that bytes.Compare is numeric order: leading zeros stripped, one byte of
// digit count (255: 255 digits and more follow), the digits two to a byte. The
// low half of an ASCII digit is its value.
func appendNumber(dst []byte, digits string) []byte {
	for digits != "" && digits[0] == '0' {
		digits = digits[1:]
	}
	n := len(digits)
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	dst = append(dst, byte(n))
	i := 1
	for ; i < len(digits); i += 2 {
		dst = append(dst, digits[i-1]<<4|digits[i]&0xf)
	}
	if i == len(digits) {
		dst = append(dst, digits[i-1]<<4)
	}
	return dst
}

// appendText appends s and a terminator below every byte of it. s must hold
// no NUL.
func appendText(dst []byte, s string) []byte {
	return append(append(dst, s...), 0)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isAlpha(c byte) bool { return isLower(c) || isUpper(c) }

// isNumber reports whether s is decimal digits, one at least.
func isNumber(s string) bool {
	_, rest := cutDigits(s)
	return s != "" && rest == ""
}

// cutDigits cuts s after its leading digits.
func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// cutAlpha cuts s after its leading ASCII letters.
func cutAlpha(s string) (letters, rest string) {
	i := 0
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	return s[:i], s[i:]
}
