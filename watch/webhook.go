package watch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// A Webhook posts events to a URL, signed as Standard Webhooks has it: the
// header webhook-signature is "v1," and the base64 of the HMAC-SHA256 over
// "ID.TIMESTAMP.BODY". The body is {"type": "advdb.findings", "timestamp": …,
// "data": {"events": […]}}. A posting that comes again has the same ID.
//
// Source: https://www.standardwebhooks.com, specification 1.0.0.
type Webhook struct {
	url    *url.URL
	secret []byte
	client *http.Client
}

// ErrSecret says that the secret of a webhook cannot be read.
var ErrSecret = errors.New(`webhook secret: want "whsec_" and base64 of 24 to 64 bytes`)

// NewWebhook returns the receiver at a URL. The secret is "whsec_" and the
// base64 of 24 to 64 bytes; without one the postings are not signed.
func NewWebhook(target, secret string) (*Webhook, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("webhook %q: want an http or https URL", u.Redacted())
	}
	w := &Webhook{url: u, client: &http.Client{Timeout: 30 * time.Second}}
	if secret == "" {
		return w, nil
	}
	text, ok := strings.CutPrefix(secret, "whsec_")
	if w.secret, err = base64.StdEncoding.DecodeString(text); !ok || err != nil || len(w.secret) < 24 || len(w.secret) > 64 {
		return nil, ErrSecret
	}
	return w, nil
}

// Name is the URL without its password.
func (w *Webhook) Name() string { return "webhook " + w.url.Redacted() }

// Send posts events.
func (w *Webhook) Send(ctx context.Context, events []Event) error {
	now := time.Now().UTC()
	body, err := json.Marshal(map[string]any{
		"type": "advdb.findings", "timestamp": now.Format(time.RFC3339), "data": map[string]any{"events": events},
	}, json.Deterministic(true))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	id, stamp := "evt_"+events[0].ID+"_"+events[len(events)-1].ID, strconv.FormatInt(now.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", stamp)
	if w.secret != nil {
		mac := hmac.New(sha256.New, w.secret)
		fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
		req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	res, err := w.client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) { // its text has the password
			return ue.Err
		}
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("status %s", res.Status)
	}
	return nil
}
