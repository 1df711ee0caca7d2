package sources

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// A Fetch moves what is new at an upstream into documents, and commits.
type Fetch = func(ctx context.Context, m *Mirror) error

// File fetches one URL as one document.
func File(name, url string) Fetch {
	return Files(map[string]string{name: url})
}

// Files fetches documents by name, each from its URL and each with a commit
// of its own: one that fails leaves the others as new as they are.
func Files(urls map[string]string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		return copyAll(ctx, m, urls, nil)
	}
}

// Releases fetches one document a release of a system. A release that
// upstream does not serve is passed over as long as it serves another: one
// that it has not begun, and one at its end of life, whose document is kept.
func Releases(urls map[string]string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		var errs, missing []error
		for _, name := range slices.Sorted(maps.Keys(urls)) {
			err := copyAll(ctx, m, map[string]string{name: urls[name]}, nil)
			switch {
			case NotFound(err):
				m.opt.Log.Info("release is not served", "document", name, "error", err)
				missing = append(missing, err)
			case err != nil:
				errs = append(errs, err)
			}
			if err != nil && !ofDocument(err) {
				break
			}
		}
		if len(missing) == len(urls) {
			errs = missing
		}
		return errors.Join(errs...)
	}
}

// Together runs fetches of a source one after another, of which no more than
// one keeps a cursor. What is wrong with one does not keep the others from
// their documents.
func Together(fetches ...Fetch) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		var errs []error
		for _, fetch := range fetches {
			errs = append(errs, fetch(ctx, m))
		}
		return errors.Join(errs...)
	}
}

// copyAll copies each document and commits it with the cursor. It goes on
// after what is wrong with one document, and stops at what is wrong with the
// host, which the next document would suffer as well.
func copyAll(ctx context.Context, m *Mirror, urls map[string]string, cursor any) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		err := m.Copy(ctx, name, urls[name])
		if err == nil {
			err = m.Commit(ctx, cursor)
		}
		if err != nil {
			errs = append(errs, err)
		}
		if err != nil && !ofDocument(err) {
			break
		}
	}
	return errors.Join(errs...)
}

// ofDocument reports whether err concerns one document only.
func ofDocument(err error) bool {
	return NotFound(err) || errors.Is(err, ErrIncomplete) || errors.Is(err, ErrTooLarge)
}

// Archive fetches an archive, the selected entries of which are the documents
// of the folder dir, "" for all of the source's.
func Archive(dir, url string, sel Selection) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		var cursor struct {
			Selection string `json:"selection"`
		}
		if err := m.Load(&cursor); err != nil {
			return err
		}
		if cursor.Selection != sel.key() {
			m.Forget(url)
			cursor.Selection = sel.key()
		}
		if err := m.Unpack(ctx, dir, url, sel.name); err != nil {
			return err
		}
		return m.Commit(ctx, cursor)
	}
}
