package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

// A Receiver takes events.
type Receiver interface {
	// Name names it for good: it is by its name that the inventory knows what
	// it has taken.
	Name() string
	// Send takes events, in order. Where it returns an error they come again.
	Send(ctx context.Context, events []Event) error
}

const (
	sendBatch = 200    // events at a time
	keep      = 10_000 // events that stay for new readers of a feed, delivered or not
)

// putEvent keeps an event behind all others.
func putEvent(tx store.ShelfTx, e Event) error {
	n, err := lastID(tx)
	if err != nil {
		return err
	}
	e.ID = fmt.Sprintf("%016x", n+1)
	data, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return err
	}
	return tx.Put(eventBucket, e.ID, data)
}

// Deliver hands each receiver the events that it has not taken yet. A receiver
// that fails keeps none of the others from theirs.
func (v *Inventory) Deliver(ctx context.Context, receivers ...Receiver) (sent int, err error) {
	for _, r := range receivers {
		n, failed := v.deliver(ctx, r)
		sent += n
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", r.Name(), failed))
		}
	}
	return sent, errors.Join(err, v.trim())
}

func (v *Inventory) deliver(ctx context.Context, r Receiver) (sent int, err error) {
	for {
		var events []Event
		err := v.shelf.View(func(tx store.ShelfTx) (err error) {
			events, err = eventsAfter(tx, string(tx.Get(cursorBucket, r.Name())), sendBatch)
			return err
		})
		if err != nil || len(events) == 0 {
			return sent, err
		}
		if err := r.Send(ctx, events); err != nil {
			return sent, err
		}
		sent += len(events)
		err = v.shelf.Update(func(tx store.ShelfTx) error {
			return tx.Put(cursorBucket, r.Name(), []byte(events[len(events)-1].ID))
		})
		if err != nil {
			return sent, err
		}
	}
}

// eventsAfter reads the events behind one, at most so many.
func eventsAfter(tx store.ShelfTx, id string, most int) (events []Event, err error) {
	tx.Scan(eventBucket, "", id, func(key string, value []byte) bool {
		if key == id {
			return true
		}
		var e Event
		if err = json.Unmarshal(value, &e); err != nil {
			err = fmt.Errorf("inventory: event %s: %w", key, err)
			return false
		}
		events = append(events, e)
		return len(events) < most
	})
	return events, err
}

// Recent returns the last events, the newest first.
func (v *Inventory) Recent(most int) (events []Event, err error) {
	err = v.shelf.View(func(tx store.ShelfTx) error {
		last, err := lastID(tx)
		if err != nil {
			return err
		}
		from := ""
		if last > uint64(most) {
			from = fmt.Sprintf("%016x", last-uint64(most))
		}
		events, err = eventsAfter(tx, from, most)
		return err
	})
	slices.Reverse(events)
	return events, err
}

func lastID(tx store.ShelfTx) (uint64, error) {
	last := tx.Last(eventBucket)
	if last == "" {
		return 0, nil
	}
	return strconv.ParseUint(last, 16, 64)
}

// trim lets go of old events that every receiver took.
func (v *Inventory) trim() error {
	return v.shelf.Update(func(tx store.ShelfTx) error {
		last, err := lastID(tx)
		if err != nil || last <= keep {
			return err
		}
		until := fmt.Sprintf("%016x", last-keep)
		tx.Scan(cursorBucket, "", "", func(_ string, at []byte) bool {
			until = min(until, string(at))
			return true
		})
		var old []string
		tx.Scan(eventBucket, "", "", func(key string, _ []byte) bool {
			if key > until {
				return false
			}
			old = append(old, key)
			return true
		})
		for _, key := range old {
			if err := tx.Delete(eventBucket, key); err != nil {
				return err
			}
		}
		return nil
	})
}
