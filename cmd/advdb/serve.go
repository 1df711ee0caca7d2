package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/advdb/advdb/server"
	"github.com/advdb/advdb/snapshot"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	addr      string
	repo      string
	cert, key string
	tokenFile string
	drain     time.Duration

	pull  []string
	root  string
	every time.Duration

	server server.Options
}

// shutdownWait is how long requests at hand may take after a signal.
const shutdownWait = 20 * time.Second

func (a *app) serveCommand() *cobra.Command {
	var opt serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer over HTTP as the OSV API does",
		Long: `Serve answers /v1/query, /v1/querybatch and /v1/vulns/{id} as osv.dev does, so
that its clients work unchanged. It takes up a new state of the database with
the next request; none is dropped for it.

  /           pages for people, which need no script: search, vulnerabilities,
              packages, sources, changes, statistics (--pages=false: none)
  /repo/      the snapshot repository of --repo, for replicas to pull from
  /healthz    200 while the process answers
  /readyz     503 and the reason when there are no data, or none was fetched
              for --max-age
  /metrics    for Prometheus

With --pull the database is a replica that follows a repository: it is pulled
at once and then --every so often, and again soon after a failure. The server
starts without data then, and is not ready until it has some.

With a token ($ADVDB_TOKEN, or those in --token-file, one a line) requests must
carry it ("Authorization: Bearer TOKEN", or as the password of a URL or in a
browser, with any name), but for /healthz and /readyz. Certificate, key and
token file are read again when they change.

More than --max-requests at a time wait, and are sent away with 503 and
Retry-After when --max-queue wait already, or after 5 seconds. An interrupt
turns /readyz red and ends the server when the requests at hand are answered.

The answer has two headers that osv.dev's has not: Advdb-Unknown counts
records of which it is unknown whether they affect the version, and
Advdb-Not-Covered names the ecosystem of which no data are held. An ecosystem
without its release ("Debian") means any release. Of commits, those are known
that are events of a range.

With --json one object on standard output when requests are taken: url.
` + exitHelp,
		Example: `  advdb serve
  advdb serve --addr 0.0.0.0:8080 --max-age 36h
  advdb serve --pull https://advdb.example.org --root root.json --every 15m
  advdb serve --addr :8443 --tls-cert cert.pem --tls-key key.pem --token-file tokens --repo /srv/repo
  curl -d '{"package":{"purl":"pkg:npm/lodash@4.17.20"}}' http://localhost:8181/v1/query`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), &opt) },
	}
	opt.register(c.Flags())
	return c
}

func (opt *serveOptions) register(f *pflag.FlagSet) {
	f.StringVar(&opt.addr, "addr", "localhost:8181", "address to listen on")
	f.DurationVar(&opt.server.MaxAge, "max-age", 7*24*time.Hour, "age of the data from which /readyz is red")
	f.StringVar(&opt.repo, "repo", "", "folder of a snapshot repository, served at /repo/")
	f.BoolVar(&opt.server.Pages, "pages", true, "pages for people at /")
	f.StringSliceVar(&opt.pull, "pull", nil, "repository to follow; several are mirrors of each other")
	f.DurationVar(&opt.every, "every", time.Hour, "with --pull: how often")
	f.StringVar(&opt.root, "root", "", "with --pull: file of a trusted root, needed once")
	f.StringVar(&opt.cert, "tls-cert", "", "file of the certificate, PEM; with it HTTPS is spoken")
	f.StringVar(&opt.key, "tls-key", "", "file of its key, PEM")
	f.StringVar(&opt.tokenFile, "token-file", "", "file of tokens, one a line, of which requests need one ($ADVDB_TOKEN)")
	f.IntVar(&opt.server.Requests, "max-requests", 0, "requests answered at a time (default: 32 a processor)")
	f.IntVar(&opt.server.Queue, "max-queue", 1024, "requests that may wait for a place")
	f.DurationVar(&opt.server.Deadline, "deadline", 20*time.Second, "time that a request may take")
	f.Int64Var(&opt.server.MaxBytes, "max-body", 8<<20, "bytes of a request's body")
	f.IntVar(&opt.server.Cache, "cache", 64<<20, "bytes of records and answers kept ready to be sent")
	f.Float64Var(&opt.server.Rate, "rate", 0, "requests a second of one client, 0: no limit")
	f.DurationVar(&opt.drain, "drain", 0, "how long to answer on with /readyz red before ending")
}

