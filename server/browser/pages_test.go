package browser

import (
	"context"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/server"
	"github.com/advdb/advdb/store"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// attack is what a hostile record tries everywhere.
const attack = `\"'><img src=x onerror=window.hit=1><script>window.hit=1</script><svg onload=window.hit=1>`

// records are one vulnerability in several databases, and a hostile record.
const records = `{"id":"CVE-2021-0001","modified":"2026-07-03T00:00:00Z","published":"2021-02-03T00:00:00Z","summary":"Overflow in left-pad","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"references":[{"type":"WEB","url":"https://example.org/a"}]}
{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2021-0001"],"modified":"2026-07-02T00:00:00Z","summary":"left-pad overflows","details":"# Heading","affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"last_affected":"2.4.1"}]}]}]}
{"id":"DEBIAN-CVE-2021-0001","upstream":["CVE-2021-0001"],"modified":"2026-07-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"node-left-pad"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2.0-1"}]}]}],"database_specific":{"statements":[{"ecosystem":"Debian:11","package":"node-left-pad","status":"will_not_fix","detail":"no-dsa"}]}}
{"id":"BAD-1","aliases":["CVE-2021-0001"],"modified":"2026-07-01T00:00:00Z","summary":"` + attack + `","details":"` + attack + `","references":[{"type":"WEB","url":"javascript:window.hit=1"}],"affected":[{"package":{"ecosystem":"npm","name":"` + attack + `"},"versions":["` + attack + `"]},{"package":{"ecosystem":"npm","name":"left-pad"},"versions":["3.0.0","` + attack + `"]}]}
{"id":"OLD-1","modified":"2026-06-01T00:00:00Z","summary":"Old","withdrawn":"2026-06-02T00:00:00Z","aliases":["CVE-2021-0001"]}
`

// lines is a format: a line is an OSV record.
func lines(d normalize.Doc, emit func(*normalize.Record) error) error {
	data, err := io.ReadAll(d.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		r, err := normalize.Decode([]byte(line))
		if err == nil {
			err = emit(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// serve serves the pages of two states, one behind the other.
func serve(t *testing.T) string {
	t.Helper()
	dir, day := t.TempDir(), time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)
	st, err := store.Open(dir, store.Options{Now: func() time.Time { return day }})
	if err != nil {
		t.Fatal(err)
	}
	docs := st.Documents("lines")
	for i, text := range []string{records, strings.Replace(records, "1.2.0", "1.2.1", 1)} {
		_, err := docs.Put("doc", strings.NewReader(text))
		if err == nil {
			err = docs.Commit([]byte{byte(i)})
		}
		if err == nil {
			_, err = st.Update(t.Context(), []store.Feed{{Name: "lines", Version: 1, Parse: lines}}, store.UpdateOptions{
				Sources: []store.SourceState{{Name: "lines", Status: "ok", FetchedAt: day.Format(time.RFC3339), Home: "https://example.org", License: "CC0-1.0"}},
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Options{Dir: dir, Pages: true, Now: func() time.Time { return day.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv.URL
}

// open starts Chromium. Where there is none the test is skipped, unless
// ADVDB_TEST_BROWSER is set.
func open(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		if os.Getenv("ADVDB_TEST_BROWSER") != "" {
			t.Fatal("no Chromium")
		}
		t.Skip("no Chromium")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.Flag("disable-quic", true))...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// A log is what went wrong in the browser since it was last read.
type trouble struct {
	mu   sync.Mutex
	list []string
}

func (l *trouble) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
}

func (l *trouble) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	return list
}

// call sends a command whose answer says nothing.
func call[P any](ctx context.Context, command cdp.Command[P, cdp.Empty], p P) error {
	_, err := chromedp.Call(ctx, command, p)
	return err
}

// watch notes refused loads, messages of the console, and requests that go
// elsewhere than to site.
func watch(t *testing.T, ctx context.Context, site string) *trouble {
	t.Helper()
	l := new(trouble)
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			l.add(e.Entry.Text)
		case *runtime.EventExceptionThrown:
			l.add("a script ran: " + e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			l.add("a script spoke")
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, site) {
				l.add("a request to " + e.Request.URL)
			}
		case *network.EventLoadingFailed:
			l.add("a load failed: " + e.ErrorText)
		}
	})
	for _, enable := range []func() error{
		func() error { return call(ctx, network.Enable, network.EnableParams{}) },
		func() error { return call(ctx, log.Enable, cdp.Empty{}) },
		func() error { return call(ctx, runtime.Enable, cdp.Empty{}) },
	} {
		if err == nil {
			err = enable()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var paths = []string{
	"/", "/search?q=left-pad", "/vuln/CVE-2021-0001", "/vuln/CVE-2021-0001?purl=pkg:npm/left-pad@1.0.0", "/vuln/BAD-1",
	"/package/npm/left-pad", "/package/npm/left-pad?version=2.1.0", "/package/npm/" + url.PathEscape(strings.ReplaceAll(attack, `\"`, `"`)), "/sources",
	"/changes", "/statistics", "/nowhere", "/vuln/none",
}

// A look is what a page looks like.
type look struct {
	Title    string
	Overflow int      // pixels by which the page is wider than the window
	Pale     []string // texts with too little contrast
	Strays   []string // drawings outside of their place
	Foreign  int      // elements that no template has
	Hit      bool     // a hostile record had its way
	Styled   bool
	Dark     bool
	Waits    bool // it is still being computed
}

// looking measures a page. Contrast is as WCAG 2.2 defines it (relative
// luminance; criterion 1.4.3: 4.5, and 3 for large text).
const looking = `(() => {
  const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return {r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1}; };
  const lum = c => [c.r, c.g, c.b].map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a > 0.99) return c; } return {r: 255, g: 255, b: 255, a: 1}; };
  const pale = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const box = e.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || e.closest('title') || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    const svg = e.namespaceURI.endsWith('svg');
    const under = behind(svg ? e.closest('svg').parentElement : e);
    const ink = parse(svg ? style.fill : style.color);
    let fade = 1;
    for (let p = e; p; p = p.parentElement) fade *= Number(getComputedStyle(p).opacity);
    const seen = {}; for (const k of ['r', 'g', 'b']) seen[k] = ink[k] * fade + under[k] * (1 - fade);
    const [hi, lo] = [lum(seen), lum(under)].sort((a, b) => b - a);
    const ratio = (hi + 0.05) / (lo + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5)) pale.push(ratio.toFixed(2) + ' ' + e.tagName + '.' + (e.className.baseVal ?? e.className) + ' ' + e.textContent.trim().slice(0, 40));
  }
  const strays = [];
  for (const svg of document.querySelectorAll('svg.lane')) {
    const place = svg.getBoundingClientRect();
    for (const shape of svg.querySelectorAll('line.hit, circle')) {
      const b = shape.getBoundingClientRect();
      if (b.left < place.left - 6 || b.right > place.right + 6) strays.push(svg.querySelector('title').textContent);
    }
  }
  return {
    Title: document.title, Overflow: document.documentElement.scrollWidth - window.innerWidth, Pale: pale, Strays: strays,
    Foreign: document.querySelectorAll('script, img, iframe, object, embed, style, base').length, Hit: window.hit !== undefined,
    Styled: getComputedStyle(document.querySelector('main')).paddingLeft !== '0px',
    Dark: lum(parse(getComputedStyle(document.body).backgroundColor)) < 0.2,
    Waits: document.querySelector('[role=status]') !== null,
  };
})()`

// TestPagesInChromium looks at every page, wide and narrow, light and dark.
func TestPagesInChromium(t *testing.T) {
	site := serve(t)
	ctx := open(t)
	trouble := watch(t, ctx, site)
	for _, width := range []int64{1280, 768, 390} {
		for _, scheme := range []string{"light", "dark"} {
			media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
			err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900))
			if err == nil {
				err = call(ctx, emulation.SetEmulatedMedia, media)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				see(t, ctx, site+path, scheme, width, trouble)
			}
		}
	}
}

func see(t *testing.T, ctx context.Context, address, scheme string, width int64, trouble *trouble) {
	t.Helper()
	var l look
	for range 50 {
		err := chromedp.Do(ctx, chromedp.Navigate(address))
		if err == nil {
			l, err = chromedp.Run(ctx, chromedp.Evaluate[look](looking))
		}
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		if !l.Waits {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, what := range trouble.take() {
		if !strings.Contains(what, "404 (Not Found)") && !strings.Contains(what, "net::ERR_ABORTED") { // of pages that are meant not to be there
			t.Errorf("%s: %s", address, what)
		}
	}
	if l.Overflow > 0 {
		t.Errorf("%s at %d: %d pixels too wide", address, width, l.Overflow)
	}
	if len(l.Pale) > 0 {
		t.Errorf("%s, %s: pale: %s", address, scheme, strings.Join(l.Pale, "\n\t"))
	}
	if len(l.Strays) > 0 {
		t.Errorf("%s at %d: drawn outside: %v", address, width, l.Strays)
	}
	if l.Foreign > 0 || l.Hit || !l.Styled || l.Dark != (scheme == "dark") || l.Title == "" {
		t.Errorf("%s at %d, %s: %+v", address, width, scheme, l)
	}
}

// TestSearchInChromium uses the pages as a person does, with scripts off.
func TestSearchInChromium(t *testing.T) {
	site := serve(t)
	ctx := open(t)
	if err := call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Do(ctx,
		chromedp.Navigate(site+"/"),
		chromedp.SendKeys("#q", "cve-2021-0001\n"),
		chromedp.WaitVisible("#purl"))
	if err != nil {
		t.Fatal(err)
	}
	if at, err := chromedp.Run(ctx, chromedp.Location()); err != nil || at != site+"/vuln/CVE-2021-0001" {
		t.Errorf("%s, %v", at, err)
	}
	err = chromedp.Do(ctx,
		chromedp.SendKeys("#purl", "pkg:npm/left-pad@2.1.0\n"),
		chromedp.WaitVisible("#package .lead .chip"))
	if err != nil {
		t.Fatal(err)
	}
	if said, err := chromedp.Run(ctx, chromedp.Text("#package .lead .chip")); err != nil || said != "affected" {
		t.Errorf("%q, %v", said, err)
	}
	err = chromedp.Do(ctx, chromedp.Click("#package .lead a"), chromedp.WaitVisible("table.package"))
	if err != nil {
		t.Fatal(err)
	}
	// The advisory's [0, 1.2.1) and [2.0.0, 2.4.1], from left to right.
	bars, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`[...[...document.querySelectorAll('tbody tr')]
		.find(r => r.textContent.includes('GHSA-aaaa-bbbb-cccc')).querySelectorAll('svg.lane line.hit')]
		.flatMap(l => [l.getBoundingClientRect().left, l.getBoundingClientRect().right])`))
	if err != nil || len(bars) != 4 || bars[0] >= bars[1] || bars[1] >= bars[2] || bars[2] >= bars[3] {
		t.Errorf("bars at %v, %v", bars, err)
	}
}
