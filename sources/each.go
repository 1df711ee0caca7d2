package sources

import "context"

// changeBatch is how many documents that a list names are committed at once.
const changeBatch = 500

// eachDue calls fetch with each row in turn, and commit, unless it is nil,
// after every changeBatch of them. broken has what is wrong with single
// documents, which keeps it from no other; err ends it: what is wrong with
// the host, which the next document would suffer as well, or with a commit.
func eachDue[T any](rows []T, fetch func(T) error, commit func() error) (broken []error, err error) {
	for i, row := range rows {
		if err := fetch(row); err != nil {
			if !ofDocument(err) {
				return broken, err
			}
			broken = append(broken, err)
		}
		if commit != nil && i%changeBatch == changeBatch-1 {
			if err := commit(); err != nil {
				return broken, err
			}
		}
	}
	return broken, nil
}

// take makes what url serves the document name, whatever was fetched before.
func (m *Mirror) take(ctx context.Context, name, url string) error {
	resp, err := m.open(ctx, request{url: url, always: true})
	if err != nil {
		return prefixed(name, err)
	}
	defer resp.Close()
	return located(resp.URL, m.Put(name, resp))
}

// takeListed is take of a document that a list names. Lists run ahead of
// files: what is not there is left as it is.
func (m *Mirror) takeListed(ctx context.Context, name, url string) (there bool, err error) {
	err = m.take(ctx, name, url)
	if NotFound(err) {
		m.opt.Log.Warn("listed but not there", "document", name, "error", err)
		return false, nil
	}
	return err == nil, err
}
