package sources

import "io"

// Documents keeps the documents of one source. A store implements it; it is
// used by one goroutine.
type Documents interface {
	// Put makes what r yields the document name, and reports whether it
	// differs from what is there. It counts only after Commit. An error of r
	// leaves the document as it was.
	Put(name string, r io.Reader) (changed bool, err error)
	// Delete takes the document away; it counts only after Commit.
	Delete(name string) error
	// Names calls yield with the names of all documents as of the last
	// Commit, sorted, until it returns false.
	Names(yield func(name string) bool) error
	// Load returns the state given to the last Commit, nil before the first.
	Load() ([]byte, error)
	// Commit makes puts and deletes since the last Commit, and state, durable
	// in one step. With nothing put, nothing deleted and the same state it
	// writes nothing.
	Commit(state []byte) error
}

// A Copier is a Documents that can keep what a document was before it becomes
// another.
type Copier interface {
	// Copy makes the document to what from was at the last Commit, of a
	// document that was not believed the last that was. It counts only after
	// Commit.
	Copy(to, from string) error
}
