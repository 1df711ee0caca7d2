package snapshot

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
)

// Gates are what a release must pass before it is signed; the zero value has
// the default limits.
type Gates struct {
	Shrink float64         // share of its records that a source may lose; default 0.1
	Churn  float64         // share of all records that may change in a release; default 0.5
	Accept map[string]bool // sources that may shrink; "churn" lifts the limit of change

	// Check, if not nil, looks at the state itself, for example by asking it
	// questions whose answers are known.
	Check func(ctx context.Context) error
}

const (
	defaultShrink = 0.1
	defaultChurn  = 0.5
	gateFrom      = 20 // fewer records may go or change as they like
)

// check returns what stands against signing m after cur, which is nil for the
// first release.
func (g Gates) check(ctx context.Context, cur, m *Manifest, d *differ) error {
	if g.Shrink == 0 {
		g.Shrink = defaultShrink
	}
	if g.Churn == 0 {
		g.Churn = defaultChurn
	}
	if m.Records == 0 {
		return fmt.Errorf("%w: no records", ErrGate)
	}
	if cur != nil {
		for _, was := range cur.Sources {
			now := 0
			for _, s := range m.Sources {
				if s.Name == was.Name {
					now = s.Records
				}
			}
			if was.Records >= gateFrom && float64(now) < float64(was.Records)*(1-g.Shrink) && !g.Accept[was.Name] {
				return fmt.Errorf("%w: source %s had %d records and has %d", ErrGate, was.Name, was.Records, now)
			}
		}
		changed := recordChanges(d)
		if cur.Records >= gateFrom && float64(changed) > float64(cur.Records)*g.Churn && !g.Accept["churn"] {
			return fmt.Errorf("%w: %d of %d records changed", ErrGate, changed, cur.Records)
		}
	}
	if g.Check != nil {
		if err := g.Check(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrGate, err)
		}
	}
	return nil
}

// recordChanges counts records that changed, without rows of tables.
func recordChanges(d *differ) (n uint64) {
	for _, c := range d.events.collections() {
		if isRecord(c.Name) {
			n += c.Entries
		}
	}
	return n
}

func decodeJSON(data []byte, v any) error { return json.Unmarshal(data, v) }
