package snapshot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A transform is what a release did to every row of an enrichment table
// alike. A day of EPSS changes the date in all rows and the percentile in
// nearly all, by a rule that is much smaller than the rows: one constant, and
// one map from old to new numbers.
type transform struct {
	release uint64
	set     []memberValue // members that became one value in all rows
	maps    []memberMap   // members of which each old number became one new number
}

type memberValue struct {
	name  string
	value []byte // JSON
}

// A memberMap maps decimal numbers of up to scale digits behind the point,
// written as integers; a number that it lacks stays. Half a year of scores is a
// hundred maps of tens of thousands of numbers: 16 bytes a number, no more.
type memberMap struct {
	name  string
	scale int
	from  []int64 // ascending
	to    []int64 // what becomes of each of from
}

// get returns what becomes of a number.
func (m *memberMap) get(n int64) (int64, bool) {
	i, ok := slices.BinarySearch(m.from, n)
	if !ok {
		return 0, false
	}
	return m.to[i], true
}

// add puts a number behind those that are there.
func (m *memberMap) add(from, to int64) {
	m.from, m.to = append(m.from, from), append(m.to, to)
}

const (
	maxScale = 9       // digits behind the point that a mapped number may have
	maxPairs = 1 << 20 // numbers that a map may have
)

// apply returns what the transform makes of a row, a flat JSON object.
func (t *transform) apply(row *flatRow) {
	for _, s := range t.set {
		row.set(s.name, s.value)
	}
	for i := range t.maps {
		m := &t.maps[i]
		v := row.get(m.name)
		n, ok := parseDecimal(v, m.scale)
		if !ok {
			continue
		}
		if to, ok := m.get(n); ok {
			row.set(m.name, appendDecimal(nil, to, m.scale))
		}
	}
}

func (t *transform) empty() bool { return len(t.set)+len(t.maps) == 0 }

// parseDecimal reads a JSON number that is canonical, without exponent, and
// has at most scale digits behind the point, as an integer.
func parseDecimal(v []byte, scale int) (int64, bool) {
	whole, frac, _ := strings.Cut(string(v), ".")
	if len(frac) > scale || len(whole)+scale > 17 || whole == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", scale-len(frac)), 10, 64)
	if err != nil || n < 0 || string(appendDecimal(nil, n, scale)) != string(v) {
		return 0, false
	}
	return n, true
}

func appendDecimal(dst []byte, n int64, scale int) []byte {
	s := strconv.FormatInt(n, 10)
	if pad := scale + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	whole, frac := s[:len(s)-scale], strings.TrimRight(s[len(s)-scale:], "0")
	dst = append(dst, whole...)
	if frac != "" {
		dst = append(append(dst, '.'), frac...)
	}
	return dst
}

// digits is the number of digits behind the point, -1 for what is no plain number.
func digits(v []byte) int {
	i := bytes.IndexByte(v, '.')
	n := 0
	if i >= 0 {
		n = len(v) - i - 1
	}
	if n > maxScale {
		return -1
	}
	if _, ok := parseDecimal(v, n); !ok {
		return -1
	}
	return n
}

// A flatRow is a JSON object as its members, in the order of their names.
type flatRow struct {
	members []memberValue
}

// parse reads a canonical JSON object.
func (r *flatRow) parse(data []byte) error {
	r.members = r.members[:0]
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if tok, err := d.ReadToken(); err != nil || tok.Kind() != '{' {
		return fmt.Errorf("row: no object")
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return fmt.Errorf("row: %w", err)
		}
		n := name.String()
		v, err := d.ReadValue()
		if err != nil {
			return fmt.Errorf("row: %w", err)
		}
		r.members = append(r.members, memberValue{n, bytes.Clone(v)})
	}
	return nil
}

func (r *flatRow) get(name string) []byte {
	for i := range r.members {
		if r.members[i].name == name {
			return r.members[i].value
		}
	}
	return nil
}

// set changes a member that is there.
func (r *flatRow) set(name string, value []byte) {
	for i := range r.members {
		if r.members[i].name == name {
			r.members[i].value = value
		}
	}
}