// check finds wrong usage.
func (opt *serveOptions) check() error {
	switch {
	case (opt.cert == "") != (opt.key == ""):
		return usagef("--tls-cert and --tls-key need each other")
	case len(opt.pull) == 0 && opt.root != "":
		return usagef("--root is for --pull")
	case opt.every <= 0 || opt.server.Deadline <= 0 || opt.server.MaxAge <= 0:
		return usagef("--every, --deadline and --max-age must be more than nothing")
	}
	return nil
}

func (a *app) serve(ctx context.Context, opt *serveOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	opt.server.Dir, opt.server.Now, opt.server.Log, opt.server.Access = a.dir, a.now, a.log(), a.verbose
	opt.server.Empty = len(opt.pull) > 0
	if opt.repo != "" {
		repo, err := snapshot.OpenDir(opt.repo)
		if err != nil {
			return usageError{fmt.Errorf("--repo: %w", err)}
		}
		defer repo.Close()
		opt.server.Repo = repo
	}
	if err := a.tokens(opt); err != nil {
		return err
	}
	follow, err := a.followOptions(opt)
	if err != nil {
		return err
	}
	var secure *tls.Config
	if opt.cert != "" {
		if secure, err = server.WatchCertificate(a.log(), opt.cert, opt.key); err != nil {
			return usageError{fmt.Errorf("--tls-cert: %w", err)}
		}
	}
	s, err := server.New(opt.server)
	if err != nil {
		return err
	}
	defer s.Close()
	ln, err := net.Listen("tcp", opt.addr)
	if err != nil {
		return err
	}
	var pulling sync.WaitGroup
	if follow != nil {
		pullCtx, stop := context.WithCancel(ctx)
		pulling.Go(func() { s.Follow(pullCtx, *follow) })
		defer pulling.Wait()
		defer stop()
	}
	return a.listen(ctx, s, ln, secure, opt)
}

// tokens reads the tokens that requests need, if there are any.
func (a *app) tokens(opt *serveOptions) (err error) {
	if opt.tokenFile != "" {
		if opt.server.Tokens, err = server.WatchTokens(a.log(), opt.tokenFile); err != nil {
			return usageError{fmt.Errorf("--token-file: %w", err)}
		}
		return nil
	}
	if token := strings.TrimSpace(a.getenv("ADVDB_TOKEN")); token != "" {
		opt.server.Tokens = func() []string { return []string{token} }
	}
	return nil
}

// followOptions returns how to follow a repository, nil where none is named.
func (a *app) followOptions(opt *serveOptions) (*server.FollowOptions, error) {
	if len(opt.pull) == 0 {
		return nil, nil
	}
	root, err := trustedRoot(opt.root)
	if err != nil {
		return nil, err
	}
	f := &server.FollowOptions{Every: opt.every, Pull: snapshot.PullOptions{Dir: a.dir, Root: root, Log: a.log()}}
	for _, target := range opt.pull {
		r, err := snapshot.OpenReader(target)
		if err != nil {
			return nil, usageError{fmt.Errorf("--pull: %w", err)}
		}
		f.Pull.Mirrors = append(f.Pull.Mirrors, r)
	}
	return f, nil
}

// listen answers until ctx ends, and then the requests at hand.
func (a *app) listen(ctx context.Context, s *server.Server, ln net.Listener, secure *tls.Config, opt *serveOptions) error {
	h := &http.Server{
		Handler: s, TLSConfig: secure, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, Protocols: new(http.Protocols),
	}
	h.Protocols.SetHTTP1(true)
	h.Protocols.SetHTTP2(true)
	h.Protocols.SetUnencryptedHTTP2(true) // osv.dev bounds answers over HTTP/1.1 only
	scheme, begin := "http", func() error { return h.Serve(ln) }
	if secure != nil {
		scheme, begin = "https", func() error { return h.ServeTLS(ln, "", "") }
	}
	url := scheme + "://" + ln.Addr().String()
	if host, _, err := net.SplitHostPort(opt.addr); err == nil && opt.server.Tokens != nil && secure == nil && !isLoopback(host) {
		a.sayf("warning: tokens are sent in the clear: --tls-cert and --tls-key")
	}
	a.sayf("listening on %s", url)
	ended := make(chan error, 1)
	go func() { ended <- begin() }()
	if a.json {
		if err := a.printJSON(struct {
			URL string `json:"url"`
		}{url}); err != nil {
			return err
		}
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	return a.end(ctx, s, h, ended, opt.drain)
}

// end answers the requests at hand and no further ones.
func (a *app) end(ctx context.Context, s *server.Server, h *http.Server, ended <-chan error, drain time.Duration) error {
	a.sayf("ending: waiting for the requests at hand")
	s.Drain()
	if drain > 0 {
		time.Sleep(drain)
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
	defer cancel()
	err := h.Shutdown(wait)
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// isLoopback reports whether a host is this machine's own.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
