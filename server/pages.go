package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pagePolicy is the Content-Security-Policy of pages: they load nothing but
// their own style and pictures, run no script, and stand in no frame.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// tick is how exactly pages tell ages: within it a page stays what it is.
const tick = 10 * time.Minute

// A web is the pages for people. They are rendered here, need no script, and
// are a function of the state, of when sources were last fetched, of the time
// (by tick), of the address, and of this program.
type web struct {
	s     *Server
	build string // names the program and its templates
	ctx   context.Context
	stop  context.CancelFunc
	heavy chan struct{} // places for what walks over a whole state

	mu   sync.Mutex
	line *stateLine // of the last request, while it holds
}

// A sheet is one page before it is rendered.
type sheet struct {
	template string
	title    string
	query    string // what the search box holds
	data     any
	status   int    // 0: 200
	location string // where to go instead
	retry    int    // seconds after which a browser is to ask again; 0: it is not
}

func (s *Server) newWeb() *web {
	w := &web{s: s, build: buildOf(), heavy: make(chan struct{}, 2)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.page("/{$}", w.home)
	w.page("/search", w.search)
	w.page("/vuln/{id}", w.vulnerability)
	w.page("/package/{ecosystem}/{name...}", w.pack)
	w.page("/sources", w.sources)
	w.page("/changes", w.changes)
	w.page("/statistics", w.statistics)
	s.handle("GET /pages/{file}", open, w.file)
	return w
}

// page registers a page. Other methods than GET and HEAD are refused.
func (w *web) page(path string, build func(ctx context.Context, st *state, r *http.Request) (*sheet, error)) {
	rt := w.s.route(path, limited)
	rt.fail = w.fail
	w.s.mux.HandleFunc("GET "+path, func(rw http.ResponseWriter, r *http.Request) {
		w.s.serve(rt, func(rw http.ResponseWriter, r *http.Request) { w.answer(rw, r, build) }, rw, r)
	})
	w.s.mux.HandleFunc(path, func(rw http.ResponseWriter, r *http.Request) {
		w.s.serve(rt, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Allow", "GET, HEAD")
			w.fail(rw, r, gateway(http.StatusMethodNotAllowed, "This page can only be read."))
		}, rw, r)
	})
}

// answer builds a page of the current state and sends it, unless the client
// has it.
func (w *web) answer(rw http.ResponseWriter, r *http.Request, build func(context.Context, *state, *http.Request) (*sheet, error)) {
	b := buffers.Get().(*bytes.Buffer)
	defer putBuffer(b)
	var sh *sheet
	var etag string
	err := w.s.with(func(st *state) error {
		line, err := w.stateLine(st)
		if err != nil {
			return err
		}
		if etag = w.etag(line, r); matches(r.Header.Get("If-None-Match"), etag) {
			return nil
		}
		if sh, err = build(r.Context(), st, r); err != nil || sh.location != "" {
			return err
		}
		return render(b, sh, line, w.build)
	})
	switch {
	case err != nil:
		w.fail(rw, r, err)
	case sh == nil:
		w.head(rw, etag)
		rw.WriteHeader(http.StatusNotModified)
	case sh.location != "":
		w.head(rw, "")
		http.Redirect(rw, r, sh.location, http.StatusSeeOther)
	default:
		if sh.retry > 0 {
			rw.Header().Set("Refresh", strconv.Itoa(sh.retry))
			etag = ""
		}
		if sh.status > 0 {
			etag = ""
		}
		w.head(rw, etag)
		send(rw, r, sh.status, "text/html; charset=utf-8", b.Bytes())
	}
}

// head sets the headers that all pages have. Whoever keeps a page asks
// whether it still holds; a page without a tag is not kept.
func (w *web) head(rw http.ResponseWriter, etag string) {
	h := rw.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Add("Vary", "Accept-Encoding")
	if etag == "" {
		h.Set("Cache-Control", "no-store")
		return
	}
	cache := "no-cache"
	if w.s.opt.Tokens != nil {
		cache = "private, no-cache"
	}
	h.Set("Cache-Control", cache)
	h.Set("ETag", etag)
}

