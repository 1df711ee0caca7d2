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
	"maps"
	"math/big"
	mrand "math/rand/v2"
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
var scanned = map[string]string{"npm": "npm", "PyPI": "pypi", "Go": "golang", "crates.io": "cargo", "RubyGems": "gem", "Packagist": "composer", "NuGet": "nuget", "Pub": "pub", "Hex": "hex", "Maven": "maven"}

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
			fmt.Fprintf(&b, `{"id":"GHSA-%04d","modified":"2025-09-29T21:12:31Z","future":1,"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":%q,"events":[{"introduced":"1.0.0"},{"fixed":"2.0.%d"}]}]}]}`+"\n",
				i, eco, fmt.Sprintf(map[bool]string{true: "org.lib%d:x", false: "lib%d/x"}[eco == "Maven"], i%40), map[bool]string{true: "SEMVER", false: "ECOSYSTEM"}[eco == "npm" || eco == "Go" || eco == "crates.io" || eco == "Pub" || eco == "Hex"], i%9)
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

// perEcosystem is how many packages of an ecosystem are scanned, at most.
const perEcosystem = 200

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
		path := filepath.Join(local, "osv-scalibr", eco, "all.zip")
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
	rng := mrand.New(mrand.NewPCG(1, 2))
	count := map[string]int{}
	picked := map[string][]target{}
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
			v := aVersion(&r.Affected[i])
			if v == "" {
				continue
			}
			// A sample of them all (reservoir sampling).
			x := target{p.Ecosystem, p.Name, v, purlOf(p.Ecosystem, p.Name, v)}
			if count[p.Ecosystem]++; len(picked[p.Ecosystem]) < perEcosystem {
				picked[p.Ecosystem] = append(picked[p.Ecosystem], x)
			} else if n := rng.IntN(count[p.Ecosystem]); n < perEcosystem {
				picked[p.Ecosystem][n] = x
			}
		}
		for eco := range in {
			w, err := zips[eco].Create(id + ".json")
			if err != nil {
				return err
			}
			data, err := fetch(url + "/v1/vulns/" + id)
			if err != nil {
				return err
			}
			if _, err = w.Write(data); err != nil {
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
	var list []target
	for _, eco := range slices.Sorted(maps.Keys(picked)) {
		list = append(list, picked[eco]...)
	}
	return list
}

// fetch returns what the server has under a URL. Entries of ecosystems that are
// not registered are left out: osv-scanner panics on them when it is offline.
func fetch(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	r, err := normalize.Decode(data)
	if err != nil {
		return nil, err
	}
	r.Affected = slices.DeleteFunc(r.Affected, func(a normalize.Affected) bool {
		return !a.Package.IsZero() && !normalize.IsRegistered(a.Package.Ecosystem)
	})
	return normalize.AppendEncode(nil, r)
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
	if ecosystem == "Maven" {
		name = strings.Replace(name, ":", "/", 1)
	}
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
	offline := scan(t, bin, src, "OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY="+local, "--offline")
	t.Logf("%d packages: %d with findings by the server (%.1f s), %d offline (%.1f s)", len(list), len(online), onlineTook.Seconds(), len(offline), time.Since(begin).Seconds())
	if len(online) == 0 {
		t.Fatal("nothing is found")
	}
	for _, x := range list {
		key := x.ecosystem + " " + x.name + " " + x.version
		if diff := cmp.Diff(offline[key], online[key]); diff == "" {
			continue
		} else if why := explained(x, offline[key], online[key]); why != "" {
			t.Logf("%s: %s", key, why)
		} else {
			t.Errorf("%s (-offline +by the server):\n%s", key, diff)
		}
	}
}

// explained says why osv-scanner's offline matching differs, where that is
// known and it is the one that is wrong; empty: it is not.
func explained(x target, offline, online []string) string {
	more := func(a, b []string) bool {
		return slices.ContainsFunc(a, func(id string) bool { return !slices.Contains(b, id) })
	}
	switch {
	case x.ecosystem == "Packagist" && (strings.Contains(x.version, "-") || strings.Count(x.version, ".") < 2):
		return "osv-scanner orders as PHP's version_compare: 8.0 before 8.0.0, 4 before 4.0.0-rc1. To Composer 8.0 is 8.0.0, and 4 is behind its release candidates"
	case x.ecosystem == "Go" && strings.ToLower(x.name) != x.name && more(online, offline) && !more(offline, online):
		return "records of a module are found whatever the case of its path: purls have it in lower case"
	case x.ecosystem == "PyPI" && more(online, offline) && !more(offline, online):
		return "osv-scanner does not normalize the names of local records (PEP 503)"
	}
	return ""
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
		t.Errorf("osv-scanner says: %s", stderr.String())
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
