package sources

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"
)

// Upstream returns what answers every request from where instead of the host
// it names.
//
// A folder is a tree of files laid out as <host>/<path>; a request with a
// query is answered by the file <path>?<query>, or <path>/index.html?<query>,
// if there is one, else by <path>. A folder's index.html is its listing. Size
// and modification time (in nanoseconds) of a file are its validators: a
// request that shows them is answered 304. What the tree lacks is 404. Nothing
// outside the tree is read, whatever a URL or a link says.
//
// A URL is asked for <URL>/<host>/<path> in the place of each request.
func Upstream(where string) (http.RoundTripper, error) {
	return upstream(where, network())
}

func upstream(where string, next http.RoundTripper) (http.RoundTripper, error) {
	if strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://") {
		base, err := url.Parse(where)
		if err != nil {
			return nil, err
		}
		return &rewrite{base: base, next: next}, nil
	}
	root, err := os.OpenRoot(where)
	if err != nil {
		return nil, err
	}
	return &tree{root: root}, nil
}

// tree answers from a folder. The folder stays open as long as the process
// runs or the tree is collected.
type tree struct{ root *os.Root }

func (t *tree) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return answer(req, http.StatusMethodNotAllowed), nil
	}
	f, info, err := t.open(req.URL)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoName):
		return answer(req, http.StatusNotFound), nil
	case err != nil:
		return nil, err
	}
	etag := fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano())
	modified := info.ModTime().UTC().Format(http.TimeFormat)
	if unmodified(req.Header, etag, info.ModTime()) {
		_ = f.Close()
		return validated(answer(req, http.StatusNotModified), etag, modified), nil
	}
	resp := validated(answer(req, http.StatusOK), etag, modified)
	resp.ContentLength = info.Size()
	if req.Method == http.MethodHead {
		return resp, f.Close()
	}
	resp.Body = f
	return resp, nil
}

// errNoName says that a URL cannot name a file of a tree.
var errNoName = errors.New("names no file")

// open finds the file that answers for u. What is no regular file is not there.
func (t *tree) open(u *url.URL) (*os.File, fs.FileInfo, error) {
	name, err := treeName(u)
	if err != nil {
		return nil, nil, err
	}
	if u.RawQuery != "" && !strings.Contains(u.RawQuery, "/") {
		for _, n := range []string{name, path.Join(name, "index.html")} {
			if f, info, err := t.regular(n + "?" + u.RawQuery); err == nil {
				return f, info, nil
			}
		}
	}
	f, info, err := t.regular(name)
	if err == nil || !errors.Is(err, errFolder) {
		return f, info, err
	}
	return t.regular(path.Join(name, "index.html"))
}

// errFolder says that a name is a folder's.
var errFolder = errors.New("is a folder")

func (t *tree) regular(name string) (*os.File, fs.FileInfo, error) {
	f, err := t.root.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil, nil, err
		}
		return nil, nil, fs.ErrNotExist // absent, too long, or a link out of the tree
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = errFolder
	case !info.Mode().IsRegular():
		err = fs.ErrNotExist
	default:
		return f, info, nil
	}
	_ = f.Close()
	return nil, nil, err
}

// treeName returns where in a tree the resource of u is, without its query.
func treeName(u *url.URL) (string, error) {
	host := strings.ToLower(u.Host)
	if host == "" || host == "." || host == ".." || strings.ContainsAny(host, "/\\\x00") {
		return "", errNoName
	}
	if strings.ContainsRune(u.Path, 0) {
		return "", errNoName
	}
	return host + path.Clean("/"+u.Path), nil
}

func unmodified(h http.Header, etag string, modified time.Time) bool {
	if want := h.Get("If-None-Match"); want != "" {
		return want == etag
	}
	since, err := http.ParseTime(h.Get("If-Modified-Since"))
	return err == nil && !modified.Truncate(time.Second).After(since)
}

func answer(req *http.Request, status int) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{},
		Body:    io.NopCloser(strings.NewReader("")),
		Request: req,
	}
}

func validated(resp *http.Response, etag, modified string) *http.Response {
	resp.Header.Set("Etag", etag)
	resp.Header.Set("Last-Modified", modified)
	return resp
}

// rewrite asks one server in the place of all others.
type rewrite struct {
	base *url.URL
	next http.RoundTripper
}

func (r *rewrite) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	u := *r.base
	u.Path = strings.TrimSuffix(r.base.Path, "/") + "/" + req.URL.Host + "/" + strings.TrimPrefix(req.URL.Path, "/")
	u.RawPath = ""
	u.RawQuery = req.URL.RawQuery
	out.URL, out.Host = &u, u.Host
	resp, err := r.next.RoundTrip(out)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}
