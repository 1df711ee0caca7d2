package server

import (
	"net/http"
	"strings"
)

// maxID is the length of an ID from which osv.dev looks no further.
const maxID = 100

// vuln answers GET /v1/vulns/{id}. Of an ID that is only an alias the error
// names the records.
//
// Source: osv.dev, go/internal/api/get_vuln_by_id.go.
func (s *Server) vuln(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if len(id) > maxID {
		s.fail(w, r, invalid("ID is too long"))
		return
	}
	var wire []byte
	err := s.with(func(st *state) (err error) {
		if err = s.eachWire(st, []string{id}, func(_ string, b []byte) error { wire = b; return nil }); err != nil || wire != nil {
			return err
		}
		return s.unknownID(st, id)
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, r, http.StatusOK, wire)
}

// unknownID is the error of an ID that no record has.
func (s *Server) unknownID(st *state, id string) error {
	links, err := st.db.Links(id)
	if err != nil {
		return err
	}
	var names []string
	for _, l := range links {
		if l.Alias {
			names = append(names, l.ID)
		}
	}
	message := "Vulnerability not found"
	if len(names) > 0 {
		message += ", but the following aliases were: " + strings.Join(names, " ")
	}
	return &apiError{status: http.StatusNotFound, Code: codeNotFound, Message: message}
}
