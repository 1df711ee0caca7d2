package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/advdb/advdb/server"
	"github.com/spf13/cobra"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	addr   string
	maxAge time.Duration
}

// shutdownWait is how long requests at hand may take after a signal.
const shutdownWait = 20 * time.Second

func (a *app) serveCommand() *cobra.Command {
	var opt serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer over HTTP as the OSV API does",
		Long: `Serve answers /v1/query, /v1/querybatch and /v1/vulns/{id} as osv.dev does, so
that its clients work unchanged, and /healthz, /readyz (red when no source was
fetched for --max-age) and /metrics (Prometheus). It takes up a new state of
the database with the next request; an interrupt ends it when the requests at
hand are answered.
` + exitHelp,
		Example: `  advdb serve
  advdb serve --addr 0.0.0.0:8080 --max-age 36h
  curl -d '{"package":{"purl":"pkg:npm/lodash@4.17.20"}}' http://localhost:8181/v1/query`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), opt) },
	}
	c.Flags().StringVar(&opt.addr, "addr", "localhost:8181", "address to listen on")
	c.Flags().DurationVar(&opt.maxAge, "max-age", 7*24*time.Hour, "age of the data from which /readyz is red")
	return c
}

func (a *app) serve(ctx context.Context, opt serveOptions) error {
	s, err := server.New(server.Options{Dir: a.dir, MaxAge: opt.maxAge, Now: a.now, Log: a.log()})
	if err != nil {
		return err
	}
	defer s.Close()
	ln, err := net.Listen("tcp", opt.addr)
	if err != nil {
		return err
	}
	a.sayf("listening on http://%s", ln.Addr())
	h := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	a.sayf("ending: waiting for the requests at hand")
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
	defer cancel()
	err = h.Shutdown(wait)
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}
