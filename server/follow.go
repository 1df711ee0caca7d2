package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

// FollowOptions are the options of [Server.Follow].
type FollowOptions struct {
	Pull  snapshot.PullOptions // Dir must be the server's folder
	Every time.Duration        // default 1 hour

	firstRetry time.Duration // default 5 s
}

// pulls counts what [Server.Follow] does.
type pulls struct {
	on       atomic.Bool
	attempts atomic.Int64
	changes  atomic.Int64 // that brought a new release
	refused  atomic.Int64 // failures: what was offered cannot be trusted
	busy     atomic.Int64 // failures: the folder is written to by another process
	failed   atomic.Int64 // other failures
	success  atomic.Int64 // Unix time of the last success, 0: none
	bytes    atomic.Int64
	last     atomic.Pointer[string] // error of the last attempt, nil: it went well
}

// Follow pulls from a repository until ctx ends, at once and then every so
// often. After a failure it tries again soon, and then less and less often.
// New releases are taken up by the next request; none waits.
func (s *Server) Follow(ctx context.Context, opt FollowOptions) {
	if opt.Every <= 0 {
		opt.Every = time.Hour
	}
	if opt.firstRetry <= 0 {
		opt.firstRetry = 5 * time.Second
	}
	s.pulls.on.Store(true)
	for failures := 0; ; {
		wait := opt.Every
		if err := s.pull(ctx, opt.Pull); ctx.Err() != nil {
			return
		} else if err != nil {
			failures++
			wait = backOff(failures, opt.firstRetry, opt.Every)
			s.opt.Log.Error("pull", "error", err, "failures", failures, "again_in", wait.Round(time.Millisecond))
		} else {
			failures = 0
		}
		// Replicas that were started together should not ask together.
		wait += time.Duration(rand.Int64N(int64(wait)/10 + 1))
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// backOff is how long to wait after so many failures in a row.
func backOff(failures int, first, most time.Duration) time.Duration {
	wait := first
	for range min(failures-1, 30) {
		if wait *= 2; wait >= most {
			break
		}
	}
	return min(wait, most)
}

// pull pulls once.
func (s *Server) pull(ctx context.Context, opt snapshot.PullOptions) error {
	opt.Now = s.opt.Now()
	s.pulls.attempts.Add(1)
	out, err := snapshot.Pull(ctx, opt)
	if err != nil {
		text := err.Error()
		s.pulls.last.Store(&text)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, snapshot.ErrRefused):
			s.pulls.refused.Add(1)
		case errors.Is(err, store.ErrBusy):
			s.pulls.busy.Add(1)
		default:
			s.pulls.failed.Add(1)
		}
		return err
	}
	s.pulls.last.Store(nil)
	s.pulls.success.Store(s.opt.Now().Unix())
	s.pulls.bytes.Add(out.Bytes)
	if out.Changed {
		s.pulls.changes.Add(1)
		if _, err := s.follow(); err != nil {
			return err
		}
	}
	return nil
}
