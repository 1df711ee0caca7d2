package sources

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
)

// A repoFile is one file that a repository's repomd.xml lists.
type repoFile struct {
	href string // below the repository
	algo string // of the checksum: sha, sha1, sha256, sha384, sha512
	sum  string // of the file as it is served, lower-case hex
}

// readRepomd returns the file of the kind, such as "updateinfo", that a
// repomd.xml lists; the zero repoFile if there is none.
//
// Source: createrepo_c, https://github.com/rpm-software-management/createrepo_c,
// src/xml_dump_repomd.c.
func readRepomd(r io.Reader, kind string) (repoFile, error) {
	var doc struct {
		XMLName xml.Name `xml:"repomd"`
		Data    []struct {
			Type     string `xml:"type,attr"`
			Checksum struct {
				Type  string `xml:"type,attr"`
				Value string `xml:",chardata"`
			} `xml:"checksum"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
		} `xml:"data"`
	}
	dec := xml.NewDecoder(&limited{r: r, left: maxListing})
	if err := dec.Decode(&doc); err != nil {
		return repoFile{}, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	for {
		t, err := dec.Token()
		if err == io.EOF {
			break
		}
		if text, blank := t.(xml.CharData); err != nil || !blank || strings.TrimSpace(string(text)) != "" {
			return repoFile{}, fmt.Errorf("%w: data after the end of repomd", ErrIncomplete)
		}
	}
	if len(doc.Data) == 0 {
		return repoFile{}, fmt.Errorf("%w: repomd lists nothing", ErrIncomplete)
	}
	for _, d := range doc.Data {
		f := repoFile{href: d.Location.Href, algo: d.Checksum.Type, sum: strings.ToLower(strings.TrimSpace(d.Checksum.Value))}
		if d.Type == kind && path.Ext(f.href) != ".zck" {
			return f, f.check()
		}
	}
	return repoFile{}, nil
}

// check refuses what does not name a file of the repository, and a checksum
// that cannot be compared.
func (f repoFile) check() error {
	if err := checkName(f.href); err != nil {
		return err
	}
	h := f.hash()
	if b, err := hex.DecodeString(f.sum); h == nil || err != nil || len(b) != h.Size() {
		return fmt.Errorf("%w: checksum of %s is %s %.80q", ErrIncomplete, f.href, f.algo, f.sum)
	}
	return nil
}

// hash returns the function by which the checksum was made, nil for one that
// is not known.
func (f repoFile) hash() hash.Hash {
	switch f.algo {
	case "sha", "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	case "sha384":
		return sha512.New384()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// verified returns a reader of what r yields that ends in ErrChecksum unless
// all of it has f's checksum.
func (f repoFile) verified(r io.Reader) io.Reader {
	return &verifying{r: r, file: f, hash: f.hash()}
}

type verifying struct {
	r    io.Reader
	file repoFile
	hash hash.Hash
}

func (v *verifying) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.hash.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(v.hash.Sum(nil)); got != v.file.sum {
			return 0, fmt.Errorf("%w: %s is %s, repomd says %s", ErrChecksum, v.file.algo, got, v.file.sum)
		}
	}
	return n, err
}
