package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// errNoGit says that a state was made before there was an index of commits
// and repositories: an empty answer would say "not affected".
var errNoGit = &apiError{status: http.StatusNotImplemented, Code: codeUnimplemented, Message: "this state has no index of commits; the next one that is made has"}

// commitGap is what an empty answer about a commit leaves open: osv.dev
// enumerates the commits between the events of a range, this server does not.
const commitGap = "commits that are no event of a range"

// commit finds the records that a commit is affected by. Unlike query.Commit
// it wants hashes in full: osv.dev finds nothing for others.
func (f *found) commit(db *store.DB, commit string) error {
	if db.Meta().Index == 0 {
		return errNoGit
	}
	a, err := query.Commit(db, commit)
	if err != nil && !errors.Is(err, query.ErrCommit) && !errors.Is(err, query.ErrAmbiguous) {
		return err
	}
	if err == nil && a.Commit == commit {
		f.ids = a.IDs(versioncmp.Affected)
	}
	if len(f.ids) == 0 {
		f.gap = commitGap
	}
	return nil
}

// tag finds the records that list a tag of a repository; without a tag all
// records of the repository. Tags are compared as osv.dev does: by text, then
// without the project's name and other decoration.
func (f *found) tag(ctx context.Context, db *store.DB, repository, tag string) error {
	if db.Meta().Index == 0 {
		return errNoGit
	}
	name := store.RepositoryKey(repository)
	ids, err := db.Repository(name)
	if err != nil || tag == "" {
		f.ids = ids
		return err
	}
	return db.Lookup(ids, func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		if r.Withdrawn == "" && slices.ContainsFunc(r.Affected, func(a normalize.Affected) bool { return hasTag(&a, name, tag) }) {
			f.ids = append(f.ids, id)
		}
		return ctx.Err()
	})
}

// hasTag reports whether a is of the repository and lists the tag.
func hasTag(a *normalize.Affected, repository, tag string) bool {
	ours := slices.ContainsFunc(a.Ranges, func(r normalize.Range) bool {
		return r.Type == normalize.Git && store.RepositoryKey(r.Repo) == repository
	})
	return ours && slices.ContainsFunc(a.Versions, func(v string) bool {
		return v == tag || alike(withoutProject(v, repository), tag)
	})
}

// withoutProject takes the names of a repository and its owner off a tag, as
// in "curl-8_5_0".
func withoutProject(tag, repository string) string {
	parts := strings.Split(repository, "/")
	if len(parts) >= 2 {
		tag = strings.TrimPrefix(tag, parts[len(parts)-2])
	}
	return strings.TrimPrefix(strings.TrimPrefix(tag, parts[len(parts)-1]), "-")
}
