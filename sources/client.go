package sources

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// ClientOptions are the options of [NewClient]; the zero value works.
type ClientOptions struct {
	// Upstream, if set, answers every request instead of the network: a
	// folder or a URL, see [Upstream]. Secrets are not used with it.
	Upstream string
	// Transport makes the requests; default: the network, with proxies from
	// the environment. It is put under Upstream where that is a URL.
	Transport http.RoundTripper
	// Wrap, if set, is put around whatever answers, such as [Record].
	Wrap func(http.RoundTripper) http.RoundTripper

	UserAgent     string        // default: "advdb"
	Retries       int           // further attempts after the first; default 4, none if negative
	Backoff       time.Duration // wait before the second attempt, doubled for each further; default 1 s
	MaxWait       time.Duration // longest wait between attempts, Retry-After included; default 2 min
	Rate          float64       // requests a second to one host; default 10
	Parallel      int           // requests at once to one host; default 4
	HeaderTimeout time.Duration // longest wait for an answer to begin; default 1 min
	StallTimeout  time.Duration // longest wait for a body's next bytes; default 1 min

	Log *slog.Logger // default: nothing
}

// A Client makes the requests of one run, for all its sources: it bounds the
// rate and number of requests to each host, repeats those that may succeed
// later, and gives up on answers that stall. It is safe for use by many
// goroutines.
type Client struct {
	retry *retryablehttp.Client
	agent string
	live  bool // requests go to the hosts that their URLs name
}

// NewClient returns a client.
func NewClient(opt ClientOptions) (*Client, error) {
	opt.setDefaults()
	base, err := opt.transport()
	if err != nil {
		return nil, err
	}
	rc := retryablehttp.NewClient()
	rc.Logger = nil
	rc.HTTPClient = &http.Client{Transport: base, CheckRedirect: checkRedirect}
	rc.RetryMax = max(opt.Retries, 0)
	rc.CheckRetry = checkRetry
	rc.Backoff = backoff(opt.Backoff, opt.MaxWait)
	rc.ErrorHandler = retryablehttp.PassthroughErrorHandler
	rc.RequestLogHook = func(_ retryablehttp.Logger, req *http.Request, attempt int) {
		if attempt > 0 {
			opt.Log.Info("asking again", "url", req.URL.String(), "attempt", attempt+1)
		}
	}
	return &Client{retry: rc, agent: opt.UserAgent, live: opt.Upstream == ""}, nil
}

func (o *ClientOptions) setDefaults() {
	o.UserAgent = orDefault(o.UserAgent, "advdb")
	o.Retries = orDefault(o.Retries, 4)
	o.Backoff = orDefault(o.Backoff, time.Second)
	o.MaxWait = orDefault(o.MaxWait, 2*time.Minute)
	o.Rate = orDefault(o.Rate, 10)
	o.Parallel = orDefault(o.Parallel, 4)
	o.HeaderTimeout = orDefault(o.HeaderTimeout, time.Minute)
	o.StallTimeout = orDefault(o.StallTimeout, time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// transport stacks what answers requests: the network or an upstream tree,
// what the caller wraps it in, and the guard over both.
func (o *ClientOptions) transport() (http.RoundTripper, error) {
	rt := o.Transport
	if rt == nil {
		rt = network()
	}
	paced := true
	if o.Upstream != "" {
		up, err := upstream(o.Upstream, rt)
		if err != nil {
			return nil, err
		}
		_, folder := up.(*tree)
		rt, paced = up, !folder
	}
	if o.Wrap != nil {
		rt = o.Wrap(rt)
	}
	g := &guard{next: rt, header: o.HeaderTimeout, stall: o.StallTimeout}
	if paced {
		g.hosts = newHosts(o.Rate, o.Parallel)
	}
	return g, nil
}

func network() http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   20 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// do makes one request, repeated as the policy says. Any status but 200, 206
// and 304 is a *StatusError.
func (c *Client) do(ctx context.Context, url string, header http.Header) (*http.Response, error) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.retry.Do(req)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, located(url, err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified:
		return resp, nil
	}
	_ = resp.Body.Close()
	return nil, &StatusError{URL: url, Status: resp.StatusCode}
}

// located makes err name address, once.
func located(address string, err error) error {
	if err == nil {
		return nil
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	if strings.Contains(err.Error(), address) {
		return err
	}
	return fmt.Errorf("%s: %w", address, err)
}

// checkRetry says which answers may be better later. 403 is among them: NVD,
// ENISA and the ALAS pages send it to those who ask too fast.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil {
		again, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, err)
		return again, nil
	}
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true, nil
	}
	return resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented, nil
}

// backoff returns the wait before the next attempt: what Retry-After says,
// else first doubled for each attempt made, plus up to a quarter at random;
// never more than longest.
func backoff(first, longest time.Duration) retryablehttp.Backoff {
	return func(_, _ time.Duration, attempt int, resp *http.Response) time.Duration {
		wait := first << min(attempt, 20)
		if resp != nil {
			if after, ok := retryAfter(resp.Header.Get("Retry-After"), time.Now()); ok && after > wait {
				wait = after
			}
		}
		wait += time.Duration(rand.Int64N(int64(wait)/4 + 1))
		return min(wait, longest)
	}
}

// retryAfter reads the header of RFC 9110, 10.2.3: seconds or a date.
func retryAfter(s string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	t, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return max(t.Sub(now), 0), true
}

// checkRedirect keeps what only the first host may see from all others.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("10 redirects")
	}
	if req.URL.Host != via[0].URL.Host {
		delete(req.Header, apiKeyHeader)
		req.Header.Del(apiKeyHeader)
	}
	return nil
}
