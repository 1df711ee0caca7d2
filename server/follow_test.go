package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

// A publisher has a database and a repository that a server serves.
type publisher struct {
	t    testing.TB
	dir  string
	path string // of the repository
	keys *snapshot.Keyring
	repo *snapshot.Dir
	now  time.Time
	url  string // of the repository
}

// keysDir is where the keys of all publishers here are.
var keysDir string

func TestMain(m *testing.M) {
	var err error
	if keysDir, err = os.MkdirTemp("", "advdb-keys-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(keysDir)
	os.Exit(code)
}

// sharedKeys makes the keys once: encrypting them is slow, as it should be.
var sharedKeys = sync.OnceValues(func() (*snapshot.Keyring, error) {
	return snapshot.InitKeyring(filepath.Join(keysDir, "keys"), snapshot.KeyringOptions{
		Origin: "test.example/main", Passphrase: func() ([]byte, error) { return []byte("pass"), nil }, Now: testDay,
		Keys: map[string]int{snapshot.RoleRoot: 1}, Threshold: map[string]int{snapshot.RoleRoot: 1},
	})
})

func newPublisher(t testing.TB, opt Options) *publisher {
	t.Helper()
	temp := t.TempDir()
	keys, err := sharedKeys()
	if err != nil {
		t.Fatal(err)
	}
	p := &publisher{t: t, dir: filepath.Join(temp, "db"), path: filepath.Join(temp, "repo"), now: testDay, keys: keys}
	if p.repo, err = snapshot.CreateDir(p.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.repo.Close() })
	p.publish(testRecords)
	opt.Dir, opt.Repo = p.dir, p.repo
	_, srv := newServer(t, opt)
	p.url = srv.URL + "/repo"
	return p
}

