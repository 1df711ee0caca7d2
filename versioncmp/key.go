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

// Tags of a list in which the end equals any run of zeros (nulls), so that
// 1 = 1.0 = 1.0.0 whatever follows: what comes next is a run of zeros and
// then something below zero, the end, or a run of zeros and then something
// above zero.
const (
	zerosThenBelow = 1
	zerosThenEnd   = 2
	zerosThenAbove = 3
)

// appendZerosBelow appends the tag and length of a run of zeros that
// something below zero ends: the longer run is the greater.
func appendZerosBelow(dst []byte, n int) []byte {
	dst = append(dst, zerosThenBelow)
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(dst, byte(n))
}

// appendZerosAbove appends the tag and length of a run of zeros that
// something above zero ends: the longer run is the lesser.
func appendZerosAbove(dst []byte, n int) []byte {
	dst = append(dst, zerosThenAbove)
	for ; n >= 255; n -= 255 {
		dst = append(dst, 0)
	}
	return append(dst, byte(255-n))
}
