package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progress shows on a terminal what runs, as one bar a source, and elsewhere
// says one plain line when a source was fetched.
type progress struct {
	a    *app
	bars *mpb.Progress // nil where there is no terminal

	mu    sync.Mutex
	fetch map[string]*mpb.Bar
	parse *mpb.Bar
	sum   int64
	once  sync.Once
}

func (a *app) newProgress() *progress {
	p := &progress{a: a, fetch: map[string]*mpb.Bar{}}
	if isTerminal(a.stderr) && !a.quiet && !a.verbose {
		p.bars = mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(40))
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// fetching returns what is told of the bytes of a source's requests.
func (p *progress) fetching(source string) func(url string, done, total int64) {
	if p.bars == nil {
		return nil
	}
	return func(_ string, done, total int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		b, ok := p.fetch[source]
		if !ok {
			b = p.bars.AddBar(0, mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-12s ", source))),
				mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
			p.fetch[source] = b
		}
		if total < done {
			total = done + 1
		}
		b.SetTotal(total, false)
		b.SetCurrent(done)
	}
}

// fetched says that a source is done.
func (p *progress) fetched(source string, f *fetched) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.fetch[source]; ok {
		b.SetTotal(-1, true)
	}
	if p.bars != nil || f.absent {
		return
	}
	if f.err != nil {
		p.a.sayf("fetch %s: %s", source, errText(f.err))
		return
	}
	p.a.sayf("fetch %s: %d documents changed, %s in %d requests, %.1f s",
		source, f.stats.Changed+f.stats.Deleted, size(f.stats.Bytes), f.stats.Requests, f.seconds)
}

// parsing is told of each document that is parsed.
func (p *progress) parsing(source string, bytes uint64) {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parse == nil {
		p.parse = p.bars.New(0, mpb.SpinnerStyle(), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name("parse        ")),
			mpb.AppendDecorators(decor.CurrentKibiByte("% .1f")))
	}
	p.sum += int64(bytes)
	p.parse.SetCurrent(p.sum)
}

// stop takes the bars away. It may be called more than once.
func (p *progress) stop() {
	p.once.Do(func() {
		if p.bars == nil {
			return
		}
		p.mu.Lock()
		for _, b := range p.fetch {
			b.SetTotal(-1, true)
		}
		if p.parse != nil {
			p.parse.SetTotal(-1, true)
		}
		p.mu.Unlock()
		p.bars.Wait()
	})
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
