package normalize

import "io"

// A Doc is one document of a source: bytes as upstream served them
// (decompressed, where the transport or the file was compressed).
type Doc struct {
	Source string    // the source's name, as in the source table
	Name   string    // the document's name within its source, slash-separated, such as "v3.19/main.json"
	Body   io.Reader // read once, from the start

	// Report takes what the parser left out of the document, and why. It may
	// be nil. What is reported is counted and listed by "advdb sources".
	Report func(Finding)
}

// report hands f to d.Report where there is one.
func (d Doc) report(f Finding) {
	if d.Report != nil {
		d.Report(f)
	}
}

// A Finding is something wrong in an upstream document or record that did not
// stop the rest: an entry left out, or a record that breaks a rule of OSV.
type Finding struct {
	Place   string `json:"place"`   // ID, package, line or offset
	Rule    string `json:"rule"`    // short stable name, such as "unreadable-entry" or "events-order"
	Message string `json:"message"` // what a person needs to see what is meant
}

// A Parser reads d and emits what it says, as OSV.
//
// One ID may be emitted several times: the pieces are one part and are united
// (see [Unite]), so that a feed ordered by package needs no memory to become
// records ordered by ID. An error means that the document as a whole cannot
// be read (not JSON, truncated, another shape, something after its end); it
// names the place (offset, line, member). A single bad entry is no error: it
// goes to d.Report and the rest goes on. emit's error stops the parse and is
// returned as it is.
//
// The record is the callee's from the moment it is emitted.
type Parser func(d Doc, emit func(*Record) error) error