// append writes the object again.
func (r *flatRow) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i, m := range r.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(dst, m.name)
		dst = append(append(dst, ':'), m.value...)
	}
	return append(dst, '}')
}

// applyTransforms returns what the transforms of releases after since make of
// a row that was so in release since.
func applyTransforms(list []transform, since uint64, data []byte, row *flatRow) ([]byte, error) {
	i := slices.IndexFunc(list, func(t transform) bool { return t.release > since })
	if i < 0 {
		return data, nil
	}
	if err := row.parse(data); err != nil {
		return nil, err
	}
	for ; i < len(list); i++ {
		list[i].apply(row)
	}
	return row.append(nil), nil
}

// appendTransforms writes the transforms of a segment up to release to.
func appendTransforms(dst []byte, list []transform, to uint64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for i := range list {
		t := &list[i]
		dst = binary.AppendUvarint(dst, to-t.release)
		dst = binary.AppendUvarint(dst, uint64(len(t.set)))
		for _, s := range t.set {
			dst = appendBytes(appendBytes(dst, []byte(s.name)), s.value)
		}
		dst = binary.AppendUvarint(dst, uint64(len(t.maps)))
		for j := range t.maps {
			dst = t.maps[j].append(dst)
		}
	}
	return dst
}

// append writes the old numbers as ascending differences, then, of each new
// number's difference to its old one, the difference to the one before.
func (m *memberMap) append(dst []byte) []byte {
	dst = appendBytes(dst, []byte(m.name))
	dst = binary.AppendUvarint(dst, uint64(m.scale))
	dst = binary.AppendUvarint(dst, uint64(len(m.from)))
	last := int64(0)
	for _, k := range m.from {
		dst = binary.AppendUvarint(dst, uint64(k-last))
		last = k
	}
	last = 0
	for i, k := range m.from {
		diff := m.to[i] - k
		dst = binary.AppendVarint(dst, diff-last)
		last = diff
	}
	return dst
}

// transforms reads what appendTransforms wrote, of a segment (from, to].
func (r *byteReader) transforms(from, to uint64) ([]transform, error) {
	var list []transform
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		age := r.uvarint()
		if age >= to-from || len(list) > 0 && to-age <= list[len(list)-1].release {
			return nil, fmt.Errorf("%w: transforms out of order", ErrSegment)
		}
		t := transform{release: to - age}
		for k := r.uvarint(); k > 0 && !r.bad; k-- {
			name := string(r.bytes())
			v := r.bytes()
			if !jsontext.Value(v).IsValid() {
				return nil, fmt.Errorf("%w: member %q", ErrSegment, name)
			}
			t.set = append(t.set, memberValue{name, bytes.Clone(v)})
		}
		for k := r.uvarint(); k > 0 && !r.bad; k-- {
			m, err := r.memberMap()
			if err != nil {
				return nil, err
			}
			t.maps = append(t.maps, m)
		}
		list = append(list, t)
	}
	if r.bad {
		return nil, fmt.Errorf("transforms: %w", ErrTruncated)
	}
	return list, nil
}

func (r *byteReader) memberMap() (memberMap, error) {
	m := memberMap{name: string(r.bytes())}
	scale, n := r.uvarint(), r.uvarint()
	if scale > maxScale || n > maxPairs || n > uint64(len(r.b)/2) {
		return m, fmt.Errorf("%w: map of %q", ErrSegment, m.name)
	}
	m.scale, m.from, m.to = int(scale), make([]int64, n), make([]int64, n)
	last := int64(0)
	for i := range m.from {
		step := int64(r.uvarint())
		if last += step; step < 0 || last < 0 || i > 0 && step == 0 {
			return m, fmt.Errorf("%w: map of %q is out of order", ErrSegment, m.name)
		}
		m.from[i] = last
	}
	last = 0
	for i, k := range m.from {
		last += r.varint()
		if k+last < 0 {
			return m, fmt.Errorf("%w: map of %q", ErrSegment, m.name)
		}
		m.to[i] = k + last
	}
	return m, nil
}

func (r *byteReader) varint() int64 {
	n, w := binary.Varint(r.b)
	if w <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[w:]
	return n
}
