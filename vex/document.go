package vex

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	// ErrFormat says that a document is none of VEX.
	ErrFormat = errors.New("not a VEX document (OpenVEX, CycloneDX with vulnerabilities, CSAF)")
	// ErrInvalid says that a document breaks a rule of its format, and where.
	ErrInvalid = errors.New("invalid")
)

// maxDocument bounds a document, in bytes.
const maxDocument = 64 << 20

// A Status is what a statement says of a vulnerability in a product.
type Status string

// Statuses. The first three suppress.
const (
	NotAffected        Status = "not_affected"
	Fixed              Status = "fixed"
	FalsePositive      Status = "false_positive"
	Affected           Status = "affected"
	UnderInvestigation Status = "under_investigation"
)

func (s Status) suppresses() bool { return s == NotAffected || s == Fixed || s == FalsePositive }

// A Statement is one of a document.
type Statement struct {
	IDs           []string // of the vulnerability
	Products      []Product
	Status        Status
	Justification string // one of OpenVEX's, empty where there is none
	Detail        string // in words
	Time          time.Time
	Place         string // in the document: a JSON pointer
}

// A Product is what a statement is about.
type Product struct {
	Thing
	// Parts, if there are any, narrow the statement to these packages within
	// the product.
	Parts []Thing
	// Versions, if there are any, are those of the product that are meant.
	Versions []string
}

// A Thing is a package, or whatever has a name that machines know. Empty
// members are not known.
type Thing struct {
	Purl string
	CPE  string
	Ref  string // bom-ref, in the SBOM with the ID
	SBOM string // empty: in any
}

// A Document is a VEX document.
type Document struct {
	Name       string // as given to Read
	Format     string
	Statements []Statement
}

// Read reads a document. Errors say where in it; they wrap ErrFormat or
// ErrInvalid where reading itself went well.
func Read(name string, r io.Reader) (*Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("over %d bytes: %w", maxDocument, ErrFormat)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if head := bytes.TrimLeft(data, " \t\r\n"); !bytes.HasPrefix(head, []byte("{")) {
		return nil, ErrFormat
	}
	var mark struct {
		Context   jsontext.Value `json:"@context"`
		BOMFormat jsontext.Value `json:"bomFormat"`
		Document  struct {
			CSAF jsontext.Value `json:"csaf_version"`
		} `json:"document"`
	}
	if err := decode(data, &mark); err != nil {
		return nil, err
	}
	d := &Document{Name: name}
	switch {
	case bytes.Contains(mark.Context, []byte("openvex")):
		d.Format, err = "OpenVEX", d.openVEX(data)
	case string(mark.BOMFormat) == `"CycloneDX"`:
		d.Format, err = "CycloneDX", d.cycloneDX(data)
	case len(mark.Document.CSAF) > 0:
		d.Format, err = "CSAF", d.csaf(data)
	default:
		return nil, ErrFormat
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func decode(data []byte, v any) error {
	err := json.Unmarshal(data, v, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Errorf("%s: offset %d: %w: %w", pointer(syntactic.JSONPointer), syntactic.ByteOffset, ErrInvalid, syntactic.Err)
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return fmt.Errorf("%s: offset %d: %w: %s does not belong there", pointer(semantic.JSONPointer), semantic.ByteOffset, ErrInvalid, semantic.JSONKind)
	}
	return err
}

func pointer(p jsontext.Pointer) string {
	if p == "" {
		return "/"
	}
	return string(p)
}

// invalid is a broken rule at a place.
func invalid(place, format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", place, ErrInvalid, fmt.Sprintf(format, args...))
}

// parseTime reads the first of several times that is there; the zero time is
// before all others.
func parseTime(place string, list ...string) (time.Time, error) {
	for _, s := range list {
		if s == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return t, invalid(place, "time %q", s)
		}
		return t, nil
	}
	return time.Time{}, nil
}
