package server

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A once is a value that is computed of a state when it is first asked for,
// and then never again. Who asks does not wait for longer than it wants to:
// the computation goes on without it.
type once[T any] struct {
	mu    sync.Mutex
	begun chan struct{} // closed when value is there; nil: nobody asked
	value T
	err   error
}

// A derived is what pages compute of a state as a whole.
type derived struct {
	changes    once[*changeList]
	statistics once[*statistics]
	hits       *generations[string, *textHits]
}

func newDerived() *derived {
	return &derived{hits: newGenerations[string, *textHits](2 << 20)}
}

var errComputing = errors.New("still being computed")

// patience is how long a request waits for what is being computed.
const patience = 4 * time.Second

// get returns the value, computing it if nobody did. After patience it
// returns errComputing, and after an error the next one who asks tries again.
func (o *once[T]) get(ctx context.Context, w *web, st *state, compute func(context.Context) (T, error)) (value T, err error) {
	o.mu.Lock()
	if o.begun == nil && st.acquire() {
		o.begun = make(chan struct{})
		go o.run(w, st, o.begun, compute)
	}
	begun := o.begun
	o.mu.Unlock()
	if begun == nil {
		return value, errClosed
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-begun:
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.value, o.err
	case <-t.C:
		return value, errComputing
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// run computes the value, in one of the places for heavy work, until the
// server ends.
func (o *once[T]) run(w *web, st *state, begun chan struct{}, compute func(context.Context) (T, error)) {
	defer w.s.retire(st)
	value, err := func() (value T, err error) {
		if err := w.enter(w.ctx); err != nil {
			return value, err
		}
		defer w.leave()
		return compute(w.ctx)
	}()
	if err != nil && !errors.Is(err, context.Canceled) {
		w.s.opt.Log.Error("page", "error", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.value, o.err = value, err
	close(begun)
	if err != nil {
		o.begun = nil
	}
}

// enter waits for a place for what walks over a whole state.
func (w *web) enter(ctx context.Context) error {
	select {
	case w.heavy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *web) leave() { <-w.heavy }
