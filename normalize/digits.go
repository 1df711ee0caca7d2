package normalize

func isDigitByte(c byte) bool { return '0' <= c && c <= '9' }

// isNumber reports whether s is one decimal digit or more, and nothing else.
func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigitByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// incrementDigits adds one to a decimal number of any length.
func incrementDigits(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != '9' {
			b[i]++
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}
