package server

import (
	"net/url"
	"path"
	"strings"
)

// vulnPath is the page of a vulnerability.
func vulnPath(id string) string { return "/vuln/" + url.PathEscape(id) }

// recordPath is where a record is as JSON.
func recordPath(id string) string { return "/v1/vulns/" + url.PathEscape(id) }

// packagePath is the page of a package.
func packagePath(ecosystem, name string) string {
	if ecosystem == "" || name == "" {
		return ""
	}
	escaped := url.PathEscape(name)
	if path.Clean("/"+name) == "/"+name {
		escaped = strings.ReplaceAll(escaped, "%2F", "/")
	}
	return "/package/" + url.PathEscape(ecosystem) + "/" + escaped
}

// withQuery adds parameters to a path: name, value, and so on; empty values
// are left out.
func withQuery(path string, parameters ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			v.Set(parameters[i], parameters[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// safeLink returns the URL if it is one of the web, else nothing: it comes
// from strangers.
func safeLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return s
}
