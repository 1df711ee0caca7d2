package sources

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// state is what a Mirror keeps between sessions, beside the documents.
type state struct {
	Validators map[string]validator `json:"validators,omitempty"` // by URL
	Cursor     jsontext.Value       `json:"cursor,omitzero"`
}

// A validator is what upstream said by which to ask again for a URL.
type validator struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"` // Last-Modified, as sent
	Commit   string `json:"commit,omitempty"`   // git commit that an archive says it is of
	// Owner names what the validator vouches for: a document, a folder of
	// documents with a slash at its end, or "" for the cursor.
	Owner string `json:"owner,omitempty"`
}

func (s *state) decode(data []byte) error {
	if len(data) > 0 {
		if err := json.Unmarshal(data, s); err != nil {
			return err
		}
	}
	if s.Validators == nil {
		s.Validators = map[string]validator{}
	}
	return nil
}

// encode returns the same bytes for the same state.
func (s *state) encode() ([]byte, error) {
	return json.Marshal(s, json.Deterministic(true))
}

func (s *state) loadCursor(v any) error {
	if len(s.Cursor) == 0 {
		return nil
	}
	if err := json.Unmarshal(s.Cursor, v); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	return nil
}

func (s *state) setCursor(v any) error {
	if v == nil {
		return nil
	}
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	s.Cursor = data
	return nil
}

// disown drops the validators that vouch for the document name.
func (s *state) disown(name string) {
	for url, v := range s.Validators {
		if v.Owner == name {
			delete(s.Validators, url)
		}
	}
}
