package query

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/tagvalue"
)

// ErrSBOM says that a file is no SBOM of a kind that is read here.
var ErrSBOM = errors.New("not an SBOM (CycloneDX JSON or XML, SPDX 2 JSON or tag-value)")

// maxSBOM bounds the size of an SBOM, in bytes.
const maxSBOM = 256 << 20

// A Component is one package of an SBOM.
type Component struct {
	Name    string
	Version string
	Purl    string // empty where the SBOM has none: then it cannot be matched
}

// ReadSBOM reads the components of an SBOM, each once, in the order of the
// document: CycloneDX (components within components too) and SPDX 2.
func ReadSBOM(r io.Reader) ([]Component, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSBOM+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSBOM {
		return nil, fmt.Errorf("over %d bytes: %w", maxSBOM, ErrSBOM)
	}
	head := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		return readCycloneDX(head, cyclonedx.BOMFileFormatXML)
	case bytes.HasPrefix(head, []byte("{")) && bytes.Contains(head, []byte(`"spdxVersion"`)):
		return readSPDX(spdxjson.Read(bytes.NewReader(head)))
	case bytes.HasPrefix(head, []byte("{")) && bytes.Contains(head, []byte(`"CycloneDX"`)):
		return readCycloneDX(head, cyclonedx.BOMFileFormatJSON)
	case bytes.Contains(head, []byte("SPDXVersion:")):
		return readSPDX(tagvalue.Read(bytes.NewReader(head)))
	}
	return nil, ErrSBOM
}

func readCycloneDX(data []byte, format cyclonedx.BOMFileFormat) ([]Component, error) {
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(data), format).Decode(&bom); err != nil {
		return nil, fmt.Errorf("CycloneDX: %w", err)
	}
	if format == cyclonedx.BOMFileFormatXML && !strings.Contains(bom.XMLNS, "cyclonedx") {
		return nil, ErrSBOM
	}
	list := componentSet{}
	list.addAll(bom.Components)
	return list.order, nil
}

func readSPDX(doc *spdx.Document, err error) ([]Component, error) {
	if err != nil {
		return nil, fmt.Errorf("SPDX: %w", err)
	}
	list := componentSet{}
	for _, p := range doc.Packages {
		c := Component{Name: p.PackageName, Version: p.PackageVersion}
		for _, ref := range p.PackageExternalReferences {
			if ref.RefType == "purl" {
				c.Purl = ref.Locator
			}
		}
		list.add(c)
	}
	return list.order, nil
}

// componentSet keeps components once, in the order in which they came.
type componentSet struct {
	seen  map[Component]bool
	order []Component
}

func (s *componentSet) add(c Component) {
	if s.seen == nil {
		s.seen = map[Component]bool{}
	}
	if !s.seen[c] {
		s.seen[c] = true
		s.order = append(s.order, c)
	}
}

func (s *componentSet) addAll(list *[]cyclonedx.Component) {
	if list == nil {
		return
	}
	for _, c := range *list {
		name := c.Name
		if c.Group != "" {
			name = c.Group + "/" + name
		}
		// Files and the operating system itself are no packages.
		if c.Type != cyclonedx.ComponentTypeFile && c.Type != cyclonedx.ComponentTypeOS {
			s.add(Component{name, c.Version, c.PackageURL})
		}
		s.addAll(c.Components)
	}
}
