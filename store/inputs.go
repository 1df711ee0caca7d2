package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Inputs say what the parts of a source were made from.
type Inputs struct {
	// DirHash is over the documents, by name: the SHA-256, hexadecimal, of a
	// line "hash  name" for each (directory Hash1 of golang.org/x/mod/sumdb/dirhash,
	// "dirHash" of an in-toto DigestSet; sha256sum prints the same lines).
	DirHash string `json:"dir_hash,omitempty"`
	// SHA256 is that of the document, where there is one only.
	SHA256 string `json:"sha256,omitempty"`
	// URL is where all of it was fetched, where that is one place.
	URL string `json:"url,omitempty"`
	// Commit is the Git commit that the URL stood for.
	Commit string `json:"commit,omitempty"`
}

// inputs says what the parts of a source come from. A document that is not
// believed counts with the bytes that were believed last.
func (s *Store) inputs(source string) (in Inputs, err error) {
	all, n := sha256.New(), 0
	err = s.eachDoc(source, func(name string, e docEntry) bool {
		if !e.good.exists() {
			return true
		}
		if n++; n == 1 {
			in.SHA256 = hex.EncodeToString(e.good.hash[:])
		} else {
			in.SHA256 = ""
		}
		fmt.Fprintf(all, "%x  %s\n", e.good.hash, name)
		return true
	})
	if n > 0 {
		in.DirHash = hex.EncodeToString(all.Sum(nil))
	}
	return in, err
}
