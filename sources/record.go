package sources

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Record returns what makes each request by next and keeps the body of each
// 200 answer in dir as a tree that [Upstream] answers from: <host>/<path>,
// with ?<query> where there is one, and index.html for a path that ends in a
// slash. A file appears whole or not at all, when its body was read to the
// end, and has the time that Last-Modified says. What redirects led to is kept
// under the URL first asked for.
//
// "advdb mirror" is a sync with this around the transport and no validators
// ([MirrorOptions].Force), so that every file is seen, as upstream served it.
func Record(dir string, next http.RoundTripper) http.RoundTripper {
	return &recorder{dir: dir, next: next}
}

type recorder struct {
	dir  string
	next http.RoundTripper
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK || req.Method != http.MethodGet {
		return resp, err
	}
	name, err := recordName(req)
	if err == nil {
		err = r.tee(resp, filepath.FromSlash(name))
	}
	if err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("record %s: %w", req.URL, err)
	}
	return resp, nil
}

// recordName returns the name of what req asks for: after redirects, what the
// first request asked for.
func recordName(req *http.Request) (string, error) {
	for req.Response != nil && req.Response.Request != nil {
		req = req.Response.Request
	}
	u := req.URL
	name, err := treeName(u)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(u.Path, "/") || u.Path == "" {
		name = path.Join(name, "index.html")
	}
	if q := u.RawQuery; q != "" && !strings.Contains(q, "/") {
		name += "?" + q
	}
	return name, nil
}

func (r *recorder) tee(resp *http.Response, name string) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		_ = root.Close()
		return err
	}
	part := name + ".part"
	f, err := root.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		_ = root.Close()
		return err
	}
	resp.Body = &recording{ReadCloser: resp.Body, root: root, file: f, part: part, name: name, modified: resp.Header.Get("Last-Modified")}
	return nil
}

// recording is a body that is written down as it is read.
type recording struct {
	io.ReadCloser
	root     *os.Root
	file     *os.File
	part     string
	name     string
	modified string
}

func (r *recording) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.file == nil {
		return n, err
	}
	if _, werr := r.file.Write(p[:n]); werr != nil {
		return n, fmt.Errorf("record %s: %w", r.name, werr)
	}
	if err == io.EOF {
		if kerr := r.keep(); kerr != nil {
			return n, fmt.Errorf("record %s: %w", r.name, kerr)
		}
	}
	return n, err
}

// keep gives the file that is now whole its name.
func (r *recording) keep() error {
	f := r.file
	r.file = nil
	if err := f.Close(); err != nil {
		return err
	}
	if t, err := http.ParseTime(r.modified); err == nil {
		if err := r.root.Chtimes(r.part, t, t); err != nil {
			return err
		}
	}
	return r.root.Rename(r.part, r.name)
}

func (r *recording) Close() error {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
		_ = r.root.Remove(r.part)
	}
	_ = r.root.Close()
	return r.ReadCloser.Close()
}
