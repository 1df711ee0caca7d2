package peers

import (
	"archive/zip"
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
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/server"
	"github.com/advdb/advdb/store"
	"github.com/google/go-cmp/cmp"
)

const scanner = "github.com/google/osv-scanner/v2/cmd/osv-scanner@v2.5.0"

// scannerPath builds osv-scanner, once for all runs on this machine.
func scannerPath(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("osv-scanner is built from a hundred modules")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(cache, "advdb-peers", strings.ReplaceAll(scanner, "/", "_"))
	path := filepath.Join(bin, "osv-scanner")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "install", scanner)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// A target is a package to be scanned.
type target struct{ ecosystem, name, version, purl string }

// scanned are the ecosystems of which packages are scanned, by purl type.
var scanned = map[string]string{"npm": "npm", "PyPI": "pypi", "Go": "golang", "crates.io": "cargo", "RubyGems": "gem", "Packagist": "composer", "NuGet": "nuget", "Pub": "pub", "Hex": "hex"}

// scanSource is the folder of a database of real feeds, $ADVDB_BENCH_DB, or one
// of made-up records.
func scanSource(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("ADVDB_BENCH_DB"); dir != "" {
		return dir
	}
	var b strings.Builder
	i := 0
	for eco := range scanned {
		for range 20 {
			fmt.Fprintf(&b, `{"id":"GHSA-%04d","modified":"2025-09-29T21:12:31Z","future":1,"affected":[{"package":{"ecosystem":%q,"name":"lib%d/x"},"ranges":[{"type":%q,"events":[{"introduced":"1.0.0"},{"fixed":"2.0.%d"}]}]}]}`+"\n",
				i, eco, i%40, map[bool]string{true: "SEMVER", false: "ECOSYSTEM"}[eco == "npm" || eco == "Go" || eco == "crates.io" || eco == "Pub" || eco == "Hex"], i%9)
			i++
		}
	}
	dir := t.TempDir()
	st, err := store.Open(dir, store.Options{Now: func() time.Time { return testDay }})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	docs := st.Documents("lines")
	if _, err := docs.Put("doc", strings.NewReader(b.String())); err != nil {
		t.Fatal(err)
	}
	if err := docs.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Update(t.Context(), []store.Feed{{Name: "lines", Version: 1, Parse: parseLines}}, store.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// perEcosystem is how many packages of an ecosystem are scanned.
const perEcosystem = 60

// targets picks packages of the database, at versions that its records name,
// and writes the database as osv-scanner keeps it for offline use: all.zip for
// each ecosystem, of what the server answers for each ID.
func targets(t *testing.T, dir, url, local string) []target {
	t.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	zips := map[string]*zip.Writer{}
	for eco := range scanned {
		path := filepath.Join(local, "osv-scanner", eco, "all.zip")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		zips[eco] = zip.NewWriter(f)
	}
	seen := map[string]bool{}
	count := map[string]int{}
	var list []target
	err = db.Records("", func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		in := map[string]bool{}
		for i := range r.Affected {
			p := &r.Affected[i].Package
			if scanned[p.Ecosystem] == "" {
				continue
			}
			in[p.Ecosystem] = true
			key := p.Ecosystem + " " + p.Name
			// Every 37th package, so that they are of all years.
			if seen[key] || r.Withdrawn != "" {
				continue
			}
			seen[key] = true
			if v := aVersion(&r.Affected[i]); v != "" && count[p.Ecosystem] < perEcosystem {
				count[p.Ecosystem]++
				list = append(list, target{p.Ecosystem, p.Name, v, purlOf(p.Ecosystem, p.Name, v)})
			}
		}
		for eco := range in {
			w, err := zips[eco].Create(id + ".json")
			if err != nil {
				return err
			}
			resp, err := http.Get(url + "/v1/vulns/" + id)
			if err != nil {
				return err
			}
			_, err = io.Copy(w, resp.Body)
			resp.Body.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range zips {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// aVersion is a version near which a's ranges change: the last bound.
func aVersion(a *normalize.Affected) (v string) {
	for _, r := range a.Ranges {
		for _, e := range r.Events {
			if e.Introduced != "" && e.Introduced != "0" && r.Type != normalize.Git {
				v = e.Introduced
			}
		}
	}
	if v == "" && len(a.Versions) > 0 {
		v = a.Versions[len(a.Versions)/2]
	}
	if v == "" && len(a.Ranges) > 0 {
		v = "1.0.0"
	}
	return v
}

func purlOf(ecosystem, name, version string) string {
	escape := strings.NewReplacer("%", "%25", "@", "%40", " ", "%20", "+", "%2B", "?", "%3F", "#", "%23")
	return "pkg:" + scanned[ecosystem] + "/" + escape.Replace(name) + "@" + escape.Replace(version)
}

// TestScanner has osv-scanner ask the server in the place of osv.dev, and wants
// the findings that it has by its own offline matching of the same records.
func TestScanner(t *testing.T) {
	bin := scannerPath(t)
	dir := scanSource(t)
	handler, err := server.New(server.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	direct := httptest.NewServer(handler)
	defer direct.Close()
	temp := t.TempDir()
	local, src := filepath.Join(temp, "local"), filepath.Join(temp, "src")
	list := targets(t, dir, direct.URL, local)
	writeSBOM(t, src, list)

	proxy, ca := interceptor(t, handler)
	begin := time.Now()
	online := scan(t, bin, src, "HTTPS_PROXY="+proxy, "SSL_CERT_FILE="+ca)
	onlineTook := time.Since(begin)
	begin = time.Now()
	offline := scan(t, bin, src, "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY="+local, "--offline")
	t.Logf("%d packages: %d with findings by the server (%.1f s), %d offline (%.1f s)", len(list), len(online), onlineTook.Seconds(), len(offline), time.Since(begin).Seconds())
	if len(online) == 0 {
		t.Fatal("nothing is found")
	}
	if diff := cmp.Diff(offline, online); diff != "" {
		t.Errorf("findings (-offline +by the server):\n%s", diff)
	}
}

// writeSBOM writes the packages as a CycloneDX file.
func writeSBOM(t *testing.T, dir string, list []target) {
	t.Helper()
	type component struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		Purl    string `json:"purl"`
	}
	bom := struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Components []component `json:"components"`
	}{"CycloneDX", "1.5", 1, nil}
	for _, x := range list {
		bom.Components = append(bom.Components, component{"library", x.name, x.version, x.purl})
	}
	data, err := json.Marshal(bom)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bom.cdx.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// scan runs osv-scanner and returns the IDs found, by package. What has an "="
// goes to its environment, the rest to its command line.
func scan(t *testing.T, bin, dir string, extra ...string) map[string][]string {
	t.Helper()
	args := []string{"scan", "source", "--format", "json", "--all-vulns", "--no-resolve", "--verbosity", "warn"}
	cmd := exec.CommandContext(t.Context(), bin)
	for _, x := range extra {
		if strings.HasPrefix(x, "--") {
			args = append(args, x)
		} else {
			cmd.Env = append(cmd.Env, x)
		}
	}
	cmd.Args = append(cmd.Args, append(args, dir)...)
	cmd.Env = append(cmd.Env, "HOME="+t.TempDir(), "PATH="+os.Getenv("PATH"))
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var report struct {
		Results []struct {
			Packages []struct {
				Package         struct{ Name, Version, Ecosystem string }
				Vulnerabilities []struct{ ID string }
			}
		}
	}
	if jerr := json.Unmarshal(out.Bytes(), &report); jerr != nil {
		t.Fatalf("%v, %v: %s", err, jerr, stderr.String())
	}
	if stderr.Len() > 0 {
		t.Logf("osv-scanner says: %s", stderr.String())
	}
	found := map[string][]string{}
	for _, r := range report.Results {
		for _, p := range r.Packages {
			key := p.Package.Ecosystem + " " + p.Package.Name + " " + p.Package.Version
			for _, v := range p.Vulnerabilities {
				found[key] = append(found[key], v.ID)
			}
			slices.Sort(found[key])
		}
	}
	return found
}

// interceptor is a proxy that connects whoever asks for osv.dev's API to h, and
// the file of the certificate that it shows. Everything else is refused.
func interceptor(t *testing.T, h http.Handler) (proxy, ca string) {
	t.Helper()
	cert, pemFile := certificateFor(t, "api.osv.dev")
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "api.osv.dev:443" {
			http.Error(w, "only osv.dev", http.StatusForbidden)
			return
		}
		var d net.Dialer
		up, err := d.DialContext(context.Background(), "tcp", srv.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			up.Close()
			return
		}
		io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { io.Copy(up, down); up.Close() }()
		io.Copy(down, up)
		down.Close()
	}))
	t.Cleanup(p.Close)
	return p.URL, pemFile
}

// certificateFor makes a certificate for a host that signs itself.
func certificateFor(t *testing.T, host string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}
