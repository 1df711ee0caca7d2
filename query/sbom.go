package query

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrSBOM says that a file is no SBOM of a kind that is read here.
var ErrSBOM = errors.New("not an SBOM (CycloneDX JSON or XML; SPDX 2 JSON, tag-value, YAML or RDF/XML; SPDX 3 JSON-LD)")

// Limits of SBOMs: what is beyond them is refused.
const (
	maxSBOM       = 512 << 20 // bytes
	maxComponents = 1 << 20
)

// A Component is one package of an SBOM.
type Component struct {
	Name    string
	Version string
	Purl    string // empty where the SBOM has none: then it cannot be matched but by CPE
	CPE     string `json:",omitzero"` // by which it is matched where its purl cannot be

	// Distro is the operating system of the SBOM ("debian-12"), which holds for
	// purls of its packages without the qualifier distro.
	Distro string `json:",omitzero"`
}

// An SBOM is what is read of one.
type SBOM struct {
	Format     string         // such as "CycloneDX 1.5" or "SPDX-2.3"
	ID         string         // serial number or document namespace; may be empty
	Subject    Component      // what it is the SBOM of; may be zero
	Components []Component    // each once, in the order of the document
	Refs       map[string]int // bom-ref or SPDX ID → index in Components; -1: the subject
	Notes      []string       // what of it is not used
}

// ReadSBOM reads the components of an SBOM: see [ParseSBOM].
func ReadSBOM(r io.Reader) ([]Component, error) {
	s, err := ParseSBOM(r)
	if err != nil {
		return nil, err
	}
	return s.Components, nil
}

// ParseSBOM reads an SBOM: CycloneDX 1.2 to 1.7 as JSON or XML (components
// within components too), SPDX 2 as JSON, tag-value, YAML or RDF/XML, and SPDX 3
// as JSON-LD. It holds nothing of it but what it returns. Errors say where in
// the document, those of what is no SBOM wrap ErrSBOM.
func ParseSBOM(r io.Reader) (*SBOM, error) {
	in := &limited{r: r, left: maxSBOM}
	b := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := b.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		b.Discard(3)
	}
	head, err := b.Peek(4 << 10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	d := &draft{refs: map[string]int{}}
	read, err := reader(head)
	if err != nil {
		return nil, err
	}
	if err := read(d, b); err != nil {
		return nil, errors.Join(in.err, err)
	}
	return d.finish()
}

// reader tells by the first bytes of a document how it is to be read.
func reader(head []byte) (func(*draft, io.Reader) error, error) {
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("{")):
		return readJSON, nil
	case bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("rdf:RDF")):
		return readRDF, nil
	case bytes.HasPrefix(head, []byte("<")):
		return readXML, nil
	case bytes.HasPrefix(head, []byte("SPDXVersion:")) || bytes.Contains(head, []byte("\nSPDXVersion:")):
		return readTagValue, nil
	case hasYAML(head):
		return readYAML, nil
	}
	return nil, ErrSBOM
}

// limited is a reader that ends with an error instead of going on for ever.
type limited struct {
	r    io.Reader
	left int64
	err  error // why it ended
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		l.err = fmt.Errorf("over %d bytes: %w", maxSBOM, ErrSBOM)
		return 0, l.err
	}
	n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}

// A draft is an SBOM that is being read.
type draft struct {
	format  string
	id      string
	subject item
	root    string // the reference of the subject, where it is one of the components
	list    []Component
	seen    map[Component]int
	refs    map[string]int
	systems []string // operating systems, "debian-12"
	swid    int      // components that have a SWID tag and nothing else
}

// An item is one component as documents have it.
type item struct {
	Component
	ref    string
	swid   bool
	system bool // it is an operating system
	file   bool
}

// errTooMany says that an SBOM has more components than are read.
var errTooMany = fmt.Errorf("over %d components", maxComponents)

// add takes a component in. Files are none, and neither is an operating
// system, but it is remembered.
func (d *draft) add(it item) error {
	if it.system {
		d.addSystem(it)
	}
	if it.system || it.file {
		return nil
	}
	if it.swid && it.Purl == "" && it.CPE == "" {
		d.swid++
	}
	if d.seen == nil {
		d.seen = map[Component]int{}
	}
	at, ok := d.seen[it.Component]
	if !ok {
		if at = len(d.list); at == maxComponents {
			return errTooMany
		}
		d.seen[it.Component] = at
		d.list = append(d.list, it.Component)
	}
	if it.ref != "" {
		d.refs[it.ref] = at
	}
	return nil
}

func (d *draft) addSystem(it item) {
	name := strings.ToLower(it.Name)
	if it.Version != "" {
		name += "-" + it.Version
	}
	for _, s := range d.systems {
		if s == name {
			return
		}
	}
	d.systems = append(d.systems, name)
}

// finish makes the SBOM.
func (d *draft) finish() (*SBOM, error) {
	if d.format == "" {
		return nil, ErrSBOM
	}
	s := &SBOM{Format: d.format, ID: d.id, Subject: d.subject.Component, Components: d.list, Refs: d.refs}
	if d.subject.ref != "" {
		s.Refs[d.subject.ref] = -1
	}
	if at, ok := d.refs[d.root]; ok && d.root != "" {
		s.Subject = d.list[at]
	}
	if len(d.systems) == 1 {
		for i := range s.Components {
			s.Components[i].Distro = distroFor(s.Components[i].Purl, d.systems[0])
		}
	} else if len(d.systems) > 1 {
		s.Notes = append(s.Notes, "several operating systems ("+strings.Join(d.systems, ", ")+"): packages must say their own in the purl")
	}
	if d.swid > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d components have a SWID tag and neither purl nor CPE: such tags are not matched", d.swid))
	}
	return s, nil
}

// distroFor returns the operating system where it says more of a package's
// purl than the purl itself.
func distroFor(purl, system string) string {
	for _, typ := range []string{"pkg:apk/", "pkg:deb/", "pkg:rpm/"} {
		if strings.HasPrefix(purl, typ) && !strings.Contains(purl, "distro=") && !strings.Contains(purl, "distro_name=") {
			return system
		}
	}
	return ""
}
