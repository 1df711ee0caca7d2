package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// A guard says what a request must pass before it is answered.
type guard uint8

const (
	open    guard = iota // nothing: health is asked by what has no token
	private              // the token
	limited              // the token, the client's rate, and a place among the requests at hand
)

// A route is one path with what is counted of it.
type route struct {
	path  string
	guard guard
	fail  func(w http.ResponseWriter, r *http.Request, err error) // answers with an error
	count traffic
}

// handle registers a handler: pattern is as of http.ServeMux, with a method.
func (s *Server) handle(pattern string, g guard, h http.HandlerFunc) {
	_, path, _ := strings.Cut(pattern, " ")
	rt := s.route(path, g)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(rt, h, w, r) })
}

// api registers a path of the OSV API. Any other method is answered as
// osv.dev's gateway does.
func (s *Server) api(method, path string, h http.HandlerFunc) {
	s.handle(method+" "+path, limited, h)
	rt := s.route(path, open)
	s.mux.HandleFunc("OPTIONS "+path, func(w http.ResponseWriter, r *http.Request) { s.serve(rt, preflight, w, r) })
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		s.serve(rt, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", method+", OPTIONS")
			s.fail(w, r, gateway(http.StatusMethodNotAllowed,
				fmt.Sprintf("The current request is matched to the defined url template %q but its http method is not allowed", path)))
		}, w, r)
	})
}

// route returns the route of a path with a guard, the same one each time.
func (s *Server) route(path string, g guard) *route {
	for _, rt := range s.routes {
		if rt.path == path && rt.guard == g {
			return rt
		}
	}
	rt := &route{path: path, guard: g, fail: s.fail}
	s.routes = append(s.routes, rt)
	return rt
}

// notFound answers what is not there, as osv.dev's gateway does.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	if s.web != nil && wantsPage(r) {
		s.web.fail(w, r, missing("There is no page here."))
		return
	}
	s.fail(w, r, gateway(http.StatusNotFound, "The current request is not defined by this API."))
}

// allowOrigin lets pages of any site read answers, as osv.dev's gateway does.
func allowOrigin(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != "" {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "Content-Length,Content-Range,Advdb-Unknown,Advdb-Not-Covered")
	}
}

// preflight answers a browser that asks before it asks.
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET,POST,OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Authorization,Content-Type,User-Agent,X-Requested-With")
	h.Set("Access-Control-Max-Age", "1728000")
	w.WriteHeader(http.StatusNoContent)
}

// serve lets a request through to h, and counts it whatever happens.
func (s *Server) serve(rt *route, h http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	start := time.Now()
	s.inFlight.Add(1)
	defer func() {
		s.inFlight.Add(-1)
		if v := recover(); v != nil {
			s.recovered(rt, rec, r, v)
		}
		s.done(rt, rec, r, time.Since(start))
	}()
	allowOrigin(rec, r)
	if rt.guard != open {
		if err := s.admit(r); err != nil {
			rec.Header().Set("WWW-Authenticate", `Bearer realm="advdb"`)
			rt.fail(rec, r, err)
			return
		}
	}
	if rt.guard != limited {
		h(rec, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.opt.Deadline)
	defer cancel()
	leave, err := s.limits.enter(ctx, clientOf(r))
	if err != nil {
		rt.fail(rec, r, err)
		return
	}
	defer leave()
	h(rec, r.WithContext(ctx))
}

// recovered answers a request whose handler panicked.
func (s *Server) recovered(rt *route, rec *recorder, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.panics.Add(1)
	s.opt.Log.Error("panic", "path", r.URL.Path, "value", v, "stack", string(debug.Stack()))
	if rec.status != 0 {
		panic(http.ErrAbortHandler) // an answer is under way: the connection is cut instead
	}
	rt.fail(rec, r, &apiError{status: http.StatusInternalServerError, Code: codeInternal, Message: "internal server error"})
}

// done counts a request, and logs it where that is wanted.
func (s *Server) done(rt *route, rec *recorder, r *http.Request, d time.Duration) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	rt.count.done(rec.status, d)
	if s.opt.Access {
		s.opt.Log.Info("request", "method", r.Method, "path", r.URL.Path, "status", rec.status,
			"bytes", rec.bytes, "seconds", d.Seconds(), "client", clientOf(r))
	}
}

// clientOf is the address of the client, without its port.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// A recorder remembers how a request was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets http.ResponseController reach what is below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}
