package snapshot

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// ErrUnconditional says that a store does as it is told although a condition
// does not hold: two publishers would destroy each other's releases there.
var ErrUnconditional = errors.New("the store does not honour conditional writes (If-None-Match, If-Match), without which it cannot be published to safely")

// lockKey is the object that is the lock; it is no file of the repository.
const lockKey = "publish.lock"

// maxLock is how large the lock is at most.
const maxLock = 4 << 10

// lockBody is what the lock says. Each renewal says something else, so that
// its ETag moves.
type lockBody struct {
	Holder string  `json:"holder"` // for people
	Serial int     `json:"serial"`
	Lease  float64 `json:"lease_seconds"` // after its last change the lock is free
	Free   bool    `json:"free"`
}

// A lease is a lock that is held for as long as it is renewed.
type lease struct {
	s      *S3
	stop   context.CancelFunc
	done   chan struct{}
	holder string

	mu      sync.Mutex
	serial  int
	etag    string
	renewed time.Time // when the last renewal that succeeded was sent
	lost    error
}

// Lock makes this the only publisher: it puts publish.lock, and renews it
// until it is unlocked. Who finds a lock waits until it moves, which is
// ErrConflict, or until its lease of a minute is over, which is how that of a
// publisher that was killed ends. Time is the store's and how long was waited,
// never the clock here. A store that ignores conditions is ErrUnconditional.
func (s *S3) Lock(ctx context.Context) (func() error, error) {
	host, _ := os.Hostname()
	l := &lease{s: s, done: make(chan struct{}), holder: fmt.Sprintf("%s, process %d, %s", host, os.Getpid(), rand.Text())}
	if err := l.acquire(ctx); err != nil {
		return nil, err
	}
	if err := l.probe(ctx); err != nil {
		return nil, err
	}
	ctx, l.stop = context.WithCancel(ctx)
	s.mu.Lock()
	s.held = l
	s.mu.Unlock()
	go l.renew(ctx)
	return l.unlock, nil
}

// checkLock is ErrConflict if the lock was held and is not sure to be now.
func (s *S3) checkLock() error {
	s.mu.Lock()
	l := s.held
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return l.lost
	}
	if age := time.Since(l.renewed.Round(0)); age > s.lease*3/4 {
		return fmt.Errorf("%s was last renewed %.0f s ago: %w", lockKey, age.Seconds(), ErrConflict)
	}
	return nil
}

// acquire puts the lock, as soon as nobody has it.
func (l *lease) acquire(ctx context.Context) error {
	err := l.put(ctx, ifMatch(""))
	if !errors.Is(err, ErrConflict) {
		return l.unconditional(err)
	}
	s := l.s
	var seen string // the lock as it was first seen
	for start := time.Now(); ; {
		resp, err := s.do(ctx, s3Request{method: http.MethodGet, key: s.key(lockKey)})
		if err != nil {
			return err
		}
		etag, age := resp.Header.Get("ETag"), lockAge(resp.Header)
		var b lockBody
		err = json.NewDecoder(io.LimitReader(resp.Body, maxLock)).Decode(&b)
		resp.Body.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", lockKey, err)
		}
		lasts := time.Duration(b.Lease * float64(time.Second))
		switch {
		case b.Holder == l.holder && b.Serial == l.serial:
			l.etag, l.renewed = etag, start // the answer was lost
			return nil
		case b.Free, age > lasts, time.Since(start) > lasts:
			return l.put(ctx, ifMatch(etag))
		case seen != "" && etag != seen:
			return fmt.Errorf("%s is held by %s: %w", lockKey, b.Holder, ErrConflict)
		}
		seen = etag
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(min(lasts-age, s.lease/8) + 10*time.Millisecond):
		}
	}
}

// lockAge is how long ago an object was written, by the store's clock; 0 if
// it does not say.
func lockAge(h http.Header) time.Duration {
	now, err := http.ParseTime(h.Get("Date"))
	then, err2 := http.ParseTime(h.Get("Last-Modified"))
	if err != nil || err2 != nil {
		return 0
	}
	return max(0, now.Sub(then)-time.Second) // both are whole seconds
}

// probe makes sure that the store minds conditions: neither of two that do not
// hold may be fulfilled.
func (l *lease) probe(ctx context.Context) error {
	kept := l.etag
	for _, h := range []http.Header{ifMatch(""), ifMatch(`"00000000000000000000000000000000"`)} {
		err := l.put(ctx, h)
		if err == nil {
			return fmt.Errorf("%s: %w", l.s.base.Host, ErrUnconditional)
		}
		if !errors.Is(err, ErrConflict) {
			return l.unconditional(err)
		}
	}
	l.etag = kept
	return nil
}

// unconditional names the error of a store that does not implement conditions.
func (l *lease) unconditional(err error) error {
	var e *s3Error
	if errors.As(err, &e) && e.Status == http.StatusNotImplemented {
		return fmt.Errorf("%s: %w: %w", l.s.base.Host, ErrUnconditional, err)
	}
	return err
}

// put writes the lock anew.
func (l *lease) put(ctx context.Context, condition http.Header) error {
	l.serial++
	return l.write(ctx, lockBody{Holder: l.holder, Serial: l.serial, Lease: l.s.lease.Seconds()}, condition)
}

func (l *lease) write(ctx context.Context, b lockBody, h http.Header) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	u, err := newUpload(int64(len(data)), bytes.NewReader(data))
	if err != nil {
		return err
	}
	sent := time.Now()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	etag, err := l.s.putKey(ctx, l.s.key(lockKey), u, h)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.etag, l.renewed = etag, sent
	return nil
}

// renew renews the lock until it is unlocked or lost.
func (l *lease) renew(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(l.s.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := l.put(ctx, ifMatch(l.etag))
		if errors.Is(err, ErrConflict) {
			if now, etag, gerr := l.s.get(ctx, l.s.key(lockKey), maxLock); gerr == nil && l.wrote(now) {
				l.mu.Lock()
				l.etag = etag // the answer was lost, the renewal was not
				l.mu.Unlock()
				continue
			}
			l.mu.Lock()
			l.lost = fmt.Errorf("%s was taken over: %w", lockKey, ErrConflict)
			l.mu.Unlock()
			return
		}
	}
}

// wrote reports whether a lock is what was written last.
func (l *lease) wrote(data []byte) bool {
	var b lockBody
	return json.Unmarshal(data, &b) == nil && b.Holder == l.holder && b.Serial == l.serial
}

// unlock lets the next publisher in at once.
func (l *lease) unlock() error {
	l.stop()
	<-l.done
	l.s.mu.Lock()
	l.s.held = nil
	l.s.mu.Unlock()
	if l.lost != nil {
		return l.lost
	}
	// Its caller's context may have ended, which is when it matters most.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return l.write(ctx, lockBody{Holder: l.holder, Serial: l.serial + 1, Free: true}, ifMatch(l.etag))
}
