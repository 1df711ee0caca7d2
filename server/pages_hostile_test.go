package server

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"golang.org/x/net/html"
)

// hostileRecord has in each member what a page must show and not obey.
func hostileRecord(t *testing.T, id, payload string) string {
	t.Helper()
	type object = map[string]any
	data, err := json.Marshal(object{
		"id": id, "modified": "2026-07-01T00:00:00Z", "summary": payload, "details": payload, "aliases": []string{"CVE-2021-7777", payload},
		"upstream": []string{payload}, "related": []string{payload}, "published": payload,
		"severity":   []object{{"type": payload, "score": payload}},
		"references": []object{{"type": payload, "url": payload}, {"type": "WEB", "url": "javascript:alert(1)//" + payload}, {"type": "WEB", "url": "data:text/html," + payload}, {"type": "WEB", "url": "https://example.org/?" + payload}},
		"affected": []object{{
			"package":  object{"ecosystem": "npm", "name": "victim"},
			"ranges":   []object{{"type": "ECOSYSTEM", "events": []object{{"introduced": payload}, {"fixed": payload + "1"}}}, {"type": "GIT", "repo": "javascript:" + payload, "events": []object{{"introduced": payload}}}},
			"versions": []string{payload, "1.0.0"},
		}, {"package": object{"ecosystem": payload, "name": payload}, "versions": []string{payload}}},
		"database_specific": object{"severity": payload, "cwe_ids": []string{payload}, "statements": []object{{"ecosystem": payload, "package": payload, "status": payload, "detail": payload}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

// inTemplates are the elements and attributes that the templates have.
var inTemplates = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	list, err := pageFiles.ReadDir("pages")
	if err != nil {
		panic(err)
	}
	for _, f := range list {
		data, err := pageFiles.ReadFile("pages/" + f.Name())
		if err != nil {
			panic(err)
		}
		for _, m := range regexp.MustCompile(`[<\s]([a-zA-Z][-a-zA-Z0-9]*)`).FindAllStringSubmatch(string(data), -1) {
			all[strings.ToLower(m[1])] = true
		}
	}
	return all
})

// checkPage parses a page as a browser does, and wants it to have nothing but
// what the templates have, elements that are closed, each id once, links that
// lead to this server or to the web, labels for what is filled in, and heads for
// the columns of its tables. It returns the paths of its links.
func checkPage(t *testing.T, path, body string) (links []string) {
	t.Helper()
	var open []string
	ids, labels, inputs := map[string]bool{}, map[string]bool{}, []string{}
	heads := 0
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		switch kind {
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Errorf("%s: </%s> within %v", path, token.Data, open)
				return nil
			}
			open = open[:len(open)-1]
			if token.Data == "table" && heads == 0 {
				t.Errorf("%s: a table without heads", path)
			}
			continue
		case html.StartTagToken, html.SelfClosingTagToken:
		case html.CommentToken:
			t.Errorf("%s: a comment %s", path, token)
			continue
		default:
			continue
		}
		if !inTemplates()[token.Data] || token.Data == "script" || token.Data == "style" {
			t.Errorf("%s: an element %s", path, token)
		}
		if kind == html.StartTagToken && !slices.Contains([]string{"meta", "link", "input", "br", "col"}, token.Data) {
			open = append(open, token.Data)
		}
		switch token.Data {
		case "table":
			heads = 0
		case "th":
			heads++
		}
		for _, a := range token.Attr {
			if !inTemplates()[strings.ToLower(a.Key)] || strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("%s: an attribute %s in %s", path, a.Key, token)
			}
			switch a.Key {
			case "id":
				if ids[a.Val] {
					t.Errorf("%s: two of id %s", path, a.Val)
				}
				ids[a.Val] = true
				if token.Data == "input" || token.Data == "select" {
					inputs = append(inputs, a.Val)
				}
			case "for":
				labels[a.Val] = true
			case "href", "src", "action":
				switch u, err := url.Parse(a.Val); {
				case err != nil:
					t.Errorf("%s: an address %s: %v", path, a.Val, err)
				case u.Scheme == "https" && u.Host != "" && token.Data == "a":
				case u.Scheme == "" && u.Host == "" && (strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "#")):
					links = append(links, a.Val)
				default:
					t.Errorf("%s: an address %q", path, a.Val)
				}
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: not closed: %v", path, open)
	}
	for _, id := range inputs {
		if !labels[id] {
			t.Errorf("%s: %s without a label", path, id)
		}
	}
	return links
}

// TestHostileRecords wants records of strangers to be shown as text: no page
// has an element, an attribute or an address that they brought along.
func TestHostileRecords(t *testing.T) {
	payloads := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
		`</textarea></style><svg/onload=alert(1)>`, `javascript:alert(1)`, "data:text/html;base64,PHNjcmlwdD4=", `{{.}}{{template "x"}}`,
		`[x](javascript:alert(1)) ![x](data:x)`, "a\u202egnp.exe\u2066\x07", "<!--", `<base href=https://evil.example>`, `../../..`, `?q=<b>#x`,
	}
	var text strings.Builder
	for i, p := range payloads {
		text.WriteString(hostileRecord(t, fmt.Sprintf("BAD-%02d", i), p))
	}
	_, site := pageServer(t, text.String(), nil)
	paths := []string{"/", "/vuln/CVE-2021-7777", "/package/npm/victim", "/package/npm/victim?version=1.0.0", "/sources", "/statistics", "/search?q=bad"}
	for i, p := range payloads {
		escaped := strings.ReplaceAll(url.QueryEscape(p), "+", "%20")
		paths = append(paths, fmt.Sprintf("/vuln/BAD-%02d", i), "/vuln/"+escaped, "/vuln/BAD-00?purl="+escaped, "/search?q="+escaped,
			"/package/"+escaped+"/"+escaped, "/package/npm/victim?version="+escaped, "/package/npm/victim?verdict="+escaped, "/changes?kind="+escaped)
	}
	for _, path := range paths {
		resp, body := exchange(t, "GET", site+path, "", "Accept", "text/html")
		if resp.StatusCode == http.StatusAccepted {
			body = settled(t, site+path)
		}
		if resp.StatusCode == http.StatusSeeOther {
			continue
		}
		if resp.StatusCode >= 500 || !strings.HasPrefix(body, "<!DOCTYPE html>") {
			t.Errorf("%s: %d\n%.300s", path, resp.StatusCode, body)
			continue
		}
		checkPage(t, path, body)
		if strings.ContainsAny(body, "\u202e\u2066\x07\x00") {
			t.Errorf("%s: a character that turns text around", path)
		}
	}
}

