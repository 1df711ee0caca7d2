package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
)

// Codes in the errors of the OSV API (google.rpc.Code). Errors of the gateway
// before it (unknown paths, methods, bodies that are no JSON) have the HTTP
// status as their code.
const (
	codeInvalid         = 3
	codeDeadline        = 4
	codeNotFound        = 5
	codeExhausted       = 8
	codeUnimplemented   = 12
	codeInternal        = 13
	codeUnavailable     = 14
	codeUnauthenticated = 16
)

// An apiError is an error as the OSV API answers it.
type apiError struct {
	status  int
	retry   int    // seconds for Retry-After; 0: none
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return e.Message }

func invalid(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, Code: codeInvalid, Message: message}
}

// gateway is an error of the gateway before osv.dev's API.
func gateway(status int, message string) *apiError {
	return &apiError{status: status, Code: status, Message: message}
}

// atIndex says which query of a batch err is of, as osv.dev does.
func atIndex(i int, err error) error {
	var ae *apiError
	if !errors.As(err, &ae) || ae.Code != codeInvalid {
		return err
	}
	return invalid(fmt.Sprintf("error in query at index %d: rpc error: code = InvalidArgument desc = %s", i, ae.Message))
}

// asAPIError turns any error into one of the API.
func (s *Server) asAPIError(err error) *apiError {
	var ae *apiError
	switch {
	case errors.As(err, &ae):
		return ae
	case errors.Is(err, store.ErrNoData):
		return &apiError{status: http.StatusServiceUnavailable, retry: 10, Code: codeUnavailable, Message: "no data is held yet"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &apiError{status: http.StatusGatewayTimeout, Code: codeDeadline, Message: "deadline exceeded"}
	case errors.Is(err, errClosed):
		return &apiError{status: http.StatusServiceUnavailable, retry: 1, Code: codeUnavailable, Message: "server is closing"}
	}
	s.opt.Log.Error("request failed", "error", err)
	return &apiError{status: http.StatusInternalServerError, Code: codeInternal, Message: "internal server error"}
}

// fail answers with err.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	ae := s.asAPIError(err)
	if ae.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(ae.retry))
	}
	data, err := json.Marshal(ae, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		data = []byte(`{"code":13,"message":"internal server error"}`)
	}
	answer(w, r, ae.status, data)
}

// gzipFrom is the size from which an answer is compressed for who takes it.
const gzipFrom = 4 << 10

var zippers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is constant
	}
	return z
}}

// buffers hold answers while they are put together.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled is the largest buffer that is kept.
const maxPooled = 1 << 20

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		b.Reset()
		buffers.Put(b)
	}
}

// answer writes JSON.
func answer(w http.ResponseWriter, r *http.Request, status int, data []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	send(w, r, status, "application/json", data)
}

// send writes a body, compressed for who takes it. Status 0 is 200.
func send(w http.ResponseWriter, r *http.Request, status int, kind string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	if len(data) >= gzipFrom && takesGzip(r) {
		b := buffers.Get().(*bytes.Buffer)
		defer putBuffer(b)
		z := zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(b)
		z.Write(data) // into memory
		z.Close()
		h.Set("Content-Encoding", "gzip")
		data = b.Bytes()
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(max(status, http.StatusOK))
	w.Write(data) // who has gone needs no error
}

// takesGzip reports whether the client names gzip among what it takes.
func takesGzip(r *http.Request) bool {
	for _, v := range r.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(v, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
			if name == "gzip" || name == "*" {
				return strings.Trim(strings.TrimPrefix(strings.ReplaceAll(q, " ", ""), "q="), "0.") != "" || q == ""
			}
		}
	}
	return false
}
