package versioncmp

import (
	"bytes"
	"strings"
	"testing"
)

// TestAppendNumber orders numbers around every length at which the encoding
// changes.
func TestAppendNumber(t *testing.T) {
	numbers := []string{"0", "1", "9", "10", "11", "99", "100", "18446744073709551615", "18446744073709551616"}
	for _, n := range []int{253, 254, 255, 256, 509, 510, 511, 765} {
		numbers = append(numbers, "1"+strings.Repeat("0", n-1), strings.Repeat("9", n))
	}
	var last []byte
	for i, digits := range numbers {
		key := appendNumber(nil, digits)
		if i > 0 && (bytes.Compare(last, key) >= 0 || bytes.HasPrefix(key, last)) {
			t.Errorf("%s: %x after %x", digits, key, last)
		}
		if zeros := appendNumber(nil, "000"+digits); !bytes.Equal(zeros, key) {
			t.Errorf("%s: %x, with leading zeros %x", digits, key, zeros)
		}
		last = key
	}
	if key := appendNumber(nil, ""); !bytes.Equal(key, appendNumber(nil, "0")) {
		t.Errorf("no digits: %x", key)
	}
}

func TestAppendText(t *testing.T) {
	var last []byte
	for _, s := range []string{"", "-", "0", "A", "a", "a0", "aa", "b"} {
		key := appendText([]byte{}, s)
		if last != nil && (bytes.Compare(last, key) >= 0 || bytes.HasPrefix(key, last)) {
			t.Errorf("%q: %x after %x", s, key, last)
		}
		last = key
	}
}