// TestPagesLeadSomewhere follows every link from the first page on.
func TestPagesLeadSomewhere(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, pageRecords)
	fill(t, dir, pageRecords+"N-1 PyPI new 1.0\n")
	_, srv := newServer(t, Options{Dir: dir, Pages: true})
	examples := regexp.MustCompile(`^/search`) // of the first page, of records that are not held here
	seen := map[string]bool{}
	for queue := []string{"/", "/package/npm/left-pad?version=2.1.0", "/vuln/CVE-2021-0001?purl=pkg:npm/left-pad@2.4.1", "/search?q=left-pad"}; len(queue) > 0; queue = queue[1:] {
		path, _, _ := strings.Cut(queue[0], "#")
		if path == "" || seen[path] {
			continue
		}
		seen[path] = true
		if strings.HasPrefix(path, "/pages/") || strings.HasPrefix(path, "/v1/") {
			if status, body := get(t, srv.URL+path); status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
			continue
		}
		resp, body := exchange(t, "GET", srv.URL+path, "")
		if resp.StatusCode == http.StatusAccepted {
			body = settled(t, srv.URL+path)
		} else if resp.StatusCode != 200 && !examples.MatchString(path) {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
		if resp.StatusCode != http.StatusSeeOther {
			queue = append(queue, checkPage(t, path, body)...)
		}
	}
	for _, want := range []string{"/vuln/GHSA-aaaa-bbbb-cccc", "/package/Debian:12/node-left-pad", "/package/Debian/node-left-pad", "/v1/vulns/CVE-2021-0001", "/changes?kind=added"} {
		if !seen[want] && !seen[strings.ReplaceAll(want, ":", "%3A")] {
			t.Errorf("nothing leads to %s", want)
		}
	}
}
