package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"
)

// A change of keys is of several files, and half of it would sign what no
// client believes. So what is written is staged in memory, then written into
// one file, the journal, whose rename decides; then it is copied to where it
// belongs. Whoever opens the keys next does that again where it was cut off.
type keyJournal struct {
	Format string            `json:"format"`
	Files  map[string][]byte `json:"files"` // by name in the folder
}

const (
	journalFormat = "advdb-keys-journal/1"
	journalName   = "journal.json"
	keysLock      = "keys.lock"
)

// stage makes data the file of that name, from commit on.
func (k *Keyring) stage(name string, data []byte) {
	if k.staged == nil {
		k.staged = map[string][]byte{}
	}
	k.staged[name] = data
}

// readFile reads a file of the folder as it is or will be.
func (k *Keyring) readFile(name string) ([]byte, error) {
	if data, ok := k.staged[name]; ok {
		return data, nil
	}
	return os.ReadFile(filepath.Join(k.dir, name))
}

// commit writes what was staged, all of it or nothing.
func (k *Keyring) commit() error {
	data, err := json.Marshal(keyJournal{journalFormat, k.staged}, json.Deterministic(true))
	if err != nil {
		return err
	}
	if err := k.writeFile(journalName, data); err != nil {
		return err
	}
	files := k.staged
	k.staged = nil
	return k.apply(files)
}

// apply copies the files of the journal to where they belong.
func (k *Keyring) apply(files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := k.writeFile(name, files[name]); err != nil {
			return err
		}
	}
	if err := k.step("remove " + journalName); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(k.dir, journalName)); err != nil {
		return err
	}
	return syncFolder(k.dir)
}

// pending reports whether a change was cut off.
func (k *Keyring) pending() bool {
	_, err := os.Stat(filepath.Join(k.dir, journalName))
	return err == nil
}

// recover finishes a change that was cut off.
func (k *Keyring) recover() error {
	if !k.pending() {
		return nil
	}
	unlock, err := k.lock()
	if err != nil {
		return err
	}
	defer unlock()
	data, err := os.ReadFile(filepath.Join(k.dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var j keyJournal
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKeys, journalName, err)
	}
	if j.Format != journalFormat {
		return fmt.Errorf("%w: %s: format %q", ErrKeys, journalName, j.Format)
	}
	for name := range j.Files {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%w: %s: file %q", ErrKeys, journalName, name)
		}
	}
	return k.apply(j.Files)
}

// writeFile replaces a file of the folder whole and durably.
func (k *Keyring) writeFile(name string, data []byte) (err error) {
	path := filepath.Join(k.dir, name)
	if err := k.step("write " + name); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := k.step("rename " + name); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// step is where a test lets the process die.
func (k *Keyring) step(what string) error {
	if k.fault == nil {
		return nil
	}
	return k.fault(what)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// lock keeps others from changing the keys.
func (k *Keyring) lock() (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(k.dir, keysLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		if errors.Is(err, ErrConflict) {
			err = fmt.Errorf("%w: %s: another process is changing them", ErrKeys, k.dir)
		}
		return nil, err
	}
	return f.Close, nil
}

// change runs f, which stages files, and commits what it staged. Where f
// fails, the keyring is what it was.
func (k *Keyring) change(f func() error) (err error) {
	unlock, err := k.lock()
	if err != nil {
		return err
	}
	defer unlock()
	now, err := os.ReadFile(filepath.Join(k.dir, keyringName))
	if err != nil {
		return err
	}
	if k.pending() || !bytes.Equal(now, k.read) {
		return fmt.Errorf("%w: %s: changed since it was opened", ErrKeys, k.dir)
	}
	if err = f(); err == nil {
		err = k.save()
	}
	if err != nil {
		var was keyringFile
		err = errors.Join(err, json.Unmarshal(k.read, &was))
		k.cfg, k.staged = was, nil
	}
	return err
}
