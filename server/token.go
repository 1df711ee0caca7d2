package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// admit checks the token of a request: "Authorization: Bearer TOKEN", or Basic
// with the token as password, which is what a URL with user:token@ sends.
// All tokens are compared, each in constant time.
func (s *Server) admit(r *http.Request) error {
	if s.opt.Tokens == nil {
		return nil
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		if _, given, ok = r.BasicAuth(); !ok {
			return &apiError{status: http.StatusUnauthorized, Code: codeUnauthenticated, Message: "a token is needed"}
		}
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(given)))
	good := 0
	for _, token := range s.opt.Tokens() {
		want := sha256.Sum256([]byte(token))
		good |= subtle.ConstantTimeCompare(sum[:], want[:])
	}
	if good == 0 {
		return &apiError{status: http.StatusUnauthorized, Code: codeUnauthenticated, Message: "the token is not valid"}
	}
	return nil
}

// ParseTokens reads the tokens in a file, one a line; empty lines and those
// that begin with "#" are skipped.
func ParseTokens(data []byte) []string {
	var list []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}
