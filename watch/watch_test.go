package watch

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
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
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

var day = time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)

// publish makes a state of "ID NAME FIXED" lines, of PyPI packages, and of
// "epss CVE N" and "kev CVE" lines.
func publish(t testing.TB, dir string, number uint64, text string) {
	t.Helper()
	rep, err := store.OpenReplica(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer rep.Close()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	err = rep.Build(t.Context(), func(b *store.Builder) (store.StateInfo, error) {
		info := store.StateInfo{Number: number, Created: day.Format(time.RFC3339)}
		for _, line := range lines {
			f := strings.Fields(line)
			if f[0] == "epss" || f[0] == "kev" {
				continue
			}
			r := &normalize.Record{ID: f[0], Modified: "2026-07-01T00:00:00Z", Affected: []normalize.Affected{{
				Package: normalize.Package{Ecosystem: "PyPI", Name: f[1]},
				Ranges:  []normalize.Range{{Type: normalize.Ecosystem, Events: []normalize.Event{{Introduced: "0"}, {Fixed: f[2]}}}},
			}}}
			data, err := normalize.AppendEncode(nil, r)
			if err != nil {
				return info, err
			}
			if err := b.Record(r, data, fmt.Appendf(nil, "%x", data)); err != nil {
				return info, err
			}
		}
		for _, line := range lines {
			f := strings.Fields(line)
			row := `{"date_added":"2026-01-01","ransomware":false}`
			switch {
			case f[0] == "epss":
				row = `{"epss":` + f[2] + `,"percentile":0.5}`
			case f[0] != "kev":
				continue
			}
			if err := b.Row(f[0], []byte(f[1]), []byte(row)); err != nil {
				return info, err
			}
		}
		return info, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *Inventory {
	t.Helper()
	v, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func components(purls ...string) (list []query.Component) {
	for _, p := range purls {
		name, version, _ := strings.Cut(strings.TrimPrefix(p, "pkg:pypi/"), "@")
		list = append(list, query.Component{Name: name, Version: version, Purl: p})
	}
	return list
}

func match(t testing.TB, v *Inventory) Pass {
	t.Helper()
	p, err := v.Match(t.Context(), Options{Now: day})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// taker is a receiver that keeps what it gets, or fails.
type taker struct {
	got  []Event
	fail error
}

func (k *taker) Name() string { return "taker" }

func (k *taker) Send(_ context.Context, events []Event) error {
	if k.fail != nil {
		return k.fail
	}
	k.got = append(k.got, events...)
	return nil
}

// told are the events since the last call, in words.
func told(t testing.TB, v *Inventory, k *taker) []string {
	t.Helper()
	k.got = nil
	if _, err := v.Deliver(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range k.got {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", e.Kind, e.SBOM, e.Component.Name, e.Finding.Vulnerability, strings.Join(e.Fields, " "))))
	}
	slices.Sort(list)
	return list
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	v, k := open(t, dir), &taker{}
	if _, err := v.Match(t.Context(), Options{}); !errors.Is(err, store.ErrNoData) {
		t.Fatalf("without a database: %v", err)
	}
	publish(t, dir, 1, "CVE-2026-1 foo_bar 1.0\nCVE-2026-2 baz 2.0\nepss CVE-2026-1 0.01")
	for name, list := range map[string][]query.Component{
		"a": components("pkg:pypi/foo-bar@0.9", "pkg:pypi/baz@2.1"),
		"b": components("pkg:pypi/baz@1.9"),
		"c": components("pkg:pypi/other@1"),
	} {
		if err := v.Add(name, list, day); err != nil {
			t.Fatal(err)
		}
	}
	if p := match(t, v); p.SBOMs != 3 || p.Events != 0 {
		t.Errorf("the first pass: %+v", p)
	}
	if p := match(t, v); p.SBOMs != 0 {
		t.Errorf("nothing new: %+v", p)
	}
	for _, step := range []struct {
		name, state string
		sboms       int
		told        []string
	}{
		{"a fixed version moves", "CVE-2026-1 foo_bar 1.0\nCVE-2026-2 baz 2.2\nepss CVE-2026-1 0.01", 2,
			[]string{"changed b baz CVE-2026-2 fixed", "new a baz CVE-2026-2"}},
		{"EPSS below the limit", "CVE-2026-1 foo_bar 1.0\nCVE-2026-2 baz 2.2\nepss CVE-2026-1 0.09", 0, nil},
		{"EPSS over the limit", "CVE-2026-1 foo_bar 1.0\nCVE-2026-2 baz 2.2\nepss CVE-2026-1 0.11", 1,
			[]string{"changed a foo-bar CVE-2026-1 likely"}},
		{"known to be exploited", "CVE-2026-1 foo_bar 1.0\nCVE-2026-2 baz 2.2\nepss CVE-2026-1 0.11\nkev CVE-2026-2", 2,
			[]string{"changed a baz CVE-2026-2 exploited", "changed b baz CVE-2026-2 exploited"}},
		{"a record of a package that nobody has", "CVE-2026-1 foo_bar 1.0\nCVE-2026-2 baz 2.2\nCVE-2026-3 quux 9\nepss CVE-2026-1 0.11\nkev CVE-2026-2", 0, nil},
		{"a record goes", "CVE-2026-2 baz 2.2\nkev CVE-2026-2", 1, []string{"gone a foo-bar CVE-2026-1"}},
	} {
		publish(t, dir, 2, step.state)
		p := match(t, v)
		if diff := cmp.Diff(step.told, told(t, v, k)); diff != "" || p.SBOMs != step.sboms || p.Events != len(step.told) {
			t.Errorf("%s: %+v (-want +got):\n%s", step.name, p, diff)
		}
	}

	// Another version of an SBOM.
	if err := v.Add("a", components("pkg:pypi/baz@2.2"), day); err != nil {
		t.Fatal(err)
	}
	match(t, v)
	if diff := cmp.Diff([]string{"gone a  CVE-2026-2"}, told(t, v, k)); diff != "" {
		t.Error(diff)
	}

	// A receiver that is down gets its events later.
	publish(t, dir, 9, "CVE-2026-2 baz 2.3")
	match(t, v)
	k.fail = errors.New("down")
	if _, err := v.Deliver(t.Context(), k); !errors.Is(err, k.fail) {
		t.Errorf("a receiver that is down: %v", err)
	}
	k.fail = nil
	if got := told(t, v, k); len(got) != 2 {
		t.Errorf("when it is back: %v", got)
	}
	if got := told(t, v, k); len(got) != 0 {
		t.Errorf("twice: %v", got)
	}
	if err := v.Remove("b"); err != nil {
		t.Error(err)
	}
	if err := v.Remove("b"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

// TestMissedStates lets several states pass unseen, and another process hold
// the inventory between passes.
func TestMissedStates(t *testing.T) {
	dir := t.TempDir()
	v, k := open(t, dir), &taker{}
	publish(t, dir, 1, "CVE-2026-1 foo 1.0")
	if err := v.Add("a", components("pkg:pypi/foo@0.9", "pkg:pypi/bar@1"), day); err != nil {
		t.Fatal(err)
	}
	match(t, v)
	for n := range 5 {
		publish(t, dir, uint64(n+2), fmt.Sprintf("CVE-2026-1 foo 1.0\nCVE-2026-2 bar 1.%d", n))
	}
	match(t, v)
	if diff := cmp.Diff([]string{"new a bar CVE-2026-2"}, told(t, v, k)); diff != "" {
		t.Error(diff)
	}
}

func TestWebhook(t *testing.T) {
	var got []*http.Request
	var bodies []string
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(b))
		w.WriteHeader(status)
	}))
	defer srv.Close()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	w, err := NewWebhook(strings.Replace(srv.URL, "http://", "http://user:hunter2@", 1), secret)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.Name(), "hunter2") {
		t.Errorf("the password is in the name: %s", w.Name())
	}
	if err := w.Send(t.Context(), []Event{{ID: "1", Kind: New}, {ID: "2", Kind: Gone}}); err != nil {
		t.Fatal(err)
	}
	h := got[0].Header
	if want := sign(t, secret, h.Get("webhook-id"), h.Get("webhook-timestamp"), bodies[0]); h.Get("webhook-signature") != want {
		t.Errorf("signature %s, want %s", h.Get("webhook-signature"), want)
	}
	var body struct {
		Data struct {
			Events []Event `json:"events"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(bodies[0]), &body); err != nil || len(body.Data.Events) != 2 {
		t.Errorf("%s: %v", bodies[0], err)
	}
	status = http.StatusServiceUnavailable
	if err := w.Send(t.Context(), []Event{{ID: "3"}}); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("an answer of 503: %v", err)
	}
	srv.Close()
	if err := w.Send(t.Context(), []Event{{ID: "3"}}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %v", err)
	}
	for _, bad := range []string{"whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!"} {
		if _, err := NewWebhook(srv.URL, bad); !errors.Is(err, ErrSecret) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestAtom(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	publish(t, dir, 1, "CVE-2026-1 foo 1.0")
	if err := v.Add("<a&b>", components("pkg:pypi/foo@0.9"), day); err != nil {
		t.Fatal(err)
	}
	match(t, v)
	publish(t, dir, 2, "CVE-2026-1 foo 1.1\nCVE-2026-2 foo 2.0")
	match(t, v)
	var b strings.Builder
	if err := v.WriteAtom(&b, "urn:test", day); err != nil {
		t.Fatal(err)
	}
	var feed atomFeed
	if err := xml.Unmarshal([]byte(b.String()), &feed); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, e := range feed.Entries {
		titles = append(titles, e.Title)
	}
	want := []string{"new: CVE-2026-2 in foo 0.9 (<a&b>)", "changed: CVE-2026-1 in foo 0.9 (<a&b>)"}
	if diff := cmp.Diff(want, titles); diff != "" || feed.Updated != day.Format(time.RFC3339) {
		t.Errorf("%s (-want +got):\n%s", feed.Updated, diff)
	}
}

// sign is the signature by the words of the specification.
func sign(t *testing.T, secret, id, stamp, body string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// TestSignatureExample is the example of the specification.
func TestSignatureExample(t *testing.T) {
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	got := sign(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`)
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
