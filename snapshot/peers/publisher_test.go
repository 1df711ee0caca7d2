package peers

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

const origin = "peers.example/main"

// A publisher publishes states of a few records.
type publisher struct {
	t    *testing.T
	temp string
	keys *snapshot.Keyring
	repo *snapshot.Dir
	now  time.Time
	n    int
}

func newPublisher(t *testing.T, now time.Time) *publisher {
	t.Helper()
	temp := t.TempDir()
	keys, err := snapshot.InitKeyring(filepath.Join(temp, "keys"), snapshot.KeyringOptions{
		Origin: origin, Now: now, Passphrase: func() ([]byte, error) { return []byte("pass"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	repo, err := snapshot.CreateDir(filepath.Join(temp, "repo"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	return &publisher{t: t, temp: temp, keys: keys, repo: repo, now: now}
}

// state writes the n-th state: of a few records one is another each time.
func (p *publisher) state() *store.DB {
	p.t.Helper()
	p.n++
	dir := filepath.Join(p.temp, "db")
	rep, err := store.OpenReplica(dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rep.Close()
	err = rep.Build(p.t.Context(), func(b *store.Builder) (store.StateInfo, error) {
		at := p.now.Format(time.RFC3339)
		info := store.StateInfo{Number: 1, Created: at, Sources: []store.SourceState{{
			Name: "lines", Home: "https://lines.example", Status: "ok", FetchedAt: at, Documents: 1,
			Inputs: store.Inputs{DirHash: fmt.Sprintf("%064x", p.n), SHA256: fmt.Sprintf("%064x", p.n), URL: "https://lines.example/all.json"},
		}}}
		for i := range 4 {
			r := &normalize.Record{ID: fmt.Sprintf("PEER-%d", i), Modified: at, SchemaVersion: "1.7.0", Details: fmt.Sprint(max(0, (p.n-i)/4))}
			if i > 0 {
				r.Modified = "2026-01-01T00:00:00Z"
			}
			data, err := normalize.AppendEncode(nil, r)
			if err != nil {
				return info, err
			}
			if err := b.Record(r, data, []byte("x")); err != nil {
				return info, err
			}
		}
		return info, nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	db, err := store.OpenDB(dir)
	if err != nil {
		p.t.Fatal(err)
	}
	return db
}

// publish publishes the next state.
func (p *publisher) publish(opt snapshot.PublishOptions) (snapshot.Published, error) {
	p.t.Helper()
	p.now = p.now.Add(time.Second)
	db := p.state()
	defer db.Close()
	opt.DB, opt.Repo, opt.Keys, opt.Now, opt.Temp, opt.Grace = db, p.repo, p.keys, p.now, p.temp, -1
	return snapshot.Publish(p.t.Context(), opt)
}

// pull makes a folder a replica and returns what it stands for.
func (p *publisher) pull(dir string, opt snapshot.PullOptions) (*snapshot.Held, error) {
	p.t.Helper()
	root, err := p.keys.FirstRoot()
	if err != nil {
		p.t.Fatal(err)
	}
	opt.Dir, opt.Mirrors, opt.Root, opt.Now = filepath.Join(p.temp, dir), []snapshot.Reader{p.repo}, root, p.now
	if _, err := snapshot.Pull(p.t.Context(), opt); err != nil {
		return nil, err
	}
	db, err := store.OpenDB(opt.Dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	h, err := snapshot.ReadHeld(db)
	if err != nil {
		p.t.Fatal(err)
	}
	return h, nil
}
