package cpe

import (
	"fmt"
	"strings"
)

// parseURI reads a URI of CPE 2.2: up to seven components, of which the
// sixth may hold five attributes packed with "~".
//
// Source: NISTIR 7695, section 6.1.
func parseURI(s string) (Name, error) {
	n := anyName()
	parts := strings.Split(s[5:], ":")
	if len(parts) > 7 {
		return Name{}, fmt.Errorf("%q: %w: more than 7 components", s, ErrInvalid)
	}
	targets := []*Value{&n.Part, &n.Vendor, &n.Product, &n.Version, &n.Update, &n.Edition, &n.Language}
	for i, p := range parts {
		if i == 5 && strings.HasPrefix(p, "~") {
			if err := n.unpack(p); err != nil {
				return Name{}, fmt.Errorf("%q: %w", s, err)
			}
			continue
		}
		v, err := decodeURI(p)
		if err != nil {
			return Name{}, fmt.Errorf("%q: component %d: %w", s, i+1, err)
		}
		*targets[i] = v
	}
	return n, n.check(s)
}

// unpack reads "~edition~sw_edition~target_sw~target_hw~other".
func (n *Name) unpack(p string) error {
	packed := strings.Split(p[1:], "~")
	if len(packed) > 5 {
		return fmt.Errorf("%w: edition packs more than 5 attributes", ErrInvalid)
	}
	for i, f := range []*Value{&n.Edition, &n.SWEdition, &n.TargetSW, &n.TargetHW, &n.Other} {
		if i == len(packed) {
			return nil
		}
		v, err := decodeURI(packed[i])
		if err != nil {
			return err
		}
		*f = v
	}
	return nil
}

// decodeURI reads one component: empty is ANY, %01 is "?", %02 is "*".
func decodeURI(p string) (Value, error) {
	switch p {
	case "", "*":
		return Any, nil
	case "-":
		return NA, nil
	}
	b := make([]byte, 0, len(p))
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c != '%' {
			b = appendLiteral(b, c)
			continue
		}
		if i+2 >= len(p) {
			return "", fmt.Errorf("%w: cut percent code", ErrInvalid)
		}
		hi, lo := unhex(p[i+1]), unhex(p[i+2])
		if hi < 0 || lo < 0 {
			return "", fmt.Errorf("%w: percent code %q", ErrInvalid, p[i:i+3])
		}
		i += 2
		switch c = byte(hi<<4 | lo); c {
		case 1:
			b = append(b, '?')
		case 2:
			b = append(b, '*')
		default:
			b = appendLiteral(b, c)
		}
	}
	v := Value(strings.ToLower(string(b)))
	if v == NA {
		v = `\-` // a hyphen that was written as %2d
	}
	return v, nil
}

func appendLiteral(b []byte, c byte) []byte {
	if needsQuote(c) {
		b = append(b, '\\')
	}
	return append(b, c)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
