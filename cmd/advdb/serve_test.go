package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/advdb/advdb/sources/fixture"
)

// A served is a running "advdb serve".
type served struct {
	t      *testing.T
	url    string
	stop   context.CancelFunc
	code   chan int
	stderr *lockedBuffer
	client *http.Client
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serveEnv is the environment of commands under test.
func serveEnv(extra map[string]string) func(string) string {
	return func(name string) string {
		if v, ok := extra[name]; ok {
			return v
		}
		return map[string]string{"SOURCE_DATE_EPOCH": "1785542400", "ADVDB_KEY_PASSPHRASE": "correct-horse"}[name]
	}
}

// startServe runs "advdb serve --json" with args until the test ends.
func startServe(t *testing.T, env map[string]string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	s := &served{t: t, stop: cancel, code: make(chan int, 1), stderr: new(lockedBuffer), client: new(http.Client)}
	go func() {
		s.code <- run(ctx, append([]string{"serve", "--json", "--addr", "127.0.0.1:0"}, args...), serveEnv(env), strings.NewReader(""), in, s.stderr)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("serve ended: %s", s.stderr)
	}
	var hello struct{ URL string }
	if err := json.Unmarshal([]byte(line), &hello); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	s.url = hello.URL
	t.Cleanup(func() { s.end() })
	return s
}

// end interrupts the server and returns its exit status.
func (s *served) end() int {
	s.stop()
	select {
	case code := <-s.code:
		s.code <- code
		return code
	case <-time.After(30 * time.Second):
		s.t.Fatalf("serve does not end: %s", s.stderr)
		return -1
	}
}

func (s *served) get(path string, header ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// runs runs a command that must end well.
func runs(t *testing.T, args ...string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	if code := run(t.Context(), args, serveEnv(nil), strings.NewReader(""), &out, &stderr); code != exitDone {
		t.Fatalf("advdb %s: status %d: %s", strings.Join(args, " "), code, stderr.String())
	}
	return out.String()
}

// fixtureDB syncs the fixtures into a folder.
func fixtureDB(t *testing.T, db string) {
	t.Helper()
	up := filepath.Join(t.TempDir(), "upstream")
	if err := fixture.WriteUpstream(up, fixtureFiles("../../testdata/fixtures")...); err != nil {
		t.Fatal(err)
	}
	runs(t, "sync", "-q", "--upstream", up, "--db", db)
}

// TestServeChain has a publisher serve its repository, and another server
// follow it, over HTTP and with a token.
func TestServeChain(t *testing.T) {
	temp := t.TempDir()
	db, repo, keys, replica := filepath.Join(temp, "db"), filepath.Join(temp, "repo"), filepath.Join(temp, "keys"), filepath.Join(temp, "replica")
	fixtureDB(t, db)
	runs(t, "keys", "init", "-q", "--keys", keys, "--origin", "test.example/main", "--db", db)
	runs(t, "publish", "-q", "--repo", repo, "--keys", keys, "--db", db)
	root := filepath.Join(keys, "tuf", "1.root.json")

	pub := startServe(t, map[string]string{"ADVDB_TOKEN": "secret"}, "--db", db, "--repo", repo)
	if code, body := pub.get("/repo/tuf/timestamp.json"); code != 401 {
		t.Fatalf("without a token: %d %s", code, body)
	}
	target := strings.Replace(pub.url, "http://", "http://x:secret@", 1) + "/repo"
	if out := runs(t, "pull", target, "--root", root, "--db", filepath.Join(temp, "pulled")); !strings.Contains(out, "release 1 of 2026-08-01") {
		t.Errorf("pull over HTTP: %s", out)
	}

	sub := startServe(t, nil, "--db", replica, "--pull", target, "--root", root, "--every", "100ms", "-v")
	ready := false
	for end := time.Now().Add(30 * time.Second); !ready && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		code, _ := sub.get("/readyz")
		ready = code == 200
	}
	if !ready {
		t.Fatalf("not ready: %s", sub.stderr)
	}
	if want, got := runs(t, "verify", "--json", "--db", db), runs(t, "verify", "--json", "--db", replica); want != got {
		t.Errorf("the replica has\n%s, the publisher\n%s", got, want)
	}
	if code, body := sub.get("/metrics"); code != 200 || !strings.Contains(body, "advdb_pull_changes_total 1\n") || !strings.Contains(body, `advdb_source_age_seconds{source="`) {
		t.Errorf("metrics: %d %s", code, body)
	}
	if !strings.Contains(sub.stderr.String(), "path=/readyz status=200") {
		t.Errorf("no access log: %s", sub.stderr)
	}
	if strings.Contains(sub.stderr.String(), "secret") {
		t.Error("the token is in the log")
	}
	for _, s := range []*served{sub, pub} {
		if code := s.end(); code != exitDone || !strings.Contains(s.stderr.String(), "ending: waiting for the requests at hand") {
			t.Errorf("status %d: %s", code, s.stderr)
		}
	}
}

// TestServeTLS speaks HTTPS, and takes up a certificate that is replaced.
func TestServeTLS(t *testing.T) {
	temp := t.TempDir()
	db, cert, key := filepath.Join(temp, "db"), filepath.Join(temp, "cert.pem"), filepath.Join(temp, "key.pem")
	fixtureDB(t, db)
	first := writeCertificate(t, cert, key, 1)
	s := startServe(t, nil, "--db", db, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("url %s", s.url)
	}
	trust := func(c *x509.Certificate) *http.Client {
		pool := x509.NewCertPool()
		pool.AddCert(c)
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	}
	s.client = trust(first)
	if code, body := s.get("/healthz"); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	second := writeCertificate(t, cert, key, 2)
	s.client = trust(second)
	ok := false
	for end := time.Now().Add(20 * time.Second); !ok && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		resp, err := s.client.Get(s.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			ok = resp.StatusCode == 200 && resp.ProtoMajor == 2
		}
	}
	if !ok {
		t.Errorf("the new certificate is not taken up: %s", s.stderr)
	}
}

// writeCertificate writes a new certificate for 127.0.0.1 and its key.
func writeCertificate(t *testing.T, cert, key string, serial int64) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "advdb"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
