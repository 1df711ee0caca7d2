package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"github.com/advdb/advdb/sources/fixture"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// A check is one promise, checked.
type check struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

var checks = []check{
	{"quiet", checkQuiet},
	{"fresh", checkFresh},
	{"resume", checkResume},
	{"hostile", checkHostile},
	{"touched", checkTouched},
	{"parse", checkParse},
}

// checkQuiet fetches twice: the second time all requests are conditional and
// answered 304 (or 404, as they were), and nothing is written.
func checkQuiet(ctx context.Context, b *bench) error {
	steps, err := b.steps(ctx)
	if err != nil {
		return err
	}
	for _, s := range steps {
		docs := s.after.Reopen()
		r := b.fetch(ctx, docs, s.tree, nil, "")
		if r.err != nil {
			return fmt.Errorf("%s, again: %w", s.name, r.err)
		}
		for _, x := range r.log {
			absent := x.status == http.StatusNotFound && slices.ContainsFunc(s.log, func(y exchange) bool { return x.url == y.url && y.status == x.status })
			if !absent && (!x.conditional || x.status != http.StatusNotModified) {
				return fmt.Errorf("%s, again: %v: conditional is %v, status %d", s.name, x, x.conditional, x.status)
			}
		}
		if docs.Writes() > 0 || r.stats.Changed > 0 || r.stats.Deleted > 0 {
			return fmt.Errorf("%s, again: %d writes, %+v; state was %s, is %s", s.name, docs.Writes(), r.stats, s.after.state, docs.state)
		}
	}
	return nil
}

// checkFresh compares what two fetches in a row leave with what one fetch of
// the later state leaves.
func checkFresh(ctx context.Context, b *bench) error {
	if b.two == "" {
		return nil
	}
	steps, err := b.steps(ctx)
	if err != nil {
		return err
	}
	fresh, _, err := b.fetched(ctx, nil, b.two)
	if err != nil {
		return err
	}
	want := fresh.Documents()
	for _, name := range b.fix.Lines("kept") {
		want[name] = steps[1].before.docs[name]
	}
	if d := difference(steps[1].after.docs, want); d != "" {
		return fmt.Errorf("after two fetches, compared with one: %s", d)
	}
	return nil
}

// difference tells by which document two sets differ, "" if by none.
func difference(got, want map[string][]byte) string {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[name]; !ok {
			return fmt.Sprintf("%s is missing", name)
		} else if !bytes.Equal(g, want[name]) {
			return fmt.Sprintf("%s is %.200q, want %.200q", name, g, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			return fmt.Sprintf("%s is not wanted", name)
		}
	}
	return ""
}

// checkResume breaks a fetch off at each request, before and within the
// body, and goes on in a new process: the end is the same, and no document
// was ever half of one.
func checkResume(ctx context.Context, b *bench) error {
	all := faults()
	return b.eachFault(ctx, []fault{all[0], all[4]}, func(s step, f fault, x exchange) error {
		if f.spoils != nil && !f.spoils(x.url, x.body) {
			return nil
		}
		docs, err := b.broken(ctx, s, f, x)
		if err != nil {
			return err
		}
		r := b.fetch(ctx, docs, s.tree, nil, "")
		if r.err != nil {
			return fmt.Errorf("gone on: %w", r.err)
		}
		docs = docs.Reopen()
		if d := difference(docs.docs, s.after.docs); d != "" {
			return fmt.Errorf("gone on: %s", d)
		}
		if !bytes.Equal(docs.state, s.after.state) {
			return fmt.Errorf("gone on: state is %s, want %s", docs.state, s.after.state)
		}
		return nil
	})
}

// checkHostile makes upstream answer each request wrongly in each way: an
// error names what is wrong, and documents stay whole.
func checkHostile(ctx context.Context, b *bench) error {
	return b.eachFault(ctx, faults(), func(s step, f fault, x exchange) error {
		if f.spoils != nil && !f.spoils(x.url, x.body) || b.tolerates(f, x) {
			return nil
		}
		_, err := b.broken(ctx, s, f, x)
		return err
	})
}

// eachFault calls do for each step, fault and distinct request of the step;
// with slow faults for the first and last request only.
func (b *bench) eachFault(ctx context.Context, fs []fault, do func(step, fault, exchange) error) error {
	steps, err := b.steps(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range steps {
		for _, f := range fs {
			for i, x := range s.log {
				if f.slow && i > 0 && i < len(s.log)-1 || x.status == http.StatusNotModified && f.spoils != nil {
					continue
				}
				if err := do(s, f, x); err != nil {
					errs = append(errs, fmt.Errorf("%s fetch, %s at %s: %w", s.name, f.name, x.url, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// tolerates reports whether the fixture says that the fault need not be told.
func (b *bench) tolerates(f fault, x exchange) bool {
	return slices.ContainsFunc(b.fix.Lines("tolerates"), func(line string) bool {
		name, pattern, _ := strings.Cut(line, " ")
		ok, _ := path.Match(pattern, path.Base(x.url))
		return ok && name == f.name
	})
}

// broken runs the step with the fault, which must be an error that names the
// URL, and returns what a new process finds.
func (b *bench) broken(ctx context.Context, s step, f fault, x exchange) (*Memory, error) {
	docs := s.before.Reopen()
	r := b.fetch(ctx, docs, s.tree, &f, x.url)
	if r.err == nil {
		return nil, errors.New("no error")
	}
	if !strings.Contains(r.err.Error(), x.url) {
		return nil, fmt.Errorf("the error does not name the URL: %w", r.err)
	}
	docs = docs.Reopen()
	for name, data := range docs.docs {
		if !bytes.Equal(data, s.before.docs[name]) && !bytes.Equal(data, s.after.docs[name]) {
			return nil, fmt.Errorf("after %w: %s is neither as before nor as upstream has it: %.200q", r.err, name, data)
		}
	}
	for name := range s.before.docs {
		if _, kept := s.after.docs[name]; !kept {
			continue
		}
		if _, ok := docs.docs[name]; !ok {
			return nil, fmt.Errorf("after %w: %s is gone", r.err, name)
		}
	}
	return docs, nil
}

// checkTouched fetches again after every file of upstream got a new time
// and the same content: nothing changed.
func checkTouched(ctx context.Context, b *bench) error {
	docs, _, err := b.fetched(ctx, nil, b.one)
	if err != nil {
		return err
	}
	if err := touch(b.one, fixture.DayTwo); err != nil {
		return err
	}
	defer touch(b.one, fixture.DayOne) //nolint:errcheck // the tree is thrown away
	after, r, err := b.fetched(ctx, docs, b.one)
	if err != nil {
		return err
	}
	if d := difference(after.docs, docs.docs); d != "" || r.stats.Changed > 0 || r.stats.Deleted > 0 {
		return fmt.Errorf("same content, new times: %s%+v", d, r.stats)
	}
	return nil
}
