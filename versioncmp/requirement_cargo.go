package versioncmp

// readCargo reads a requirement of Cargo ("Specifying Dependencies"): commas
// between comparators, and a version without operator is a caret one. Before
// <, <=, > and >= missing numbers are zeros, as RustSec's own conversion to
// OSV has it: "> 0" excludes 0.0.0 alone.
func readCargo(text string) ([]clause, error) {
	c, err := conjunction(text, "<>=~^", " \t\r\n,", expandCargo)
	return []clause{c}, err
}

func expandCargo(c comparator) ([]Span, error) {
	p, err := parsePartial(c.version)
	if err != nil {
		return nil, err
	}
	n := len(p.numbers)
	switch c.op {
	case "", "^":
		if n == 0 {
			return everything, nil
		}
		return from(p.String(), p.bump(p.caretLevel())), nil
	case "~":
		if n == 0 {
			return everything, nil
		}
		return from(p.String(), p.bump(min(n, 2)-1)), nil
	case "=":
		if n == 0 {
			return everything, nil
		}
		if n < 3 {
			return from(p.String(), p.bump(n-1)), nil
		}
	case ">=":
		if n == 1 && p.numbers[0] == "0" {
			return everything, nil
		}
	}
	if n == 0 {
		return wildcard(c.op)
	}
	return comparator{c.op, p.String()}.spans()
}
