package snapshot

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func testDenied(t *testing.T, s *shelf) {
	if s.denied == nil {
		t.Skip("has no credentials")
	}
	ctx := t.Context()
	name, data := blobOf(100)
	create(t, s.open(t, "denied"), name, data)
	r := s.denied(t, "denied")
	_, openErr := r.Open(ctx, name, 0)
	_, lockErr := r.Lock(ctx)
	for what, err := range map[string]error{
		"open": openErr, "lock": lockErr,
		"create": r.Create(ctx, "blob/00/00", 1, strings.NewReader("x")),
		"write":  r.Write(ctx, timestampName, data),
		"swap":   r.Swap(ctx, timestampName, data, nil),
		"delete": r.Delete(ctx, name),
		"list":   r.List(ctx, "blob/", func(string) error { return nil }),
	} {
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v, want ErrDenied", what, err)
		}
		if err != nil && secretIn(err.Error()) {
			t.Errorf("%s: the error tells the secret: %v", what, err)
		}
	}
	if secretIn(s.open(t, "denied").String()) {
		t.Error("the name tells the secret")
	}
}

// testCut breaks connections while files are read and written.
func testCut(t *testing.T, s *shelf) {
	if s.through == nil {
		t.Skip("has no connection")
	}
	c := newCutter(t, s.addr)
	name, data := blobOf(1 << 20)
	r := s.through(t, "cut", c.addr)
	for _, at := range []int64{300_000, 700_000} {
		c.up.Store(at)
		create(t, r, name, data)
		holds(t, s.open(t, "cut"), name, data)
		if left := c.up.Load(); left >= 0 {
			t.Fatalf("no connection was cut: %d bytes are left", left)
		}
		if err := r.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		name, data = blobOf(1<<20 + int(at))
	}
	create(t, r, name, data)
	r = s.through(t, "cut", c.addr)
	if _, err := readFrom(t, r, name, int64(len(data)-1)); err != nil {
		t.Fatal(err)
	}
	c.down.Store(400_000)
	f, err := r.Open(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	f.Close()
	if err == nil || len(got) == 0 || len(got) > 400_000 {
		t.Fatalf("cut off at 400000: %d bytes, error %v", len(got), err)
	}
	rest, err := readFrom(t, r, name, int64(len(got)))
	if err != nil || !bytes.Equal(append(got, rest...), data) {
		t.Errorf("resumed: %d and %d of %d bytes, %v", len(got), len(rest), len(data), err)
	}
}
