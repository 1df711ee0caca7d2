package server

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Status codes of the OSV API's errors (google.rpc.Code).
const (
	codeInvalid       = 3
	codeNotFound      = 5
	codeUnimplemented = 12
	codeInternal      = 13
)

// An apiError is an error as the OSV API answers it.
type apiError struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return e.Message }

func invalid(message string) *apiError {
	return &apiError{http.StatusBadRequest, codeInvalid, message}
}

// osvQuery is the body of /v1/query.
type osvQuery struct {
	Commit    string `json:"commit"`
	Version   string `json:"version"`
	PageToken string `json:"page_token"`
	Package   struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
		Purl      string `json:"purl"`
	} `json:"package"`
}

// question reads what is asked. A purl of a type without an ecosystem is no
// error: ok is false, and the answer is empty.
//
// Source: osv.dev, gcp/api/server.py, do_query, for the order of checks and
// the messages.
func (q *osvQuery) question() (out query.Question, ok bool, err error) {
	switch {
	case q.Commit != "":
		return out, false, &apiError{http.StatusNotImplemented, codeUnimplemented, "commits are not answered here"}
	case q.Package.Purl != "":
		return q.purl()
	case q.Package.Name == "" || q.Package.Ecosystem == "":
		return out, false, invalid("Invalid query.")
	}
	return query.Question{Ecosystem: q.Package.Ecosystem, Name: q.Package.Name, Version: q.Version}, true, nil
}

func (q *osvQuery) purl() (out query.Question, ok bool, err error) {
	out, err = query.ParsePurl(q.Package.Purl)
	switch {
	case errors.Is(err, query.ErrPurl):
		return out, false, invalid("Invalid Package URL.")
	case q.Package.Name != "":
		return out, false, invalid("name specified in a PURL query")
	case q.Package.Ecosystem != "":
		return out, false, invalid("ecosystem specified in a PURL query")
	case err != nil:
		return out, false, nil
	case out.Version != "" && q.Version != "":
		return out, false, invalid("version specified in params and PURL query")
	}
	if out.Version == "" {
		out.Version = q.Version
	}
	return out, true, nil
}

// page finds the IDs of one page: those behind the token, in order.
func (s *Server) page(db *store.DB, q *osvQuery) (ids []string, next string, unknown int, err error) {
	ask, ok, err := q.question()
	if err != nil || !ok {
		return nil, "", 0, err
	}
	after, err := base64.RawURLEncoding.DecodeString(q.PageToken)
	if err != nil {
		return nil, "", 0, invalid("Invalid page token.")
	}
	a, err := query.Package(db, ask)
	if err != nil {
		return nil, "", 0, err
	}
	last := string(after)
	for _, id := range a.IDs(versioncmp.Affected) {
		if id <= last && last != "" {
			continue
		}
		if len(ids) == s.opt.PageSize {
			return ids, base64.RawURLEncoding.EncodeToString([]byte(ids[len(ids)-1])), unknown, nil
		}
		ids = append(ids, id)
	}
	return ids, "", len(a.IDs(versioncmp.Unknown)), nil
}

// queryAnswer is the answer of /v1/query.
type queryAnswer struct {
	Vulns []jsontext.Value `json:"vulns,omitempty"`
	Next  string           `json:"next_page_token,omitempty"`
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	var q osvQuery
	if !s.read(w, r, &q) {
		return
	}
	var a queryAnswer
	err := s.with(func(db *store.DB) error {
		ids, next, unknown, err := s.page(db, &q)
		if err != nil {
			return err
		}
		if unknown > 0 {
			w.Header().Set("Advdb-Unknown", strconv.Itoa(unknown))
		}
		a.Next = next
		for _, id := range ids {
			data, err := db.Record(id)
			if err != nil {
				return err
			}
			a.Vulns = append(a.Vulns, data)
		}
		return nil
	})
	s.write(w, a, err)
}

// A batchResult is one element of the answer of /v1/querybatch.
type batchResult struct {
	Vulns []batchVuln `json:"vulns,omitempty"`
	Next  string      `json:"next_page_token,omitempty"`
}

type batchVuln struct {
	ID       string `json:"id"`
	Modified string `json:"modified"`
}

// maxBatch is how many queries a batch may hold.
const maxBatch = 1000

func (s *Server) queryBatch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Queries []osvQuery `json:"queries"`
	}
	if !s.read(w, r, &in) {
		return
	}
	if len(in.Queries) > maxBatch {
		s.write(w, nil, invalid("Too many queries."))
		return
	}
	results := make([]batchResult, len(in.Queries))
	err := s.with(func(db *store.DB) error {
		for i := range in.Queries {
			ids, next, _, err := s.page(db, &in.Queries[i])
			if err != nil {
				return err
			}
			results[i].Next = next
			for _, id := range ids {
				modified, err := modifiedOf(db, id)
				if err != nil {
					return err
				}
				results[i].Vulns = append(results[i].Vulns, batchVuln{id, modified})
			}
		}
		return nil
	})
	s.write(w, map[string]any{"results": results}, err)
}

// modifiedOf returns the member modified of a record.
func modifiedOf(db *store.DB, id string) (string, error) {
	data, err := db.Record(id)
	if err != nil {
		return "", err
	}
	var r struct {
		Modified string `json:"modified"`
	}
	err = json.Unmarshal(data, &r)
	return r.Modified, err
}

func (s *Server) vuln(w http.ResponseWriter, r *http.Request) {
	var data []byte
	err := s.with(func(db *store.DB) (err error) {
		data, err = db.Record(r.PathValue("id"))
		return err
	})
	if err == nil && data == nil {
		err = &apiError{http.StatusNotFound, codeNotFound, "Bug not found."}
	}
	s.write(w, jsontext.Value(data), err)
}

// read decodes the body; it answers where it cannot.
func (s *Server) read(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, s.opt.MaxBytes), v)
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &large):
		s.write(w, nil, &apiError{http.StatusRequestEntityTooLarge, codeInvalid, fmt.Sprintf("body is over %d bytes", large.Limit)})
	default:
		s.write(w, nil, invalid("Invalid request: "+strings.TrimPrefix(err.Error(), "jsontext: ")))
	}
	return false
}

// write answers with v, or with err.
func (s *Server) write(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		var ae *apiError
		if !errors.As(err, &ae) {
			s.opt.Log.Error("request failed", "error", err)
			ae = &apiError{http.StatusInternalServerError, codeInternal, "internal error"}
		}
		status, v = ae.status, ae
		s.count.failed(status)
	}
	data, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"code":13,"message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	w.Write(data)
}
