package watch

import (
	"bytes"
	"context"
	"io"

	"github.com/go-json-experiment/json"
)

// Lines writes events as NDJSON, one object a line.
type Lines struct {
	Writer io.Writer
	Label  string // what the inventory knows it by
}

// Name is the label.
func (l *Lines) Name() string { return l.Label }

// Send writes events in one write.
func (l *Lines) Send(_ context.Context, events []Event) error {
	var b bytes.Buffer
	for _, e := range events {
		data, err := json.Marshal(e, json.Deterministic(true))
		if err != nil {
			return err
		}
		b.Write(data)
		b.WriteByte('\n')
	}
	_, err := l.Writer.Write(b.Bytes())
	return err
}
