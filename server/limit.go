package server

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// limits bounds the requests that are answered at a time. Those beyond wait,
// and those beyond the queue are sent away.
type limits struct {
	places chan struct{}
	queue  int64
	wait   time.Duration

	waiting atomic.Int64
	clients *clientRates // nil: no limit a client
}

func newLimits(opt *Options) *limits {
	l := &limits{places: make(chan struct{}, opt.Requests), queue: int64(opt.Queue), wait: opt.Wait}
	if opt.Rate > 0 {
		l.clients = &clientRates{limit: rate.Limit(opt.Rate), burst: max(1, int(2*opt.Rate)), now: opt.Now, known: map[string]*clientRate{}}
	}
	return l
}

func busy(status, code, retry int, message string) error {
	return &apiError{status: status, retry: retry, Code: code, Message: message}
}

// enter waits for a place. leave must be called when the request is answered.
func (l *limits) enter(ctx context.Context, client string) (leave func(), err error) {
	if l.clients != nil && !l.clients.allow(client) {
		return nil, busy(http.StatusTooManyRequests, codeExhausted, 1, "too many requests from this client")
	}
	leave = func() { <-l.places }
	select {
	case l.places <- struct{}{}:
		return leave, nil
	default:
	}
	full := busy(http.StatusServiceUnavailable, codeUnavailable, 1, "too many requests at a time")
	if l.waiting.Add(1) > l.queue {
		l.waiting.Add(-1)
		return nil, full
	}
	defer l.waiting.Add(-1)
	t := time.NewTimer(l.wait)
	defer t.Stop()
	select {
	case l.places <- struct{}{}:
		return leave, nil
	case <-t.C:
		return nil, full
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// clientRates bounds the requests a second of each client: an IPv4 address or
// an IPv6 network of 64 bits.
type clientRates struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu    sync.Mutex
	known map[string]*clientRate
}

type clientRate struct {
	limiter *rate.Limiter
	last    time.Time
}

// maxClients is how many clients are remembered; those who asked last stay.
const maxClients = 1 << 16

func (c *clientRates) allow(client string) bool {
	if a, err := netip.ParseAddr(client); err == nil && a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			client = p.String()
		}
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.known[client]
	if r == nil {
		if len(c.known) >= maxClients {
			c.forget(now)
		}
		r = &clientRate{limiter: rate.NewLimiter(c.limit, c.burst)}
		c.known[client] = r
	}
	r.last = now
	return r.limiter.AllowN(now, 1)
}

// forget drops clients that would be as good as new, or else all.
func (c *clientRates) forget(now time.Time) {
	refill := time.Duration(float64(c.burst) / float64(c.limit) * float64(time.Second))
	for k, r := range c.known {
		if now.Sub(r.last) > refill {
			delete(c.known, k)
		}
	}
	if len(c.known) >= maxClients {
		clear(c.known)
	}
}
