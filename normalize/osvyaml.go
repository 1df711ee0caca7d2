package normalize

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// OSVYAML reads a document that is one OSV record in YAML (PyPA, OSS-Fuzz, R).
// Scalars are strings as they were written, whatever YAML takes them for (a
// version 1.10 stays "1.10"), except in database_specific and
// ecosystem_specific; times become RFC 3339 in UTC.
func OSVYAML(d Doc, emit func(*Record) error) error {
	root, err := readYAML(d.Body)
	if err != nil {
		return err
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %w: no mapping", root.Line, ErrYAML)
	}
	e := yamlEncoder{
		typed: map[string]bool{"database_specific": true, "ecosystem_specific": true},
		times: map[string]bool{"modified": true, "published": true, "withdrawn": true},
	}
	if err := e.append(root, false, 0); err != nil {
		return err
	}
	r, err := Decode(e.out)
	if err != nil {
		return fmt.Errorf("as JSON: %w", err)
	}
	return finishOSV(d, r, emit, nil)
}
