package peers

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/server"
	"github.com/advdb/advdb/store"
	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"osv.dev/bindings/go/api"
	"osv.dev/bindings/go/osvdev"
	"osv.dev/bindings/go/osvdevexperimental"
)

var testDay = time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)

// parseLines reads a record a line.
func parseLines(d normalize.Doc, emit func(*normalize.Record) error) error {
	data, err := io.ReadAll(d.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		r, err := normalize.Decode([]byte(line))
		if err != nil {
			return err
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// start serves records, one a line, and returns the URL.
func start(t *testing.T, records string, opt server.Options) string {
	t.Helper()
	opt.Dir = t.TempDir()
	st, err := store.Open(opt.Dir, store.Options{Now: func() time.Time { return testDay }})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	docs := st.Documents("lines")
	if _, err := docs.Put("doc", strings.NewReader(records)); err != nil {
		t.Fatal(err)
	}
	if err := docs.Commit(nil); err != nil {
		t.Fatal(err)
	}
	_, err = st.Update(t.Context(), []store.Feed{{Name: "lines", Version: 1, Parse: parseLines}}, store.UpdateOptions{
		Sources: []store.SourceState{{Name: "lines", Status: "ok", FetchedAt: testDay.Format(time.RFC3339)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, opt)
}

// serve serves the database of a folder.
func serve(t *testing.T, opt server.Options) string {
	t.Helper()
	s, err := server.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); s.Close() })
	return srv.URL
}

// records are 30 of one npm package, with members that OSV does not define.
func records() string {
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, `{"id":"GHSA-%04d","modified":"2025-09-29T21:12:31.1%02dZ","future":{"a":1},"severity":[{"type":"CVSS_V9","score":"x"}],`+
			`"affected":[{"package":{"ecosystem":"npm","name":"faker"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"7.0.0"}],"note":1}],"database_specific":{"n":18446744073709551615}}]}`+"\n", i, i)
	}
	return b.String()
}

func client(url string) *osvdev.OSVClient {
	c := osvdev.DefaultClient()
	c.BaseHostURL = url
	c.Config.UserAgent = "advdb-test"
	c.Config.MaxRetryAttempts = 1
	return c
}

func ofPackage(name, ecosystem, version string) *api.Query {
	q := &api.Query{Package: &osvschema.Package{Name: name, Ecosystem: ecosystem}}
	if version != "" {
		q.Param = &api.Query_Version{Version: version}
	}
	return q
}

// TestClient has osv.dev's Go client ask, as its own tests do, through pages.
func TestClient(t *testing.T) {
	for _, size := range []int{7, 1000} {
		c := client(start(t, records(), server.Options{PageSize: size, Now: func() time.Time { return testDay }}))
		list, err := osvdevexperimental.QueryPaging(t.Context(), c, ofPackage("faker", "npm", "6.6.6"))
		if err != nil || len(list.GetVulns()) != 30 || list.GetNextPageToken() != "" {
			t.Fatalf("query by pages of %d: %d records, %v", size, len(list.GetVulns()), err)
		}
		if m := list.GetVulns()[7].GetModified().AsTime(); !m.Equal(time.Date(2025, 9, 29, 21, 12, 31, 107e6, time.UTC)) {
			t.Errorf("modified %v", m)
		}
		batch, err := osvdevexperimental.BatchQueryPaging(t.Context(), c, []*api.Query{
			ofPackage("faker", "npm", "6.6.6"), ofPackage("none", "npm", "1"), ofPackage("faker", "npm", ""),
			{Package: &osvschema.Package{Purl: "pkg:npm/faker@6.6.6"}}, {Param: &api.Query_Commit{Commit: "60e572dbf7b4ded66b488f54773f66aaf6184321"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, r := range batch.GetResults() {
			got = append(got, len(r.GetVulns()))
		}
		if !slices.Equal(got, []int{30, 0, 30, 30, 0}) {
			t.Errorf("batch by pages of %d: %v", size, got)
		}
		if v, err := c.GetVulnByID(t.Context(), "GHSA-0003"); err != nil || v.GetId() != "GHSA-0003" || len(v.GetSeverity()) != 0 {
			t.Errorf("%v, %v", v, err)
		}
	}
}

// TestManyQueries sends more than one batch may hold; the client splits them.
func TestManyQueries(t *testing.T) {
	c := client(start(t, records(), server.Options{Now: func() time.Time { return testDay }}))
	list := make([]*api.Query, 2500)
	for i := range list {
		list[i] = ofPackage("faker", "npm", fmt.Sprintf("%d.0.0", i%10))
	}
	out, err := c.QueryBatch(t.Context(), list)
	if err != nil || len(out.GetResults()) != 2500 {
		t.Fatalf("%d results, %v", len(out.GetResults()), err)
	}
	for i, r := range out.GetResults() {
		if want := 30; (i%10 < 7) != (len(r.GetVulns()) == want) {
			t.Fatalf("query %d: %d", i, len(r.GetVulns()))
		}
	}
}

// TestClientErrors wants the errors that the client's own tests want of osv.dev.
func TestClientErrors(t *testing.T) {
	c := client(start(t, records(), server.Options{Now: func() time.Time { return testDay }}))
	for _, test := range []struct {
		ask  func() error
		want string
	}{
		{func() error { _, err := c.GetVulnByID(t.Context(), "GO-1000-1000"); return err }, `client error: status="404 Not Found" body={"code":5,"message":"Vulnerability not found"}`},
		{func() error { _, err := c.GetVulnByID(t.Context(), "_--_--"); return err }, `client error: status="404 Not Found" body={"code":5,"message":"Vulnerability not found"}`},
		{func() error {
			_, err := c.Query(t.Context(), ofPackage("abcd-definitely-does-not-exist", "", ""))
			return err
		}, `client error: status="400 Bad Request" body={"code":3,"message":"invalid query"}`},
		{func() error {
			_, err := c.QueryBatch(t.Context(), []*api.Query{ofPackage("faker", "npm", "6.6.6"), ofPackage("abcd-definitely-does-not-exist", "", "")})
			return err
		}, `client error: status="400 Bad Request" body={"code":3,"message":"error in query at index 1: rpc error: code = InvalidArgument desc = invalid query"}`},
	} {
		if err := test.ask(); err == nil || err.Error() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// TestMetrics wants Prometheus to read the metrics, and its linter, which
// "promtool check metrics" runs, to find nothing.
func TestMetrics(t *testing.T) {
	url := start(t, records(), server.Options{Now: func() time.Time { return testDay.Add(time.Hour) }})
	if _, err := client(url).Query(t.Context(), ofPackage("faker", "npm", "6.6.6")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if f := expfmt.ResponseFormat(resp.Header); f.FormatType() != expfmt.TypeTextPlain {
		t.Errorf("content type %q", resp.Header.Get("Content-Type"))
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if v := families["advdb_records"].GetMetric()[0].GetGauge().GetValue(); v != 30 {
		t.Errorf("advdb_records %v", v)
	}
	if v := families["advdb_source_age_seconds"].GetMetric()[0].GetGauge().GetValue(); v != 3600 {
		t.Errorf("advdb_source_age_seconds %v", v)
	}
	for _, m := range families["advdb_http_request_duration_seconds"].GetMetric() {
		h := m.GetHistogram()
		if path := m.GetLabel()[0].GetValue(); path == "/v1/query" && (h.GetSampleCount() != 1 || h.GetSampleSum() <= 0) {
			t.Errorf("%s: %v", path, h)
		}
		last := uint64(0)
		for _, b := range h.GetBucket() {
			if b.GetCumulativeCount() < last {
				t.Errorf("buckets go down: %v", h)
			}
			last = b.GetCumulativeCount()
		}
		if last != h.GetSampleCount() {
			t.Errorf("the last bucket has %d of %d", last, h.GetSampleCount())
		}
	}
	problems, err := promlint.New(strings.NewReader(string(text))).Lint()
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
