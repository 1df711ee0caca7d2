package snapshot

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// A logPolicy says who signs the log, and whose cosignatures a checkpoint
// must have: a C2SP tlog-policy (https://c2sp.org/tlog-policy) of one log at
// most. TUF target "policy" is one, and a replica may keep one of its own.
type logPolicy struct {
	key       note.Verifier // of the log, nil where the policy names none
	vkey      string
	witnesses []witness
	quorum    *quorum // nil for "none"
}

// A witness is asked by the publisher and known to readers by its key.
type witness struct {
	name string
	key  note.Verifier
	url  string // its submission prefix, empty where the policy names none
}

// A quorum is a witness, or n of some members.
type quorum struct {
	name    string
	n       int
	members []*quorum // none for a witness
}

// newPolicy writes the policy of a log without witnesses.
func newPolicy(vkey string) []byte { return []byte("log " + vkey + "\nquorum none\n") }

// parsePolicy reads the policy of one log.
func parsePolicy(data []byte) (logPolicy, error) {
	p, err := parseWitnesses(data)
	if err == nil && p.key == nil {
		err = fmt.Errorf("policy: %w: names no log", ErrManifest)
	}
	return p, err
}

// A policyReader reads a policy line by line.
type policyReader struct {
	logPolicy
	named  map[string]*quorum
	used   map[string]bool // as a member
	keys   map[string]bool
	quorum *string
}

// CheckWitnesses reads a C2SP tlog-policy, as [PullOptions] and
// [PublishOptions] take it, and returns what is wrong with it.
func CheckWitnesses(policy []byte) error {
	_, err := parseWitnesses(policy)
	return err
}

// parseWitnesses reads a policy, which may leave the log to whoever knows it.
func parseWitnesses(data []byte) (logPolicy, error) {
	r := policyReader{named: map[string]*quorum{}, used: map[string]bool{}, keys: map[string]bool{}}
	if i := slices.IndexFunc(data, func(c byte) bool { return c < ' ' && c != '\t' && c != '\n' || c == 0x7f }); i >= 0 {
		return r.logPolicy, fmt.Errorf("policy: %w: offset %d: control character", ErrManifest, i)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		f := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' })
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		if err := r.line(f); err != nil {
			return r.logPolicy, fmt.Errorf("policy: %w: line %d: %w", ErrManifest, n, err)
		}
	}
	if r.quorum == nil {
		return r.logPolicy, fmt.Errorf("policy: %w: no quorum", ErrManifest)
	}
	if *r.quorum != "none" {
		r.logPolicy.quorum = r.named[*r.quorum]
	}
	return r.logPolicy, nil
}

func (r *policyReader) line(f []string) error {
	switch {
	case f[0] == "log" && (len(f) == 2 || len(f) == 3):
		return r.log(f[1])
	case f[0] == "witness" && (len(f) == 3 || len(f) == 4):
		return r.witness(f[1], f[2], f[3:])
	case f[0] == "group" && len(f) >= 4:
		return r.group(f[1], f[2], f[3:])
	case f[0] == "quorum" && len(f) == 2:
		if r.quorum != nil {
			return fmt.Errorf("a second quorum")
		}
		if f[1] != "none" && r.named[f[1]] == nil {
			return fmt.Errorf("quorum %q is not defined above", f[1])
		}
		r.quorum = &f[1]
		return nil
	}
	return fmt.Errorf("%q", strings.Join(f, " "))
}

func (r *policyReader) log(vkey string) (err error) {
	if r.key != nil {
		return fmt.Errorf("a second log")
	}
	r.vkey = vkey
	r.key, err = note.NewVerifier(vkey)
	return err
}

func (r *policyReader) witness(name, vkey string, at []string) error {
	if err := r.define(name, &quorum{name: name, n: 1}); err != nil {
		return err
	}
	w := witness{name: name}
	var err error
	if w.key, err = fnote.NewVerifierForCosignatureV1(vkey); err != nil {
		return fmt.Errorf("witness %s: %w", name, err)
	}
	// Two keys are one where they wrap the same bytes, whatever they are called.
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(vkey, "+", 3)[2])
	if err != nil || r.keys[string(raw[1:])] {
		return fmt.Errorf("witness %s: its key is named twice", name)
	}
	r.keys[string(raw[1:])] = true
	if len(at) == 1 {
		u, err := url.Parse(at[0])
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("witness %s: URL %q", name, at[0])
		}
		w.url = strings.TrimSuffix(at[0], "/")
	}
	r.witnesses = append(r.witnesses, w)
	return nil
}

func (r *policyReader) group(name, count string, names []string) error {
	q := &quorum{name: name}
	switch count {
	case "any":
		q.n = 1
	case "all":
		q.n = len(names)
	default:
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > len(names) || strconv.Itoa(n) != count {
			return fmt.Errorf("group %s: %s of %d", name, count, len(names))
		}
		q.n = n
	}
	for _, m := range names {
		member := r.named[m]
		if member == nil || r.used[m] {
			return fmt.Errorf("group %s: member %q is not defined above, or is in a group already", name, m)
		}
		r.used[m] = true
		q.members = append(q.members, member)
	}
	return r.define(name, q)
}

func (r *policyReader) define(name string, q *quorum) error {
	if name == "none" || r.named[name] != nil {
		return fmt.Errorf("name %q is taken", name)
	}
	r.named[name] = q
	return nil
}

// maxCosigned is the last second that RFC 3339 can say.
var maxCosigned = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// cosigned returns, by name, when each of the witnesses cosigned a checkpoint.
func (p logPolicy) cosigned(checkpoint []byte) map[string]time.Time {
	times := map[string]time.Time{}
	for _, w := range p.witnesses {
		n, err := note.Open(checkpoint, note.VerifierList(w.key))
		if err != nil {
			continue
		}
		at, err := fnote.CoSigV1Timestamp(n.Sigs[0])
		if err != nil || at.Before(time.Unix(0, 0)) || at.After(maxCosigned) {
			continue
		}
		times[w.name] = at.UTC()
	}
	return times
}

// check verifies that the quorum cosigned a checkpoint, and returns by when:
// for n of some members the n-th newest of their times, so that fewer
// witnesses than the quorum cannot make a release look younger. Without a
// quorum the time is zero.
func (p logPolicy) check(checkpoint []byte) (time.Time, error) {
	if p.quorum == nil {
		return time.Time{}, nil
	}
	times := p.cosigned(checkpoint)
	at, ok := p.quorum.at(times)
	if !ok {
		return at, fmt.Errorf("checkpoint: %w: %s", ErrWitness, p.quorum.missing(times))
	}
	return at, nil
}

func (q *quorum) at(times map[string]time.Time) (time.Time, bool) {
	if len(q.members) == 0 {
		t, ok := times[q.name]
		return t, ok
	}
	var list []time.Time
	for _, m := range q.members {
		if t, ok := m.at(times); ok {
			list = append(list, t)
		}
	}
	if len(list) < q.n {
		return time.Time{}, false
	}
	slices.SortFunc(list, func(a, b time.Time) int { return b.Compare(a) })
	return list[q.n-1], true
}

// missing says what a quorum lacks.
func (q *quorum) missing(times map[string]time.Time) string {
	if len(q.members) == 0 {
		return q.name + " did not cosign"
	}
	var names []string
	for _, m := range q.members {
		if _, ok := m.at(times); !ok {
			names = append(names, m.name)
		}
	}
	return fmt.Sprintf("%s: %d of %d, %d are needed; missing: %s",
		q.name, len(q.members)-len(names), len(q.members), q.n, strings.Join(names, ", "))
}