// fail answers with an error as a page.
func (w *web) fail(rw http.ResponseWriter, r *http.Request, err error) {
	ae := w.s.asAPIError(err)
	h := rw.Header()
	if ae.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(ae.retry))
	}
	if ae.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="advdb: any name, the token as password", charset="UTF-8"`)
	}
	var line *stateLine
	if ae.status != http.StatusUnauthorized { // which learns nothing
		_ = w.s.with(func(st *state) (err error) { line, err = w.stateLine(st); return err }) // the page does without
	}
	b := buffers.Get().(*bytes.Buffer)
	defer putBuffer(b)
	sh := &sheet{template: "error", title: http.StatusText(ae.status), status: ae.status, query: r.URL.Query().Get("q"),
		data: struct {
			Status        int
			Text, Message string
		}{ae.status, http.StatusText(ae.status), ae.Message}}
	if err := render(b, sh, line, w.build); err != nil {
		w.s.opt.Log.Error("page", "error", err)
		http.Error(rw, ae.Message, ae.status)
		return
	}
	w.head(rw, "")
	send(rw, r, ae.status, "text/html; charset=utf-8", b.Bytes())
}

// missing is the error of a page about what is not held.
func missing(format string, args ...any) error {
	return &apiError{status: http.StatusNotFound, Code: codeNotFound, Message: fmt.Sprintf(format, args...)}
}

// wrong is the error of a request that cannot be understood.
func wrong(format string, args ...any) error { return invalid(fmt.Sprintf(format, args...)) }

// wantsPage reports whether a browser asks, and not a client of the API.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/v1/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// etag names what a page is a function of.
func (w *web) etag(line *stateLine, r *http.Request) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%d\x00%d\x00%s\x00%s\x00%s", w.build, line.Number, line.file, line.tick.Unix(), line.status, r.URL.Path, r.URL.RawQuery)
	return `W/"` + hex.EncodeToString(h.Sum(nil)[:12]) + `"`
}

// matches reports whether a header If-None-Match names the tag.
func matches(header, etag string) bool {
	return header != "" && slices.ContainsFunc(strings.Split(header, ","), func(s string) bool {
		s = strings.TrimSpace(s)
		return s == "*" || strings.TrimPrefix(s, "W/") == strings.TrimPrefix(etag, "W/")
	})
}

// A stateLine is what each page says of the state it is of.
type stateLine struct {
	Number  uint64
	Created string // RFC 3339
	Records int
	Sources int       // of which something is held
	Newest  time.Time // when a source was last found to be current
	Age     string    // since then, to tick; "never fetched"
	Old     bool      // older than Options.MaxAge

	file   int64 // of the state's file, when it was written
	tick   time.Time
	status string // of status.json: when it was written, and its size
}

// stateLine returns the line of a state, the same one while it holds.
func (w *web) stateLine(st *state) (*stateLine, error) {
	now := w.s.opt.Now().UTC().Truncate(tick)
	status := ""
	if info, err := os.Stat(filepath.Join(w.s.opt.Dir, "status.json")); err == nil {
		status = fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	m := st.db.Meta()
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.line; l != nil && l.Number == m.Number && l.file == st.file.ModTime().UnixNano() && l.tick.Equal(now) && l.status == status {
		return l, nil
	}
	at, newest, err := w.s.fetched(st)
	if err != nil {
		return nil, err
	}
	l := &stateLine{
		Number: m.Number, Created: m.Created, Records: m.Records, Newest: newest, Age: ageOf(now, newest),
		Old: newest.IsZero() || now.Sub(newest) > w.s.opt.MaxAge, file: st.file.ModTime().UnixNano(), tick: now, status: status,
	}
	for _, t := range at {
		if !t.IsZero() {
			l.Sources++
		}
	}
	w.line = l
	return l, nil
}
