package store

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// binaryEntries say of which source package a binary package is built, where
// the record names its binaries (Ubuntu's, SUSE's).
//
// An entry is a fact of the distribution and not of the record: its key has no
// ID, many records give the same one, and it stays when they go.
func binaryEntries(r *normalize.Record) []indexEntry {
	var entries []indexEntry
	for i := range r.Affected {
		a := &r.Affected[i]
		eco, source := a.Package.Ecosystem, a.Package.Name
		for _, name := range Binaries(a) {
			if name != source && eco != "" && strings.IndexByte(eco+source+name, 0) < 0 {
				entries = append(entries, indexEntry{binaryTag, eco + "\x00" + name + "\x00" + source, nil})
			}
		}
	}
	return entries
}

// Binaries returns the binary packages that ecosystem_specific.binaries of an
// affected entry names, sorted. It is a list of objects: Ubuntu's have the
// member binary_name, SUSE's a member a binary.
func Binaries(a *normalize.Affected) []string {
	if !bytes.Contains(a.EcosystemSpecific, []byte(`"binaries"`)) {
		return nil
	}
	var specific struct {
		Binaries []map[string]jsontext.Value `json:"binaries"`
	}
	if err := json.Unmarshal(a.EcosystemSpecific, &specific); err != nil {
		return nil // another shape, which says nothing that is known here
	}
	var names []string
	for _, b := range specific.Binaries {
		if v, ok := b["binary_name"]; ok {
			var name string
			if json.Unmarshal(v, &name) == nil && name != "" {
				names = append(names, name)
			}
			continue
		}
		for name := range b {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// SourcesOf returns the source packages of which the ecosystem (with its
// suffix, exactly) builds the binary package, as its records say: sorted, and
// none where they do not.
func (d *DB) SourcesOf(ecosystem, binary string) (names []string, err error) {
	err = d.scan(binaryBucket, []byte(ecosystem+"\x00"+binary+"\x00"), func(rest, _ []byte) error {
		names = append(names, string(rest))
		return nil
	})
	if errors.Is(err, errNoIndex) {
		return nil, nil
	}
	return names, err
}

// A seenSet remembers keys that were added lately, so that facts which many
// records repeat are sorted a few times instead of millions.
type seenSet map[string]struct{}

// seenLimit bounds a seenSet: about 100 bytes a key.
const seenLimit = 200_000

// add reports whether key is new, as far as the set remembers.
func (s seenSet) add(key string) bool {
	if _, ok := s[key]; ok {
		return false
	}
	if len(s) >= seenLimit {
		clear(s)
	}
	s[key] = struct{}{}
	return true
}
