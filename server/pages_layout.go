package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

//go:embed pages
var pageFiles embed.FS

// maxPage is the size at which a page is given up: what it shows is bounded
// everywhere, and this is far beyond.
const maxPage = 8 << 20

var errPageTooLarge = errors.New("page is too large")

// layouts are the templates of pages, each with the frame around it.
var layouts = sync.OnceValue(func() map[string]*template.Template {
	frame := template.Must(template.New("").Funcs(pageFuncs).ParseFS(pageFiles, "pages/frame.html", "pages/drawing.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"home", "search", "vuln", "package", "sources", "changes", "statistics", "error", "wait"} {
		all[name] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return all
})

var pageFuncs = template.FuncMap{
	"count":   countOf,
	"cut":     cut,
	"day":     dayOf,
	"vuln":    vulnPath,
	"package": packagePath,
	"record":  recordPath,
	"link":    safeLink,
	"place":   func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" },
	"percent": func(x float64) string { return strconv.FormatFloat(100*x, 'f', 2, 64) + " %" },
	"score":   func(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) },
	"phrase":  func(s string) string { return strings.NewReplacer("_", " ", "-", " ").Replace(cut(60, s)) },
	"join":    strings.Join,
}

// render appends a page.
func render(b *bytes.Buffer, sh *sheet, line *stateLine, build string) error {
	w := &boundedWriter{b: b, left: maxPage}
	err := layouts()[sh.template].ExecuteTemplate(w, "frame", struct {
		Title, Name, Query, Build string
		State                     *stateLine
		Data                      any
	}{sh.title, sh.template, sh.query, build, line, sh.data})
	if err != nil {
		return fmt.Errorf("page %s: %w", sh.template, err)
	}
	scrub(b)
	return nil
}

type boundedWriter struct {
	b    *bytes.Buffer
	left int
}

func (w *boundedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errPageTooLarge
	}
	return w.b.Write(p)
}

// scrub replaces what could make a page read otherwise than it is written:
// control characters, and those that turn the direction of text around
// (Unicode Standard Annex 9, section 2: U+202A to U+202E, U+2066 to U+2069).
// None of the templates has any.
func scrub(b *bytes.Buffer) {
	data := b.Bytes()
	for i, c := range data {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7f {
			data[i] = ' '
		}
	}
	for i := 0; ; i++ {
		j := bytes.IndexByte(data[i:], 0xe2)
		if j < 0 || i+j+3 > len(data) {
			return
		}
		i += j
		if c := data[i+1 : i+3]; c[0] == 0x80 && c[1] >= 0xaa && c[1] <= 0xae || c[0] == 0x81 && c[1] >= 0xa6 && c[1] <= 0xa9 {
			copy(data[i:], "\ufffd")
		}
	}
}

// file answers with the style and the icon of pages.
func (w *web) file(rw http.ResponseWriter, r *http.Request) {
	kinds := map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
	name := r.PathValue("file")
	data, err := fs.ReadFile(pageFiles, "pages/"+name)
	if kinds[name] == "" || err != nil {
		w.s.notFound(rw, r)
		return
	}
	h := rw.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == w.build {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	send(rw, r, http.StatusOK, kinds[name], data)
}

// buildOf names this program and its templates.
func buildOf() string {
	h := sha256.New()
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintln(h, info)
	}
	err := fs.WalkDir(pageFiles, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(pageFiles, name)
		fmt.Fprintf(h, "%s %d\n%s", name, len(data), data)
		return err
	})
	if err != nil {
		panic(err) // the files are in the binary
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// countOf writes a number with commas: "218,487".
func countOf(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// cut returns at most n characters of s.
func cut(n int, s string) string {
	if len(s) <= n {
		return s
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[at:])
		if at += size; at >= len(s) {
			return s
		}
	}
	return s[:at] + "…"
}

// dayOf returns the date of an RFC 3339 time, and what is none as it is.
func dayOf(s string) string {
	if len(s) > len(time.DateOnly) && s[len(time.DateOnly)] == 'T' {
		return s[:len(time.DateOnly)]
	}
	return cut(40, s)
}

// ageOf says how long ago a time was.
func ageOf(now, at time.Time) string {
	switch d := now.Sub(at); {
	case at.IsZero():
		return "never fetched"
	case d < 2*tick:
		return "just now"
	default:
		return spanOfTime(d) + " ago"
	}
}

// spanOfTime is a duration in the largest unit of which there are two.
func spanOfTime(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return countOf(int(d.Hours()/24)) + " days"
}
