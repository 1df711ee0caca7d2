package sources

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A guard paces requests by host, and ends an attempt whose answer does not
// begin, or whose body does not go on, in time. The place that a request
// takes at its host is free again when its body is closed.
type guard struct {
	next   http.RoundTripper
	hosts  *hosts // nil: no pace
	header time.Duration
	stall  time.Duration
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	leave, err := g.hosts.enter(req.Context(), req.URL.Host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(g.header, func() { cancel(ErrStalled) })
	resp, err := g.next.RoundTrip(req.WithContext(ctx))
	timer.Stop()
	if err != nil {
		err = stalled(ctx, err)
		cancel(nil)
		leave()
		return nil, err
	}
	resp.Body = &guardedBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, stall: g.stall, leave: leave}
	return resp, nil
}

// stalled returns ErrStalled if that is why ctx ended, else err.
func stalled(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrStalled) {
		return ErrStalled
	}
	return err
}

// guardedBody ends its request when a Read takes longer than stall. The time
// between Reads is the reader's and does not count.
type guardedBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	stall  time.Duration
	timer  *time.Timer
	leave  func()
	once   sync.Once
}

func (b *guardedBody) Read(p []byte) (int, error) {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.stall, func() { b.cancel(ErrStalled) })
	} else {
		b.timer.Reset(b.stall)
	}
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = stalled(b.ctx, err)
	}
	return n, err
}

func (b *guardedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.cancel(nil)
		b.leave()
	})
	return err
}

// hosts bounds how often, and how often at once, each host is asked.
type hosts struct {
	rate     rate.Limit
	parallel int

	mu sync.Mutex
	m  map[string]*host
}

type host struct {
	limiter *rate.Limiter
	places  chan struct{}
}

func newHosts(perSecond float64, parallel int) *hosts {
	return &hosts{rate: rate.Limit(perSecond), parallel: parallel, m: map[string]*host{}}
}

// enter waits for a place at the host and returns what gives it back. A nil
// hosts has a place for all.
func (h *hosts) enter(ctx context.Context, name string) (leave func(), err error) {
	if h == nil {
		return func() {}, nil
	}
	at := h.host(name)
	select {
	case at.places <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := at.limiter.Wait(ctx); err != nil {
		<-at.places
		return nil, err
	}
	return func() { <-at.places }, nil
}

func (h *hosts) host(name string) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.m[name]
	if at == nil {
		at = &host{
			limiter: rate.NewLimiter(h.rate, max(int(h.rate), 1)),
			places:  make(chan struct{}, h.parallel),
		}
		h.m[name] = at
	}
	return at
}
