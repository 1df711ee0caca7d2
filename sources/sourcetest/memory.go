package sourcetest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
)

// Memory is a sources.Documents in memory. Its zero value is empty.
type Memory struct {
	docs  map[string][]byte
	state []byte

	pending map[string][]byte // nil value: deleted
	writes  int
}

// Put reads r and stages it.
func (m *Memory) Put(name string, r io.Reader) (bool, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return false, err
	}
	old, ok := m.pending[name]
	if !ok {
		old, ok = m.docs[name]
	}
	if ok && old != nil && bytes.Equal(old, data) {
		return false, nil
	}
	m.stage(name, append([]byte{}, data...))
	return true, nil
}

// Copy stages that to is what from was at the last Commit.
func (m *Memory) Copy(to, from string) error {
	data, ok := m.docs[from]
	if !ok {
		return fmt.Errorf("%s: %w", from, fs.ErrNotExist)
	}
	m.stage(to, data)
	return nil
}

// Delete stages that the document is no more.
func (m *Memory) Delete(name string) error {
	m.stage(name, nil)
	return nil
}

func (m *Memory) stage(name string, data []byte) {
	if m.pending == nil {
		m.pending = map[string][]byte{}
	}
	m.pending[name] = data
}

// Names yields the names of committed documents, sorted.
func (m *Memory) Names(yield func(string) bool) error {
	for _, name := range slices.Sorted(maps.Keys(m.docs)) {
		if !yield(name) {
			break
		}
	}
	return nil
}

// Load returns the state of the last Commit.
func (m *Memory) Load() ([]byte, error) { return bytes.Clone(m.state), nil }

// Commit makes what is staged, and state, what is there.
func (m *Memory) Commit(state []byte) error {
	if bytes.Equal(state, m.state) && len(m.pending) == 0 {
		return nil
	}
	m.writes++
	if m.docs == nil {
		m.docs = map[string][]byte{}
	}
	for name, data := range m.pending {
		if data == nil {
			delete(m.docs, name)
		} else {
			m.docs[name] = data
		}
	}
	m.pending = nil
	m.state = bytes.Clone(state)
	return nil
}

// Documents returns the committed documents by name.
func (m *Memory) Documents() map[string][]byte { return maps.Clone(m.docs) }

// Reopen returns what a new process finds: what was committed.
func (m *Memory) Reopen() *Memory {
	return &Memory{docs: maps.Clone(m.docs), state: bytes.Clone(m.state)}
}

// Writes returns how many Commits changed something.
func (m *Memory) Writes() int { return m.writes }
