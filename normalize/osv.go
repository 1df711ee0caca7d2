package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	// ErrEmpty says that a document holds nothing.
	ErrEmpty = errors.New("empty document")
	// ErrHTML says that a document is a web page, as servers send for errors.
	ErrHTML = errors.New("a web page, not data")
	// ErrNoID says that a document is no advisory: it has no ID.
	ErrNoID = errors.New("no id")
)

// OSV reads a document that is one OSV record in JSON. It is lenient: members
// that OSV does not define are kept, invalid UTF-8 is read as U+FFFD. Events
// are put into their ecosystem's order; nothing else is changed.
func OSV(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, nil)
}

// osvDocument reads one record and emits it after mend, which may be nil, has
// mended what the database is known to do differently.
func osvDocument(d Doc, emit func(*Record) error, mend func(d Doc, r *Record) error) error {
	data, err := readText(d.Body)
	if err != nil {
		return err
	}
	r, err := Decode(data)
	if err != nil {
		return err
	}
	return finishOSV(d, r, emit, mend)
}

func finishOSV(d Doc, r *Record, emit func(*Record) error, mend func(d Doc, r *Record) error) error {
	if r.ID == "" {
		return ErrNoID
	}
	if mend != nil {
		if err := mend(d, r); err != nil {
			return fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	r.sortRanges()
	return emit(r)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// readText reads a whole document of text: one record, not a feed. It cuts
// off a byte order mark, and names what is plainly no data.
func readText(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	return data, checkText(data)
}

// checkText looks at the first bytes of a document.
func checkText(head []byte) error {
	switch head = bytes.TrimLeft(head, " \t\r\n"); {
	case len(head) == 0:
		return fmt.Errorf("offset 0: %w", ErrEmpty)
	case head[0] == '<':
		return fmt.Errorf("offset 0: %w", ErrHTML)
	}
	return nil
}

// placed rewrites an error of the JSON library into a path: offset, member,
// cause.
func placed(err error) error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return placedAt(syntactic.ByteOffset, syntactic.JSONPointer, syntactic.Err)
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return err
	}
	cause := semantic.Err
	if cause == nil {
		cause = fmt.Errorf("%s where %s is expected", kindName(semantic.JSONKind), typeName(semantic.GoType))
	}
	return placedAt(semantic.ByteOffset, semantic.JSONPointer, cause)
}

func placedAt(offset int64, at jsontext.Pointer, cause error) error {
	if at == "" {
		return fmt.Errorf("offset %d: %w", offset, cause)
	}
	return fmt.Errorf("offset %d: %s: %w", offset, at[1:], cause)
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '{':
		return "object"
	case '[':
		return "array"
	}
	return k.String()
}

// typeName names the JSON kind that a Go type is read from.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	}
	return "number"
}
