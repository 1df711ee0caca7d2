package snapshot

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// traffic counts what was fetched.
type traffic struct {
	requests atomic.Int64
	bytes    atomic.Int64
}

const (
	defaultMinSpeed = 1 << 10
	defaultPatience = 30 * time.Second
)

// A watched is a carrier that counts, and gives up what is too slow.
type watched struct {
	Reader
	speed    int64
	patience time.Duration
	count    *traffic
}

// watch returns r, ended with ErrSlow where it sends less than speed bytes a
// second for as long as patience. Zero values mean the defaults, a negative
// speed no minimum.
func watch(r Reader, speed int64, patience time.Duration, count *traffic) Reader {
	if speed == 0 {
		speed = defaultMinSpeed
	}
	if patience == 0 {
		patience = defaultPatience
	}
	return &watched{r, speed, patience, count}
}

// Open opens a file and watches over it until it is closed.
func (w *watched) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	return w.watch(ctx, func(ctx context.Context) (io.ReadCloser, error) { return w.Reader.Open(ctx, name, offset) })
}

// watch opens a body and watches over it.
func (w *watched) watch(ctx context.Context, open func(context.Context) (io.ReadCloser, error)) (io.ReadCloser, error) {
	w.count.requests.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	b := &watchedBody{w: w, ctx: ctx, cancel: cancel}
	if w.speed > 0 {
		b.timer = time.AfterFunc(w.patience, b.look)
	}
	body, err := open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		b.stop()
		return nil, err
	}
	b.body = body
	return b, nil
}

type watchedBody struct {
	w      *watched
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	timer  *time.Timer
	n      atomic.Int64 // bytes since the last look
}

// look is called after each term of patience.
func (b *watchedBody) look() {
	if n := b.n.Swap(0); n < b.w.speed*int64(b.w.patience)/int64(time.Second) {
		b.cancel(fmt.Errorf("%d bytes in %v: %w", n, b.w.patience, ErrSlow))
		return
	}
	b.timer.Reset(b.w.patience)
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.n.Add(int64(n))
	b.w.count.bytes.Add(int64(n))
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.stop()
	return b.body.Close()
}

func (b *watchedBody) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
	b.cancel(context.Canceled)
}
