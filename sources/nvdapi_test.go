package sources_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/fixture"
	"github.com/advdb/advdb/sources/sourcetest"
)

// fakeNVD is NVD's API 2.0, as far as a mirror uses it.
type fakeNVD struct {
	t        *testing.T
	cves     map[string]time.Time // lastModified by ID
	requests []string             // start and end of lastModified, and startIndex
	keys     map[string]bool      // apiKey headers seen
	// before is called with the number of the request before it is answered;
	// it reports whether it answered itself.
	before func(n int, w http.ResponseWriter, r *http.Request) bool
}

const nvdLayout = "2006-01-02T15:04:05.000Z"

func (f *fakeNVD) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	start, end := q.Get("lastModStartDate"), q.Get("lastModEndDate")
	f.requests = append(f.requests, strings.TrimSpace(start+" "+end+" "+q.Get("startIndex")))
	for k, v := range r.Header {
		if strings.EqualFold(k, "apiKey") {
			f.keys[v[0]] = true
		}
	}
	if r.URL.Host != "services.nvd.nist.gov" || r.URL.Path != "/rest/json/cves/2.0" || q.Get("resultsPerPage") != "2000" {
		f.t.Errorf("asked for %s", r.URL)
	}
	if strings.Contains(r.URL.RawQuery, "%3A") || (start == "") != (end == "") {
		f.t.Errorf("query %s", r.URL.RawQuery)
	}
	if f.before != nil && f.before(len(f.requests), w, r) {
		return
	}
	from, until := time.Time{}, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)
	if start != "" {
		var err1, err2 error
		from, err1 = time.Parse(nvdLayout, start)
		until, err2 = time.Parse(nvdLayout, end)
		if err1 != nil || err2 != nil || until.Sub(from) > 120*24*time.Hour || until.Before(from) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	}
	f.page(w, q.Get("startIndex"), from, until)
}

func (f *fakeNVD) page(w io.Writer, startIndex string, from, until time.Time) {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(f.cves)) {
		if at := f.cves[id]; !at.Before(from) && !at.After(until) {
			ids = append(ids, id)
		}
	}
	start, _ := strconv.Atoi(startIndex)
	page := ids[min(start, len(ids)):min(start+2000, len(ids))]
	vulns := []any{}
	for _, id := range page {
		vulns = append(vulns, map[string]any{"cve": map[string]string{"id": id, "lastModified": f.cves[id].Format("2006-01-02T15:04:05.000")}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"resultsPerPage": len(page), "startIndex": start, "totalResults": len(ids),
		"format": "NVD_CVE", "version": "2.0", "vulnerabilities": vulns})
}

// nvdRun is a fetch by the API at a time.
type nvdRun struct {
	api   *fakeNVD
	docs  *sourcetest.Memory
	now   time.Time
	key   string
	force bool
	waits []time.Duration
}

func newNVDRun(t *testing.T, n int) *nvdRun {
	api := &fakeNVD{t: t, cves: map[string]time.Time{}, keys: map[string]bool{}}
	for i := range n {
		api.cves[fmt.Sprintf("CVE-2024-%05d", i)] = time.Date(2024, 1, 1, 0, 0, i, 0, time.UTC)
	}
	return &nvdRun{api: api, docs: &sourcetest.Memory{}, now: time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)}
}

func (r *nvdRun) fetch(copt sources.ClientOptions) (sources.Stats, error) {
	t := r.api.t
	t.Helper()
	r.api.requests, r.waits = nil, nil
	r.docs = r.docs.Reopen()
	copt.Retries = orElse(copt.Retries, -1)
	m := liveMirror(t, r.api, r.docs, copt, sources.MirrorOptions{
		API:    true,
		Force:  r.force,
		Secret: func(name string) string { return map[string]string{"NVD_API_KEY": r.key}[name] },
		Now:    func() time.Time { return r.now },
		Sleep: func(_ context.Context, d time.Duration) error {
			r.waits = append(r.waits, d)
			return nil
		},
	})
	err := sources.NVD()(t.Context(), m)
	return m.Stats(), err
}

// check compares the documents with what the API has.
func (r *nvdRun) check(t *testing.T) {
	t.Helper()
	want := []string{}
	for id := range r.api.cves {
		want = append(want, "api/"+id+".json")
	}
	slices.Sort(want)
	docs := r.docs.Reopen().Documents()
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(docs))); d != "" {
		t.Errorf("documents (-API +mirror):\n%.1000s", d)
	}
	for name, data := range docs {
		id := strings.TrimSuffix(strings.TrimPrefix(name, "api/"), ".json")
		if want := r.api.cves[id].Format("2006-01-02T15:04:05.000"); !strings.Contains(string(data), want) {
			t.Errorf("%s is %s, last modified %s", name, data, want)
		}
	}
}

