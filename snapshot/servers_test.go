package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Credentials of the servers that tests start.
const (
	testAccess   = "advdb-test-access"
	testSecret   = "advdb-test-secret-key"
	testRegion   = "us-east-1"
	testUser     = "publisher"
	testPassword = "advdb-test-password"

	// testHtpasswd is testUser with testPassword under bcrypt.
	testHtpasswd = "$2a$04$qRYYWQW5la5was6NAi6bMuZ4NwbX3W75dQ4LaSG8pm9yxRbE80CF6"
)

var (
	versitygw = sync.OnceValues(func() (string, error) { return buildServer("github.com/versity/versitygw/cmd/versitygw") })
	registry  = sync.OnceValues(func() (string, error) {
		return buildServer("github.com/distribution/distribution/v3/cmd/registry")
	})
)

// errNoServers says that a server was not built here.
var errNoServers = errors.New("no real server: ADVDB_TEST_SERVERS=1 builds it, which takes minutes and the network")

// buildServer builds a server of testdata/servers, a module of its own, into
// the user's cache, once for each of its versions.
func buildServer(pkg string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join("testdata", "servers", "go.sum"))
	if err != nil {
		return "", err
	}
	bin := filepath.Join(cache, "advdb", "test-servers", fmt.Sprintf("%x", sha256.Sum256(sum))[:16], filepath.Base(pkg))
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	if os.Getenv("ADVDB_TEST_SERVERS") == "" {
		return "", errNoServers
	}
	cmd := exec.Command("go", "build", "-C", filepath.Join("testdata", "servers"), "-trimpath", "-ldflags", "-s -w", "-o", bin+".new", pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, os.Rename(bin+".new", bin)
}

// server starts a server that was built, and returns its address when it
// answers. It ends with the test.
func server(t testing.TB, build func() (string, error), args func(addr string) []string) string {
	t.Helper()
	bin, err := build()
	if errors.Is(err, errNoServers) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	cmd := exec.Command(bin, args(addr)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(bin), log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not listen", bin)
	return ""
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// s3Server starts versitygw on a folder, with a bucket, and returns its address.
func s3Server(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"data", "meta"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	addr := server(t, versitygw, func(addr string) []string {
		return []string{"--access", testAccess, "--secret", testSecret, "--region", testRegion, "--port", addr, "--quiet", "--keep-alive",
			"posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data")}
	})
	s := openTestS3(t, addr, "", testSecret)
	resp, err := s.do(t.Context(), s3Request{method: http.MethodPut})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return addr
}

// testEnv is an environment.
func testEnv(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// openTestS3 opens a prefix of the test's bucket as a user would, with a
// shorter lease.
func openTestS3(t testing.TB, addr, prefix, secret string) *S3 {
	t.Helper()
	c := Carriers{Getenv: testEnv("AWS_ENDPOINT_URL", "http://"+addr, "AWS_REGION", testRegion, "AWS_ACCESS_KEY_ID", testAccess, "AWS_SECRET_ACCESS_KEY", secret)}
	r, err := c.OpenRepository("s3://advisories/" + prefix)
	if err != nil {
		t.Fatal(err)
	}
	s := r.(*S3)
	s.lease, s.pause = time.Second, 10*time.Millisecond
	return s
}

// registryConfig is the configuration of distribution's registry.
const registryConfig = `version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
http: {addr: %q}
auth:
  htpasswd: {realm: test, path: %q}
`

// ociServer starts distribution's registry, and returns its address.
func ociServer(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	return server(t, registry, func(addr string) []string {
		users, config := filepath.Join(dir, "htpasswd"), filepath.Join(dir, "config.yml")
		text := fmt.Sprintf(registryConfig, filepath.Join(dir, "data"), addr, users)
		if err := os.WriteFile(users, []byte(testUser+":"+testHtpasswd+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"serve", config}
	})
}

// openTestOCI opens a repository of a registry with the credentials of a
// Docker configuration, and waits less long after a push.
func openTestOCI(t testing.TB, addr, name, password string) *OCI {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, addr, base64.StdEncoding.EncodeToString([]byte(testUser+":"+password)))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Carriers{Getenv: testEnv("DOCKER_CONFIG", dir)}.OpenRepository("oci://" + addr + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	o := r.(*OCI)
	o.settle = 300 * time.Millisecond
	return o
}

// A cutter is a TCP proxy that ends connections after so many bytes.
type cutter struct {
	addr  string
	up    atomic.Int64 // bytes that the next connection may send; negative: all
	down  atomic.Int64
	conns atomic.Int64
}

func newCutter(t testing.TB, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cutter{addr: l.Addr().String()}
	c.up.Store(-1)
	c.down.Store(-1)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(in, to)
		}
	}()
	return c
}

// carry carries one connection; a limit is for one connection only.
func (c *cutter) carry(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	c.conns.Add(1)
	ended := make(chan struct{}, 2)
	pipe := func(dst, src net.Conn, limit *atomic.Int64) {
		defer func() { ended <- struct{}{} }()
		buf := make([]byte, 4<<10)
		for {
			n, err := src.Read(buf)
			if left := limit.Load(); left >= 0 && int64(n) > left {
				dst.Write(buf[:left])
				limit.Store(-1)
				return
			} else if left >= 0 {
				limit.Add(int64(-n))
			}
			if _, werr := dst.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}
	go pipe(out, in, &c.up)
	go pipe(in, out, &c.down)
	<-ended
}

// readFrom reads a file from an offset on.
func readFrom(t testing.TB, r Reader, name string, offset int64) ([]byte, error) {
	t.Helper()
	f, err := r.Open(t.Context(), name, offset)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// secretIn reports whether a text tells what must not be told.
func secretIn(text string) bool {
	return strings.Contains(text, testSecret) || strings.Contains(text, testPassword)
}