// publish makes a release of text.
func (p *publisher) publish(text string) {
	p.t.Helper()
	fill(p.t, p.dir, text)
	db, err := store.OpenDB(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	p.now = p.now.Add(time.Minute)
	_, err = snapshot.Publish(context.Background(), snapshot.PublishOptions{
		DB: db, Repo: p.repo, Keys: p.keys, Now: p.now, Gates: snapshot.Gates{Accept: map[string]bool{"lines": true, "churn": true}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *publisher) pull(dir, target string) snapshot.PullOptions {
	p.t.Helper()
	root, err := p.keys.FirstRoot()
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := snapshot.OpenReader(target)
	if err != nil {
		p.t.Fatal(err)
	}
	return snapshot.PullOptions{Dir: dir, Mirrors: []snapshot.Reader{r}, Root: root, Now: testDay.Add(time.Hour), MinSpeed: -1}
}

// eventually waits until f is true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}

// TestRepository pulls from a server as any replica does.
func TestRepository(t *testing.T) {
	p := newPublisher(t, Options{})
	dir := t.TempDir()
	out, err := snapshot.Pull(t.Context(), p.pull(dir, p.url))
	if err != nil || !out.Changed || out.Records != 5 {
		t.Fatalf("%+v, %v", out, err)
	}
	// Every file as a web server of the field would serve it.
	resp, first := exchange(t, "GET", p.url+"/tuf/1.root.json", "")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("a file that never changes: %d %v", resp.StatusCode, resp.Header)
	}
	tag := resp.Header.Get("ETag")
	if resp, _ := exchange(t, "GET", p.url+"/tuf/1.root.json", "", "If-None-Match", tag); tag == "" || resp.StatusCode != http.StatusNotModified {
		t.Errorf("the same again: tag %q, %d", tag, resp.StatusCode)
	}
	resp, part := exchange(t, "GET", p.url+"/tuf/1.root.json", "", "Range", "bytes=10-19")
	if resp.StatusCode != http.StatusPartialContent || part != first[10:20] {
		t.Errorf("a range: %d %q, want %q", resp.StatusCode, part, first[10:20])
	}
	resp, _ = exchange(t, "GET", p.url+"/tuf/timestamp.json", "")
	if cc := resp.Header.Get("Cache-Control"); strings.Contains(cc, "immutable") || !strings.Contains(cc, "max-age=60") {
		t.Errorf("timestamp.json: %q", cc)
	}
	blob := ""
	db, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	held, err := snapshot.ReadHeld(db)
	db.Close()
	if err != nil {
		t.Fatal(err)
	}
	sum := held.Manifest().Base.SHA256.String()
	blob = "/blob/" + sum[:2] + "/" + sum
	if resp, _ := exchange(t, "HEAD", p.url+blob, ""); resp.StatusCode != 200 || resp.Header.Get("ETag") != `"`+sum+`"` {
		t.Errorf("%s: %d %v", blob, resp.StatusCode, resp.Header)
	}
	for _, path := range []string{"/", "/tuf", "/tuf/", "/tuf/none.json", "/publish.lock", "/tuf/..%2f..%2fdb/advdb.db", "/../healthz/x", "/blob/" + strings.Repeat("a", 300)} {
		if code, answer := get(t, p.url+path); code == 200 {
			t.Errorf("%s: %d %.60s", path, code, answer)
		}
	}
}

// TestPullWithToken pulls from a server that wants a token, which the URL has.
func TestPullWithToken(t *testing.T) {
	p := newPublisher(t, Options{Tokens: func() []string { return []string{"secret"} }})
	if _, err := snapshot.Pull(t.Context(), p.pull(t.TempDir(), p.url)); err == nil {
		t.Error("pulled without a token")
	}
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("x", "secret")
	if out, err := snapshot.Pull(t.Context(), p.pull(t.TempDir(), u.String())); err != nil || !out.Changed {
		t.Errorf("with the token: %+v, %v", out, err)
	}
}

// follower is a server that follows a repository through a switch.
type follower struct {
	s    *Server
	url  string
	down func(bool) // cuts the repository off, and lets it through again
}

func newFollower(t *testing.T, p *publisher, opt Options) *follower {
	t.Helper()
	var mu sync.Mutex
	isDown := false
	target, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		refuse := isDown
		mu.Unlock()
		if refuse {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		resp, err := http.Get("http://" + target.Host + r.URL.Path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		io.Copy(w, resp.Body)
	}))
	t.Cleanup(between.Close)
	opt.Dir, opt.Empty = t.TempDir(), true
	s, srv := newServer(t, opt)
	f := &follower{s: s, url: srv.URL, down: func(d bool) { mu.Lock(); isDown = d; mu.Unlock() }}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	follow := FollowOptions{Pull: p.pull(opt.Dir, between.URL+"/repo"), Every: 50 * time.Millisecond, firstRetry: 10 * time.Millisecond}
	f.down(true)
	wg.Go(func() { s.Follow(ctx, follow) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return f
}

func TestFollow(t *testing.T) {
	p := newPublisher(t, Options{})
	f := newFollower(t, p, Options{})
	// No data yet, and no repository: not ready, and it says why.
	eventually(t, "a failure", func() bool { return f.s.pulls.failed.Load() > 1 })
	if code, answer := get(t, f.url+"/readyz"); code != 503 || !strings.Contains(answer, "no data is held yet") || !strings.Contains(answer, "the last pull") {
		t.Errorf("not ready: %d %s", code, answer)
	}
	if code, answer := get(t, f.url+"/healthz"); code != 200 {
		t.Errorf("alive: %d %s", code, answer)
	}
	resp, answer := exchange(t, "POST", f.url+"/v1/query", `{"package":{"purl":"pkg:npm/left-pad@1.1.0"}}`)
	if resp.StatusCode != 503 || answer != `{"code":14,"message":"no data is held yet"}` || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a query without data: %d %s", resp.StatusCode, answer)
	}

	f.down(false)
	eventually(t, "ready", func() bool { code, _ := get(t, f.url+"/readyz"); return code == 200 })
	if _, answer := post(t, f.url+"/v1/query", `{"package":{"purl":"pkg:npm/left-pad@1.1.0"}}`); ids(t, answer) != "A-1 A-2" {
		t.Errorf("the first release: %s", answer)
	}
	p.publish(testRecords + "A-3 npm left-pad 9.0.0\n")
	eventually(t, "the second release", func() bool {
		_, answer := post(t, f.url+"/v1/query", `{"package":{"purl":"pkg:npm/left-pad@1.1.0"}}`)
		return ids(t, answer) == "A-1 A-2 A-3"
	})

	// The repository is gone: what is held is still good.
	f.down(true)
	failed := f.s.pulls.failed.Load()
	eventually(t, "a failure", func() bool { return f.s.pulls.failed.Load() > failed })
	if code, answer := get(t, f.url+"/readyz"); code != 200 {
		t.Errorf("ready: %d %s", code, answer)
	}
	_, metrics := get(t, f.url+"/metrics")
	for _, want := range []string{"advdb_pull_failures_total{reason=\"other\"} ", "advdb_pull_changes_total 2\n", "advdb_pull_last_success_timestamp_seconds 1785578400\n", "advdb_state_number 2\n"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %q:\n%s", want, metrics)
		}
	}
}

func TestBackOff(t *testing.T) {
	var got []time.Duration
	for n := range 8 {
		got = append(got, backOff(n+1, 5*time.Second, time.Minute))
	}
	want := []time.Duration{5e9, 10e9, 20e9, 40e9, 60e9, 60e9, 60e9, 60e9}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	if d := backOff(1<<30, time.Second, time.Hour); d != time.Hour {
		t.Errorf("after very many: %v", d)
	}
	if d := backOff(1, time.Minute, time.Second); d != time.Second {
		t.Errorf("never longer than without a failure: %v", d)
	}
}

// TestRefusedPull wants a repository that cannot be trusted to change nothing.
func TestRefusedPull(t *testing.T) {
	p := newPublisher(t, Options{})
	path := filepath.Join(p.path, "tuf", "timestamp.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(`"version":`), []byte(`"version":9`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	opt := p.pull(t.TempDir(), p.url)
	s, _ := newServer(t, Options{Dir: opt.Dir, Empty: true})
	if err := s.pull(t.Context(), opt); !errors.Is(err, snapshot.ErrRefused) {
		t.Errorf("%v", err)
	}
	if n := s.pulls.refused.Load(); n != 1 {
		t.Errorf("%d refused", n)
	}
	if err := s.unready(); err == nil || !strings.Contains(err.Error(), "no data") {
		t.Errorf("ready: %v", err)
	}
}