func (r *nvdRun) mustFetch(t *testing.T) sources.Stats {
	t.Helper()
	s, err := r.fetch(sources.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNVDAPI(t *testing.T) {
	r := newNVDRun(t, 4500)
	r.mustFetch(t)
	r.check(t)
	want := []string{"0", "2000", "4000", "2024-01-01T01:14:59.000Z 2024-02-01T00:00:00.000Z 0"}
	if d := cmp.Diff(want, r.api.requests); d != "" {
		t.Errorf("first fetch (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]time.Duration{6 * time.Second, 6 * time.Second, 6 * time.Second}, r.waits); d != "" {
		t.Errorf("waits: %s", d)
	}

	// Nothing new, and nothing is written.
	r.now = r.now.Add(time.Hour)
	if s := r.mustFetch(t); r.docs.Writes() != 0 || s.Changed != 0 || len(r.api.requests) != 1 {
		t.Errorf("again: %+v, %d writes, requests %q", s, r.docs.Writes(), r.api.requests)
	}

	// A year later: windows of at most 120 days, none of them advances the
	// cursor past what was seen.
	r.key = "secret-key"
	r.now = r.now.AddDate(1, 0, 0)
	changed := time.Date(2024, 9, 9, 9, 9, 9, 0, time.UTC)
	r.api.cves["CVE-2024-00007"], r.api.cves["CVE-2024-99999"] = changed, changed
	s := r.mustFetch(t)
	r.check(t)
	if s.Changed != 2 || len(r.api.requests) != 4 || !r.api.keys["secret-key"] || r.waits[0] != 600*time.Millisecond {
		t.Errorf("a year later: %+v, requests %q, keys %v, waits %v", s, r.api.requests, r.api.keys, r.waits)
	}
	r.mustFetch(t)
	if len(r.api.requests) != 2 || !strings.HasPrefix(r.api.requests[0], "2024-09-09T09:09:09.000Z ") {
		t.Errorf("after it: requests %q", r.api.requests)
	}
	state, _ := r.docs.Load()
	if strings.Contains(string(state), "secret-key") {
		t.Errorf("state holds the key: %s", state)
	}

	// The clock went back: it still asks.
	r.now = changed.AddDate(0, -1, 0)
	r.mustFetch(t)
	if len(r.api.requests) != 1 {
		t.Errorf("with the clock set back: requests %q", r.api.requests)
	}
}

// TestNVDAPIPages changes the results, and breaks the answers, between pages.
func TestNVDAPIPages(t *testing.T) {
	body := func(f string, a ...any) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { fmt.Fprintf(w, f, a...) }
	}
	for _, tt := range []struct {
		name     string
		at       int // number of the request
		times    int
		do       func(f *fakeNVD)
		answer   func(w http.ResponseWriter)
		requests int
		fails    error
	}{
		{name: "grows", at: 2, times: 1, do: func(f *fakeNVD) { f.cves["CVE-2025-00001"] = time.Date(2024, 1, 5, 0, 0, 0, 0, time.UTC) }, requests: 4},
		{name: "shrinks", at: 2, times: 1, do: func(f *fakeNVD) { delete(f.cves, "CVE-2024-04499") }, requests: 6},
		{name: "a page is not full", at: 2, times: 1, answer: body(`{"startIndex":2000,"totalResults":4500,"vulnerabilities":[]}`), requests: 5},
		{name: "a page is never full", at: 2, times: 99, answer: body(`{"startIndex":2000,"totalResults":4500,"vulnerabilities":[]}`), requests: 5, fails: sources.ErrIncomplete},
		{name: "of another index", at: 2, times: 99, answer: body(`{"startIndex":0,"totalResults":4500,"vulnerabilities":[]}`), requests: 5, fails: sources.ErrIncomplete},
		{name: "breaks off in a 200", at: 2, times: 2, answer: body(`{"startIndex":2000,"totalResults":4500,"vulnerabilities":[{"cve":{"id":"CVE-2024-02000","lastModified":"2024-01-01T00:33:20.000"}},{"cv`), requests: 6},
		{name: "a web page", at: 2, times: 1, answer: body(`<html>busy</html>`), requests: 5},
		{name: "garbage after it", at: 4, times: 99, answer: body(`{"startIndex":0,"totalResults":0,"vulnerabilities":[]}x`), requests: 7},
		{name: "no ID", at: 4, times: 99, answer: body(`{"startIndex":0,"totalResults":1,"vulnerabilities":[{"cve":{}}]}`), requests: 7, fails: sources.ErrIncomplete},
		{name: "403", at: 3, times: 2, answer: func(w http.ResponseWriter) { w.WriteHeader(403) }, requests: 6},
		{name: "503 for ever", at: 3, times: 99, answer: func(w http.ResponseWriter) { w.WriteHeader(503) }, requests: 5},
		{name: "breaks the connection", at: 2, times: 1, answer: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, requests: 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newNVDRun(t, 4500)
			r.api.before = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n < tt.at || n >= tt.at+tt.times {
					return false
				}
				if tt.do != nil {
					tt.do(r.api)
				}
				if tt.answer != nil {
					tt.answer(w)
				}
				return tt.answer != nil
			}
			_, err := r.fetch(sources.ClientOptions{Retries: 2})
			if tt.times < 99 && err != nil || tt.times >= 99 && (err == nil || tt.fails != nil && !errors.Is(err, tt.fails)) {
				t.Fatalf("error is %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "services.nvd.nist.gov/rest/json/cves/2.0") {
				t.Errorf("error does not name the URL: %v", err)
			}
			if len(r.api.requests) != tt.requests {
				t.Errorf("%d requests, want %d: %q", len(r.api.requests), tt.requests, r.api.requests)
			}
			r.api.before = nil
			r.mustFetch(t) // goes on from where it was
			if tt.name == "shrinks" {
				r.api.cves["CVE-2024-04499"] = time.Date(2024, 1, 1, 1, 14, 59, 0, time.UTC)
				delete(r.api.cves, "CVE-2024-04499")
				r.docs = forget(t, r.docs, "api/CVE-2024-04499.json")
			}
			r.check(t)
		})
	}
}

// forget returns docs without a document that upstream has no more, which
// NVD's API does not tell.
func forget(t *testing.T, docs *sourcetest.Memory, name string) *sourcetest.Memory {
	t.Helper()
	state, _ := docs.Load()
	if err := errors.Join(docs.Delete(name), docs.Commit(state)); err != nil {
		t.Fatal(err)
	}
	return docs
}

// TestNVDAPIEmpty must not take "no results" for news.
func TestNVDAPIEmpty(t *testing.T) {
	r := newNVDRun(t, 0)
	if _, err := r.fetch(sources.ClientOptions{}); !errors.Is(err, sources.ErrIncomplete) {
		t.Errorf("an empty database: %v", err)
	}
	if len(r.docs.Reopen().Documents()) != 0 {
		t.Error("documents came from nowhere")
	}
}

// TestNVDWays goes from the feeds to the API and back: what the one way left
// goes when the other has brought all.
func TestNVDWays(t *testing.T) {
	dir := t.TempDir()
	if err := fixture.WriteUpstream(dir, fixtureFile("nvd")); err != nil {
		t.Fatal(err)
	}
	r := newNVDRun(t, 3)
	feeds := func() {
		t.Helper()
		r.docs = r.docs.Reopen()
		src, _ := sources.ByName("nvd")
		fetchFrom(t, src, r.docs, dir)
	}
	names := func() string { return strings.Join(slices.Sorted(maps.Keys(r.docs.Reopen().Documents())), " ") }
	const byFeed = "nvdcve-2.0-2002.json nvdcve-2.0-2021.json nvdcve-2.0-2022.json nvdcve-2.0-modified.json"
	const byAPI = "api/CVE-2024-00000.json api/CVE-2024-00001.json api/CVE-2024-00002.json"
	feeds()
	if got := names(); got != byFeed {
		t.Errorf("by feeds: %s", got)
	}
	r.mustFetch(t)
	if got := names(); got != byAPI {
		t.Errorf("then by the API: %s", got)
	}
	feeds()
	if got := names(); got != byFeed {
		t.Errorf("then by feeds again: %s", got)
	}
}

// TestNVDDocuments parses what the API's documents look like.
func TestNVDDocuments(t *testing.T) {
	r := newNVDRun(t, 1)
	r.mustFetch(t)
	body := r.docs.Reopen().Documents()["api/CVE-2024-00000.json"]
	var ids []string
	d := normalize.Doc{Source: "nvd", Name: "api/CVE-2024-00000.json", Body: strings.NewReader(string(body))}
	err := normalize.NVD(d, func(rec *normalize.Record) error {
		ids = append(ids, rec.ID)
		return nil
	})
	if err != nil || len(ids) != 1 || ids[0] != "CVE-2024-00000" {
		t.Errorf("%s is %q, %v", body, ids, err)
	}
}
