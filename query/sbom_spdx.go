package query

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// packages reads SPDX 2's.
//
// Source: SPDX 2.3, clauses 7 (package information) and 7.21 (external
// references, types in annex F).
func (d *draft) packages(w walker) error {
	var it item
	return w.objects(func() { it = item{} }, func(name string) error {
		switch name {
		case "name":
			return w.text(&it.Name)
		case "versionInfo":
			return w.text(&it.Version)
		case "SPDXID":
			return w.text(&it.ref)
		case "primaryPackagePurpose":
			var purpose string
			err := w.text(&purpose)
			it.setPurpose(purpose)
			return err
		case "externalRefs":
			return it.externalRefs(w)
		}
		return w.dec.SkipValue()
	}, func() error { return d.add(it) })
}

func (it *item) externalRefs(w walker) error {
	var kind, locator string
	return w.objects(func() { kind, locator = "", "" }, func(name string) error {
		switch name {
		case "referenceType":
			return w.text(&kind)
		case "referenceLocator":
			return w.text(&locator)
		}
		return w.dec.SkipValue()
	}, func() error { it.identify(kind, locator); return nil })
}

// identify takes a reference of one of the types of SPDX in; the first of a
// type counts.
func (it *item) identify(kind, locator string) {
	switch kind {
	case "purl", "packageUrl":
		if it.Purl == "" {
			it.Purl = locator
		}
	case "cpe23Type", "cpe23", "cpe22Type", "cpe22":
		if it.CPE == "" {
			it.CPE = locator
		}
	case "swid":
		it.swid = true
	}
}

// setPurpose: as elsewhere in SPDX, OPERATING-SYSTEM and OPERATING_SYSTEM are
// both written, and operatingSystem in version 3.
func (it *item) setPurpose(purpose string) {
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(purpose)) {
	case "operatingsystem":
		it.system = true
	case "file":
		it.file = true
	}
}

// describes is in each relationship that names the document's subject.
var describes = []byte(`"DESCRIBES"`)

// relationships finds the package of which the document is.
func (d *draft) relationships(w walker) error {
	return w.array(func() error {
		v, err := w.dec.ReadValue()
		if err != nil || !bytes.Contains(v, describes) {
			return err
		}
		r := newWalker(bytes.NewReader(v))
		return r.object(func(name string) error {
			if name == "relatedSpdxElement" {
				return r.text(&d.root)
			}
			return r.dec.SkipValue()
		})
	})
}

// graph reads the elements of SPDX 3.
//
// Source: SPDX 3.0.1, classes Software/Package, Core/ExternalIdentifier,
// Core/SpdxDocument.
func (d *draft) graph(w walker) error {
	var it item
	var class string
	return w.objects(func() { it, class = item{}, "" }, func(name string) error {
		switch name {
		case "type", "@type":
			return w.text(&class)
		case "spdxId", "@id":
			return w.text(&it.ref)
		case "name":
			return w.text(&it.Name)
		case "software_packageVersion":
			return w.text(&it.Version)
		case "software_packageUrl":
			return w.text(&it.Purl)
		case "software_primaryPurpose":
			var purpose string
			err := w.text(&purpose)
			it.setPurpose(purpose)
			return err
		case "externalIdentifier":
			return it.identifiers(w)
		case "rootElement":
			return w.array(func() error { return w.text(&d.root) })
		}
		return w.dec.SkipValue()
	}, func() error {
		switch class {
		case "software_Package":
			return d.add(it)
		case "SpdxDocument":
			d.id = it.ref
		}
		return nil
	})
}

func (it *item) identifiers(w walker) error {
	var kind, text string
	return w.objects(func() { kind, text = "", "" }, func(name string) error {
		switch name {
		case "externalIdentifierType":
			return w.text(&kind)
		case "identifier":
			return w.text(&text)
		}
		return w.dec.SkipValue()
	}, func() error { it.identify(kind, text); return nil })
}

// hasYAML reports whether a line begins with a member that every document of
// SPDX 2 has; which one it is depends on the order of the writer.
func hasYAML(head []byte) bool {
	for line := range bytes.Lines(head) {
		switch name, _, _ := bytes.Cut(line, []byte(":")); strings.Trim(string(name), `"'`) {
		case "spdxVersion", "SPDXID", "creationInfo", "dataLicense", "documentNamespace":
			return true
		}
	}
	return false
}

// maxYAML bounds a document in YAML, in bytes: it is held whole.
const maxYAML = 64 << 20

// readYAML reads SPDX 2.
func readYAML(d *draft, r io.Reader) error {
	var doc struct {
		Version   string   `yaml:"spdxVersion"`
		Namespace string   `yaml:"documentNamespace"`
		Describes []string `yaml:"documentDescribes"`
		Packages  []struct {
			Name    string `yaml:"name"`
			Version string `yaml:"versionInfo"`
			ID      string `yaml:"SPDXID"`
			Purpose string `yaml:"primaryPackagePurpose"`
			Refs    []struct {
				Type    string `yaml:"referenceType"`
				Locator string `yaml:"referenceLocator"`
			} `yaml:"externalRefs"`
		} `yaml:"packages"`
	}
	data, err := io.ReadAll(io.LimitReader(r, maxYAML+1))
	if err != nil {
		return err
	}
	if len(data) > maxYAML {
		return fmt.Errorf("YAML over %d bytes", maxYAML)
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	if doc.Version == "" {
		return ErrSBOM
	}
	d.format, d.id = doc.Version, doc.Namespace
	for _, id := range doc.Describes {
		d.root = id
	}
	for _, p := range doc.Packages {
		it := item{Component: Component{Name: p.Name, Version: p.Version}, ref: p.ID}
		it.setPurpose(p.Purpose)
		for _, ref := range p.Refs {
			it.identify(ref.Type, ref.Locator)
		}
		if err := d.add(it); err != nil {
			return err
		}
	}
	return nil
}
