package peers

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A difference is a pair on which a library and versioncmp do not agree.
type difference struct {
	a, b   string
	ours   string // "<", "=", ">" or "?"
	theirs string
}

func (d difference) String() string {
	return fmt.Sprintf("%s %s %s: the peer says %s", d.a, d.ours, d.b, d.theirs)
}

// shown is how many differences of one kind a failing test prints.
const shown = 14

// TestPeersAgree compares each rule with each library that has it. A
// difference belongs to the first class of the library that it fits: one that
// fits none fails, and so does a class that has grown, or has become empty.
func TestPeersAgree(t *testing.T) {
	if diff := cmp.Diff(keys(peersOf), keys(inputs)); diff != "" {
		t.Errorf("ecosystems of the peers and of the inputs:\n%s", diff)
	}
	for _, ecosystem := range keys(peersOf) {
		t.Run(ecosystem, func(t *testing.T) {
			pairs := pairsOf(t, ecosystem)
			for _, p := range peersOf[ecosystem] {
				t.Run(p.name, func(t *testing.T) {
					classify(t, compareAll(advdb(ecosystem), p, pairs), classes[ecosystem+", "+p.name])
				})
			}
		})
	}
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func compareAll(us, peer peer, pairs []pair) (found []difference) {
	for _, p := range pairs {
		d := difference{a: p.a, b: p.b, ours: us.relation(p.a, p.b), theirs: peer.relation(p.a, p.b)}
		if d.ours != d.theirs {
			found = append(found, d)
		}
	}
	return found
}

// classify puts each difference into a class and checks what comes out.
func classify(t *testing.T, found []difference, classes []class) {
	t.Helper()
	members := make([][]difference, len(classes)+1)
	for _, d := range found {
		i := slices.IndexFunc(classes, func(c class) bool { return c.fits(d) })
		if i < 0 {
			i = len(classes)
		}
		members[i] = append(members[i], d)
	}
	for i, c := range classes {
		switch n := len(members[i]); {
		case n == 0:
			t.Errorf("%s: no longer seen: take it off the list", c.what)
		case n > c.most:
			t.Errorf("%s: %d differences, at most %d are known: %v", c.what, n, c.most, members[i][:min(n, shown)])
		}
	}
	if unknown := members[len(classes)]; len(unknown) > 0 {
		t.Errorf("%d differences of no known class: %v", len(unknown), unknown[:min(len(unknown), shown)])
	}
}

// TestEveryClassHasAPeer keeps the list of differences in step with the peers.
func TestEveryClassHasAPeer(t *testing.T) {
	var names []string
	for ecosystem, peers := range peersOf {
		for _, p := range peers {
			names = append(names, ecosystem+", "+p.name)
		}
	}
	for _, of := range keys(classes) {
		if !slices.Contains(names, of) {
			t.Errorf("%q is no peer", of)
		}
	}
}
