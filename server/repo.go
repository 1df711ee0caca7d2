package server

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/advdb/advdb/snapshot"
)

// sendFor is how long sending one file of a repository may take.
const sendFor = time.Hour

// mutable are the files of a repository that are written again.
var mutable = map[string]bool{"tuf/timestamp.json": true, "log/checkpoint": true}

// file answers GET /repo/NAME: a published file, with ranges and validators.
// All but two files never change, and say so. There are no listings, and names
// that no repository has are not looked for.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	f, err := s.opt.Repo.Open(r.Context(), name, 0)
	switch {
	case errors.Is(err, snapshot.ErrNotFound), errors.Is(err, snapshot.ErrManifest), errors.Is(err, snapshot.ErrMismatch):
		s.fail(w, r, &apiError{status: http.StatusNotFound, Code: codeNotFound, Message: "no such file"})
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	defer f.Close()
	body, ok := f.(interface {
		io.ReadSeeker
		Stat() (fs.FileInfo, error)
	})
	if !ok {
		s.fail(w, r, fmt.Errorf("repository: %s: cannot be sought in", name))
		return
	}
	info, err := body.Stat()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	describe(w.Header(), name, info)
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendFor)) // not every connection has one
	http.ServeContent(w, r, "", info.ModTime(), body)
}

// describe sets the headers of a file.
func describe(h http.Header, name string, info fs.FileInfo) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if mutable[name] {
		h.Set("Cache-Control", "public, max-age=60")
	}
	tag := fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())
	if sum := path.Base(name); len(sum) == 64 {
		if _, err := hex.DecodeString(sum); err == nil {
			tag = sum // a blob is named by its content
		}
	}
	h.Set("ETag", `"`+tag+`"`)
}

func contentType(name string) string {
	switch {
	case strings.HasSuffix(name, ".json"):
		return "application/json"
	case name == "log/checkpoint", strings.HasSuffix(name, ".tlog-proof"), strings.HasSuffix(name, ".policy"):
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
