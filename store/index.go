package store

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/versioncmp"
)

// An indexEntry is one pair of one index bucket.
type indexEntry struct {
	bucket byte // tag, see indexBuckets
	key    string
	value  []byte
}

// Tags of the index buckets, in the order in which they are loaded.
const (
	aliasTag   = 'a'
	binaryTag  = 'b'
	cpeTag     = 'c'
	gitTag     = 'g'
	packageTag = 'p'
)

// indexVersion is raised when other entries are made of the same record. A
// state of an older version answers with what it has; the next one that
// changes a record is written in full. States of before this number have 0.
const indexVersion = 1

// indexBuckets names the bucket of each tag.
var indexBuckets = map[byte][]byte{
	aliasTag: aliasBucket, binaryTag: binaryBucket, cpeTag: cpeBucket, gitTag: gitBucket, packageTag: packageBucket,
}

// indexEntries returns what the indexes have of a record. A withdrawn record
// is found by its names only: it affects nothing.
func indexEntries(r *normalize.Record) []indexEntry {
	entries := linkEntries(r)
	if r.Withdrawn != "" {
		return entries
	}
	for _, p := range cpeProducts(r) {
		entries = append(entries, indexEntry{cpeTag, p + "\x00" + r.ID, nil})
	}
	entries = append(append(entries, gitEntries(r)...), binaryEntries(r)...)
	return append(entries, packageEntries(r)...)
}

// linkEntries are the IDs that a record names.
func linkEntries(r *normalize.Record) []indexEntry {
	bits := map[string]byte{}
	for bit, ids := range map[byte][]string{aliasBit: r.Aliases, upstreamBit: r.Upstream, relatedBit: r.Related} {
		for _, id := range ids {
			if id != r.ID && strings.IndexByte(id, 0) < 0 {
				bits[id] |= bit
			}
		}
	}
	entries := make([]indexEntry, 0, len(bits)+len(r.Affected))
	for id, b := range bits {
		entries = append(entries, indexEntry{aliasTag, id + "\x00" + r.ID, []byte{b}})
	}
	return entries
}

// packageEntries are the packages that a record affects: one entry a package,
// holding one version set for each element of affected[].
func packageEntries(r *normalize.Record) []indexEntry {
	values := map[string][]byte{}
	var order []string
	for i := range r.Affected {
		a := &r.Affected[i]
		if a.Package.Ecosystem == "" || strings.IndexByte(a.Package.Ecosystem+a.Package.Name, 0) >= 0 {
			continue
		}
		key := packagePrefix(a.Package.Ecosystem, a.Package.Name) + r.ID
		if _, ok := values[key]; !ok {
			order = append(order, key)
		}
		set := Compile(a)
		values[key] = appendBytes(values[key], set.AppendBinary(nil))
	}
	entries := make([]indexEntry, len(order))
	for i, key := range order {
		entries[i] = indexEntry{packageTag, key, values[key]}
	}
	return entries
}

// packagePrefix is what the keys of a package in packageBucket begin with.
func packagePrefix(ecosystem, name string) string {
	return ecosystem + "\x00" + normalize.PackageKey(ecosystem, name) + "\x00"
}

// Compile compiles what one element of affected[] says of versions.
// Commit ranges are none of versions.
func Compile(a *normalize.Affected) *versioncmp.Set {
	ranges := make([][]versioncmp.Event, 0, len(a.Ranges))
	for _, r := range a.Ranges {
		if r.Type == normalize.Git {
			continue
		}
		ranges = append(ranges, versionEvents(r.Events))
	}
	return versioncmp.Compile(versioncmp.For(a.Package.Ecosystem), ranges, a.Versions)
}

func versionEvents(events []normalize.Event) []versioncmp.Event {
	list := make([]versioncmp.Event, 0, len(events))
	for _, e := range events {
		for _, x := range []versioncmp.Event{
			{Kind: versioncmp.Introduced, Version: e.Introduced},
			{Kind: versioncmp.Fixed, Version: e.Fixed},
			{Kind: versioncmp.LastAffected, Version: e.LastAffected},
			{Kind: versioncmp.Limit, Version: e.Limit},
		} {
			if x.Version != "" {
				list = append(list, x)
			}
		}
	}
	return list
}

// An Affected is what the package index has of one record for one package.
type Affected struct {
	ID   string
	Sets []versioncmp.Set // one for each element of affected[]: affected if one of them says so
}

// Package calls yield with each record that is not withdrawn and affects the
// package in the ecosystem (with its suffix, exactly), in the order of IDs,
// until it returns an error. What yield gets is good during the call only.
func (d *DB) Package(ecosystem, name string, yield func(Affected) error) error {
	scheme := versioncmp.For(ecosystem)
	var sets []versioncmp.Set
	return d.scan(packageBucket, []byte(packagePrefix(ecosystem, name)), func(id, v []byte) error {
		sets = sets[:0]
		for len(v) > 0 {
			var b []byte
			var err error
			if b, v, err = cutBytes(v); err != nil {
				return err
			}
			set, err := versioncmp.DecodeSet(scheme, b)
			if err != nil {
				return err
			}
			sets = append(sets, set)
		}
		return yield(Affected{string(id), sets})
	})
}

// compareEntries orders entries as their buckets are loaded.
func compareEntries(a, b indexEntry) int {
	if a.bucket != b.bucket {
		return int(a.bucket) - int(b.bucket)
	}
	return strings.Compare(a.key, b.key)
}

// sortEntries sorts entries as their buckets are loaded.
func sortEntries(entries []indexEntry) { slices.SortFunc(entries, compareEntries) }
