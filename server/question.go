package server

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// gitEcosystem asks for a tag of a repository: the name is the repository's URL.
const gitEcosystem = "GIT"

// An osvQuery is the body of /v1/query, and an element of /v1/querybatch. As
// everywhere in protobuf's JSON, a member may be written in camel case, null
// is as good as absent, and unknown ones are passed over.
type osvQuery struct {
	Commit    *string     `json:"commit"`
	Version   *string     `json:"version"`
	PageToken string      `json:"page_token"`
	PageCamel string      `json:"pageToken"`
	Package   *osvPackage `json:"package"`
}

type osvPackage struct {
	Name      string `json:"name"`
	Ecosystem string `json:"ecosystem"`
	Purl      string `json:"purl"`
}

// A subject is what a query asks about.
type subject struct {
	commit string // lower-case hexadecimal digits; goes before what follows
	query.Question
}

// A question is a query that was understood.
type question struct {
	subject
	after string // the last ID of the page before; empty: from the beginning
}

// errUnknownPurl says that no ecosystem belongs to a purl: the answer is empty.
var errUnknownPurl = errors.New("purl without an ecosystem")

// question checks what is asked, in the order and with the messages of
// osv.dev.
//
// Source: osv.dev, go/internal/api/query_affected.go, parseQuery.
func (q *osvQuery) question() (question, error) {
	var out question
	var err error
	if out.subject, err = q.subject(); err != nil {
		return out, err
	}
	out.after, err = afterToken(q.PageToken + q.PageCamel)
	return out, err
}

// subject is the question without its page.
func (q *osvQuery) subject() (out subject, err error) {
	if q.Commit != nil {
		if _, err := hex.DecodeString(*q.Commit); err != nil {
			return out, invalid("invalid hash")
		}
		if out.commit = strings.ToLower(*q.Commit); out.commit == "" {
			return out, invalid("invalid query")
		}
		return out, nil
	}
	if q.Package == nil {
		return out, invalid("invalid query")
	}
	out.Question = query.Question{Ecosystem: q.Package.Ecosystem, Name: q.Package.Name}
	if q.Version != nil {
		out.Version = *q.Version
	}
	if q.Package.Purl != "" {
		if out.Question, err = q.Package.purl(out.Version); err != nil {
			return out, err
		}
	}
	base, _, _ := strings.Cut(out.Ecosystem, ":")
	switch {
	case base != "" && !normalize.IsRegistered(base) && !normalize.IsPrivate(base):
		return out, invalid("invalid ecosystem")
	case out.Name == "", out.Ecosystem == "" && out.Version == "":
		return out, invalid("invalid query")
	}
	return out, nil
}

// purl reads the package URL of p, which says all but perhaps the version.
func (p *osvPackage) purl(version string) (query.Question, error) {
	switch {
	case p.Name != "":
		return query.Question{}, invalid("name specified in a PURL query")
	case p.Ecosystem != "":
		return query.Question{}, invalid("ecosystem specified in a PURL query")
	}
	q, err := query.ParsePurl(p.Purl)
	switch {
	case errors.Is(err, query.ErrPurl):
		return q, invalid("invalid purl: " + strings.TrimPrefix(err.Error(), fmt.Sprintf("%q: %v: ", p.Purl, query.ErrPurl)))
	case err != nil:
		return q, errUnknownPurl
	case q.Version != "" && version != "":
		return q, invalid("version specified in params and PURL query")
	case q.Version == "":
		q.Version = version
	}
	return q, nil
}

// firstPage is osv.dev's token of the first page.
const firstPage = "RklSU1RfUEFHRV9UT0tFTg=="

const tokenPrefix = "P:"

// pageToken is the token of the page behind an ID; empty: of the first page.
func pageToken(last string) string {
	if last == "" {
		return firstPage
	}
	return tokenPrefix + base64.URLEncoding.EncodeToString([]byte(last))
}

// afterToken returns the ID in a token.
func afterToken(token string) (string, error) {
	if token == "" || token == firstPage {
		return "", nil
	}
	text, ok := strings.CutPrefix(token, tokenPrefix)
	id, err := base64.URLEncoding.DecodeString(text)
	if !ok || err != nil || len(id) == 0 {
		return "", invalid("invalid cursor")
	}
	return string(id), nil
}

var bodyOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// read decodes the body.
func (s *Server) read(w http.ResponseWriter, r *http.Request, v any) error {
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, s.opt.MaxBytes), v, bodyOptions)
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return gateway(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is over %d bytes", large.Limit))
	case r.Context().Err() != nil:
		return context.Cause(r.Context())
	}
	return gateway(http.StatusBadRequest, "invalid JSON in the request: "+strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "jsontext: "))
}

// one checks what protobuf calls a oneof.
func (q *osvQuery) one() error {
	if q.Commit != nil && q.Version != nil {
		return gateway(http.StatusBadRequest, "invalid JSON in the request: of commit and version only one may be set")
	}
	return nil
}
