package sources

import (
	"fmt"
	"io"
)

// limited ends in ErrTooLarge where r yields more than left bytes.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// ended remembers whether its reader was read to its end.
type ended struct {
	r   io.Reader
	err error
}

func (e *ended) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil {
		e.err = err
	}
	return n, err
}

// drain makes sure that the end was reached, where checksums are compared.
func (e *ended) drain() error {
	if e.err == nil {
		n, err := io.Copy(io.Discard, e.r)
		if err == nil && n > 0 {
			err = fmt.Errorf("%w: %d bytes were not stored", ErrIncomplete, n)
		}
		return err
	}
	if e.err == io.EOF {
		return nil
	}
	return e.err
}
