package store

import (
	"bytes"
	"errors"
	"strings"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// gitEntries are the commits that the record's GIT ranges name, and the
// repositories these are of. A commit holds no slash and a repository does.
func gitEntries(r *normalize.Record) []indexEntry {
	seen := map[string]bool{}
	var entries []indexEntry
	add := func(key string) {
		if key != "" && !seen[key] && strings.IndexByte(key, 0) < 0 {
			seen[key] = true
			entries = append(entries, indexEntry{gitTag, key + "\x00" + r.ID, nil})
		}
	}
	for i := range r.Affected {
		for j := range r.Affected[i].Ranges {
			rg := &r.Affected[i].Ranges[j]
			if rg.Type != normalize.Git {
				continue
			}
			if repo := RepositoryKey(rg.Repo); strings.Contains(repo, "/") {
				add(repo)
			}
			for _, e := range rg.Events {
				for _, c := range [...]string{e.Introduced, e.Fixed, e.LastAffected, e.Limit} {
					if c != "0" && c != "*" && !strings.Contains(c, "/") {
						add(strings.ToLower(c))
					}
				}
			}
		}
	}
	return entries
}

// RepositoryKey names a repository by host and path alone, in lower case: the
// forms in which its URL is written (https, git, ssh, scp-like, with a user, with
// .git, with a slash behind it) have one key.
func RepositoryKey(url string) string {
	s := strings.ToLower(strings.TrimSpace(url))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	} else if host, path, ok := strings.Cut(s, ":"); ok && !strings.Contains(host, "/") {
		s = host + "/" + strings.TrimLeft(path, "/") // git@host:path
	}
	if host, path, ok := strings.Cut(s, "/"); ok {
		host = host[strings.LastIndexByte(host, '@')+1:]
		s = host + "/" + path
	}
	return strings.TrimSuffix(strings.TrimRight(s, "/"), ".git")
}

// Commits calls yield with each pair of a commit that begins with prefix (in
// lower case; empty: every commit) and a record whose GIT ranges have it as an
// event, in their order, until it returns an error.
func (d *DB) Commits(prefix string, yield func(commit, id string) error) error {
	return d.git(prefix, func(key, id string) error {
		if strings.Contains(key, "/") {
			return nil
		}
		return yield(key, id)
	})
}

// Repository returns the IDs of the records with GIT ranges in the repository
// of a [RepositoryKey], in order.
func (d *DB) Repository(key string) (ids []string, err error) {
	err = d.git(key, func(k, id string) error {
		if k == key {
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

// git calls yield with the keys of the index of commits and repositories that
// begin with prefix. A state older than this index is read from end to end.
func (d *DB) git(prefix string, yield func(key, id string) error) error {
	err := d.scan(gitBucket, []byte(prefix), func(rest, _ []byte) error {
		key, id, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			return errCorrupt
		}
		return yield(prefix+string(key), string(id))
	})
	if !errors.Is(err, errNoIndex) {
		return err
	}
	var list []indexEntry
	if err := d.readGit(&list); err != nil {
		return err
	}
	sortEntries(list)
	for _, e := range list {
		if key, id, _ := strings.Cut(e.key, "\x00"); strings.HasPrefix(key, prefix) {
			if err := yield(key, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// readGit makes the entries of the index out of the records.
func (d *DB) readGit(list *[]indexEntry) error {
	return d.Records("", func(_ string, data []byte) error {
		if !bytes.Contains(data, []byte(`"type":"GIT"`)) {
			return nil
		}
		r, err := normalize.Decode(data)
		if err == nil && r.Withdrawn == "" {
			*list = append(*list, gitEntries(r)...)
		}
		return err
	})
}

// hasIndex reports whether the state has the bucket of an index.
func hasIndex(tx *bolt.Tx, tag byte) bool { return tx.Bucket(indexBuckets[tag]) != nil }
