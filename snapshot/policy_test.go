package snapshot

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// A cosigner is the key of a witness.
type cosigner struct {
	skey, vkey string
}

func newCosigner(t testing.TB, name string) cosigner {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	if vkey, err = fnote.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	return cosigner{skey, vkey}
}

// cosign adds a cosignature to a checkpoint.
func (c cosigner) cosign(t testing.TB, checkpoint []byte, key note.Verifier) []byte {
	t.Helper()
	s, err := fnote.NewSignerForCosignatureV1(c.skey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(checkpoint, note.VerifierList(key))
	if err != nil {
		t.Fatal(err)
	}
	out, err := note.Sign(n, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPolicyForm reads policies, by https://c2sp.org/tlog-policy.
func TestPolicyForm(t *testing.T) {
	_, log, err := note.GenerateKey(rand.Reader, "test.example/main")
	if err != nil {
		t.Fatal(err)
	}
	a, b := newCosigner(t, "a.example/w"), newCosigner(t, "b.example/w")
	plain := a.vkey // under another name, of another type: the same key
	renamed := "other+00000000+" + strings.SplitN(plain, "+", 3)[2]
	good := "log " + log + "\nwitness A " + a.vkey + " https://a.example/\nwitness B " + b.vkey + "\n"
	for _, x := range []struct {
		name, policy, wrong string // wrong: in the error, empty for none
	}{
		{"no witnesses", "log " + log + "\nquorum none\n", ""},
		{"no log", "quorum none\n", ""},
		{"comments, tabs, an open end", " # x\n\n\tlog\t" + log + "  https://x.example \nquorum none", ""},
		{"a witness", good + "quorum A\n", ""},
		{"a group", good + "group G 2 A B\nquorum G\n", ""},
		{"groups of groups", good + "group G any A\ngroup H all G B\nquorum H\n", ""},
		{"nothing", "", "no quorum"},
		{"no quorum", good, "no quorum"},
		{"two quorums", good + "quorum A\nquorum B\n", "second quorum"},
		{"two logs", "log " + log + "\n" + good + "quorum A\n", "line 2: a second log"},
		{"quorum of nobody", good + "quorum C\n", `line 4: quorum "C" is not defined`},
		{"quorum before its group", good + "quorum G\ngroup G any A\n", "not defined"},
		{"member of nobody", good + "group G any C\nquorum G\n", `member "C"`},
		{"member twice", good + "group G 2 A A\nquorum G\n", `member "A"`},
		{"member of two groups", good + "group G any A\ngroup H any A B\nquorum H\n", `member "A"`},
		{"none of a group", good + "group G 0 A B\nquorum G\n", "0 of 2"},
		{"more than there are", good + "group G 3 A B\nquorum G\n", "3 of 2"},
		{"a number with a zero", good + "group G 01 A B\nquorum G\n", "01 of 2"},
		{"no members", good + "group G any\nquorum G\n", "line 4"},
		{"a name twice", good + "group A any B\nquorum A\n", `"A" is taken`},
		{"the name none", good + "group none any B\nquorum none\n", "taken"},
		{"a key twice", good + "witness C " + a.vkey + "\nquorum C\n", "named twice"},
		{"a key under two names", good + "witness C " + renamed + "\nquorum C\n", "named twice"},
		{"no key", "witness A b.example/w\nquorum A\n", "line 1"},
		{"no URL", "witness A " + a.vkey + " a.example\nquorum A\n", "URL"},
		{"another word", "cosigner A " + a.vkey + "\nquorum none\n", "line 1"},
		{"a control character", "quorum none\r\n", "offset 11"},
	} {
		err := CheckWitnesses([]byte(x.policy))
		if x.wrong == "" && err != nil || x.wrong != "" && (!errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), x.wrong)) {
			t.Errorf("%s: %v, want %q", x.name, err, x.wrong)
		}
	}
}

// TestQuorum counts cosignatures, and says by when a quorum cosigned.
func TestQuorum(t *testing.T) {
	policy := func(lines string) logPolicy {
		t.Helper()
		var text strings.Builder
		for i := range 5 {
			fmt.Fprintf(&text, "witness W%d %s\n", i, newCosigner(t, "w").vkey)
		}
		p, err := parseWitnesses([]byte(text.String() + lines))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	nested := policy("group X 2 W0 W1 W2\ngroup Y any W3 W4\ngroup XY all X Y\nquorum XY\n")
	flat := policy("group X 3 W0 W1 W2 W3 W4\nquorum X\n")
	for _, x := range []struct {
		policy logPolicy
		days   map[string]int // on which day each cosigned
		want   int            // the day of the quorum, 0 for none
	}{
		{nested, nil, 0},
		{nested, map[string]int{"W0": 1, "W1": 2, "W2": 3}, 0},
		{nested, map[string]int{"W0": 1, "W3": 2, "W4": 3}, 0},
		{nested, map[string]int{"W0": 9, "W1": 5, "W3": 7}, 5},
		{nested, map[string]int{"W0": 9, "W1": 5, "W2": 8, "W3": 7, "W4": 3}, 7},
		{flat, map[string]int{"W0": 1, "W1": 2}, 0},
		{flat, map[string]int{"W0": 1, "W1": 2, "W4": 9}, 1},
		{flat, map[string]int{"W0": 1, "W1": 2, "W2": 3, "W3": 9, "W4": 8}, 3},
	} {
		times := map[string]time.Time{}
		for name, day := range x.days {
			times[name] = testStart.AddDate(0, 0, day)
		}
		at, ok := x.policy.quorum.at(times)
		if ok != (x.want > 0) || ok && !at.Equal(testStart.AddDate(0, 0, x.want)) {
			t.Errorf("%v: %v %v, want day %d", x.days, at, ok, x.want)
		}
	}
}

// TestCosigned counts only cosignatures that verify.
func TestCosigned(t *testing.T) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "test.example/main")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	a, b := newCosigner(t, "a.example/w"), newCosigner(t, "b.example/w")
	p, err := parsePolicy([]byte("log " + vkey + "\nwitness A " + a.vkey + "\nwitness B " + b.vkey + "\ngroup G all A B\nquorum G\n"))
	if err != nil {
		t.Fatal(err)
	}
	text := "test.example/main\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	plain, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	one := a.cosign(t, plain, p.key)
	both := b.cosign(t, one, p.key)
	if at, err := p.check(both); err != nil || time.Since(at) > time.Minute || time.Since(at) < -time.Minute {
		t.Errorf("both: %v %v", at, err)
	}
	forged := append([]byte(nil), both...)
	forged[len(forged)-10] ^= 1
	stranger := newCosigner(t, "b.example/w").cosign(t, one, p.key)
	for name, checkpoint := range map[string][]byte{"nobody": plain, "one": one, "one and a forgery": forged, "one and a stranger of that name": stranger} {
		if _, err := p.check(checkpoint); !errors.Is(err, ErrWitness) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.check(one); err == nil || !strings.Contains(err.Error(), "missing: B") {
		t.Errorf("who is missing: %v", err)
	}
}

func FuzzPolicy(f *testing.F) {
	a := newCosigner(f, "a.example/w")
	f.Add("log " + a.vkey + "\nwitness A " + a.vkey + " https://a.example\ngroup G any A\nquorum G\n")
	f.Add("quorum none\n")
	f.Add("group G 1 G\nquorum G")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseWitnesses([]byte(text))
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
			return
		}
		if _, err := p.check([]byte("x\n\n— a AAAAAAAA\n")); err == nil && p.quorum != nil {
			t.Error("a quorum of nobody")
		}
	})
}
