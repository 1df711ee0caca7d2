package versioncmp

import (
	"bytes"
	"errors"
	"fmt"
)

var (
	// ErrNoOrder says that the ecosystem has no defined order of versions.
	ErrNoOrder = errors.New("ecosystem has no version order")
	// ErrInvalid says that the ecosystem's rule refuses the version.
	ErrInvalid = errors.New("invalid version")
)

// KeyVersion is the version of the encoding of keys. It is raised whenever a
// rule changes: keys of two encodings must not be compared.
const KeyVersion = 1

// A Scheme is a rule by which versions are ordered. Schemes are immutable and
// safe for use by many goroutines.
type Scheme struct {
	Name string

	// key appends the key of version to dst: bytes.Compare on keys is the
	// order. No key is the beginning of another, and none is empty.
	key func(dst []byte, version string) ([]byte, error)

	// compare, where it is not nil, decides between versions of one key: key
	// is then coarse. Keys that differ decide even so.
	compare func(a, b string) int
}

// Exact reports whether keys alone give the order.
func (s *Scheme) Exact() bool { return s.compare == nil }

// AppendKey appends the key of version to dst. Its error wraps ErrInvalid.
func (s *Scheme) AppendKey(dst []byte, version string) ([]byte, error) {
	return s.key(dst, version)
}

// Parse reads version. Its error wraps ErrInvalid.
func (s *Scheme) Parse(version string) (Version, error) {
	k, err := s.key(make([]byte, 0, 2*len(version)+16), version)
	if err != nil {
		return Version{}, err
	}
	return Version{scheme: s, text: version, key: k}, nil
}

// A Version is a parsed version.
type Version struct {
	scheme *Scheme
	text   string
	key    []byte
}

// String returns the version as it was written.
func (v Version) String() string { return v.text }

// Key returns the version's key; it must not be changed. It is coarse where
// the scheme is not Exact.
func (v Version) Key() []byte { return v.key }

// Compare returns -1, 0 or +1. Both versions must be of one scheme; the zero
// Version is below all others.
func (v Version) Compare(w Version) int {
	c := bytes.Compare(v.key, w.key)
	if c == 0 && v.scheme != nil && v.scheme.compare != nil {
		return v.scheme.compare(v.text, w.text)
	}
	return c
}

// Ordered reports whether v has a place in the order of its scheme. Only a
// branch of a Packagist package has none: it is equal to itself and is in no
// range, and a query for it can only look for it among the versions listed.
func (v Version) Ordered() bool {
	return v.scheme != packagistScheme || v.key[0] != packagistBranch
}

// errUnordered is why a branch ("dev-master") is in no range.
var errUnordered = fmt.Errorf("%w: a branch has no place in the order", ErrInvalid)

// appendBound is AppendKey of a version that is to bound a range.
func (s *Scheme) appendBound(dst []byte, version string) ([]byte, error) {
	from := len(dst)
	keys, err := s.key(dst, version)
	if err == nil && !(Version{scheme: s, key: keys[from:]}).Ordered() {
		return dst, fmt.Errorf("%q: %w", version, errUnordered)
	}
	return keys, err
}

// Parse reads a version of an ecosystem, which may carry a suffix such as
// ":v3.19". Its error wraps ErrNoOrder or ErrInvalid.
func Parse(ecosystem, version string) (Version, error) {
	s := For(ecosystem)
	if s == nil {
		return Version{}, fmt.Errorf("%s: %w", ecosystem, ErrNoOrder)
	}
	return s.Parse(version)
}

// invalid makes the error for a version that the rule named refuses.
func invalid(rule, version string) error {
	return fmt.Errorf("%q: %w by the %s rule", version, ErrInvalid, rule)
}
