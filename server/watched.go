package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// A watched is what was read out of files, read again when one of them
// changes. It is safe for use by many goroutines.
type watched[T any] struct {
	paths []string
	load  func() (T, error)
	log   *slog.Logger

	mu     sync.Mutex
	value  T
	stamps []stamp
	looked time.Time
}

type stamp struct {
	size int64
	at   time.Time
}

// lookEvery is how often files are looked at, at most.
const lookEvery = time.Second

func watch[T any](log *slog.Logger, load func() (T, error), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: paths, load: load, log: log, stamps: stampsOf(paths), looked: time.Now()}
	var err error
	w.value, err = load()
	return w, err
}

func stampsOf(paths []string) []stamp {
	list := make([]stamp, len(paths))
	for i, p := range paths {
		if info, err := os.Stat(p); err == nil {
			list[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return list
}

// current returns the value. Files that changed and cannot be read leave the
// one before, and are tried again when they change once more.
func (w *watched[T]) current() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.looked) < lookEvery {
		return w.value
	}
	w.looked = time.Now()
	now := stampsOf(w.paths)
	changed := false
	for i := range now {
		changed = changed || now[i] != w.stamps[i]
	}
	if !changed {
		return w.value
	}
	w.stamps = now
	value, err := w.load()
	if err != nil {
		w.log.Error("changed files cannot be read; what was read before stays", "files", w.paths, "error", err)
		return w.value
	}
	w.log.Info("read again", "files", w.paths)
	w.value = value
	return value
}

// WatchTokens returns what gives the tokens in a file, as it is at the time.
// An error says that there are none to begin with.
func WatchTokens(log *slog.Logger, path string) (func() []string, error) {
	w, err := watch(log, func() ([]string, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		list := ParseTokens(data)
		if len(list) == 0 {
			return nil, fmt.Errorf("%s: no token", path)
		}
		return list, nil
	}, path)
	if err != nil {
		return nil, err
	}
	return w.current, nil
}

// WatchCertificate returns the TLS configuration of a server whose certificate
// is read again when its files change.
func WatchCertificate(log *slog.Logger, cert, key string) (*tls.Config, error) {
	w, err := watch(log, func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		return &c, err
	}, cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.current(), nil },
	}, nil
}
