package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
)

// A knownAnswer is a question whose answer is known: what the database says of
// it is compared before a release is signed. See docs/known-answers.md.
type knownAnswer struct {
	Purl      string `json:"purl"`
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version"`

	// IDs of records, or IDs that records name as theirs.
	Affected    []string `json:"affected"`
	NotAffected []string `json:"not_affected"`
	Unknown     []string `json:"unknown"`

	line     int
	question query.Question
}

// maxKnownLine is how long a line of known answers may be, in bytes.
const maxKnownLine = 1 << 20

// readKnownAnswers reads a file of one JSON object a line; empty lines and
// those that begin with # say nothing.
func readKnownAnswers(path string) (list []knownAnswer, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, maxKnownLine)
	for n := 1; sc.Scan(); n++ {
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		k := knownAnswer{line: n}
		if err := k.decode(line); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		list = append(list, k)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no questions", path)
	}
	return list, nil
}

func (k *knownAnswer) decode(line []byte) (err error) {
	if err := json.Unmarshal(line, k, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	switch {
	case len(k.Affected)+len(k.NotAffected)+len(k.Unknown) == 0:
		return errors.New("no answer: affected, not_affected or unknown")
	case k.Purl != "" && k.Ecosystem+k.Name+k.Version != "":
		return errors.New("a purl, or ecosystem, name and version")
	case k.Purl != "":
		k.question, err = query.ParsePurl(k.Purl)
	default:
		k.question = query.Question{Ecosystem: k.Ecosystem, Name: k.Name, Version: k.Version}
	}
	if err == nil && (k.question.Ecosystem == "" || k.question.Name == "" || k.question.Version == "") {
		err = errors.New("a package and its version are needed")
	}
	return err
}

func (k *knownAnswer) String() string {
	return cmp.Or(k.Purl, k.Ecosystem+"/"+k.Name+"@"+k.Version)
}

// checkKnownAnswers returns which of the answers the database gives otherwise.
func checkKnownAnswers(ctx context.Context, db *store.DB, path string, list []knownAnswer) error {
	var errs []error
	for _, k := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := k.check(db); err != nil {
			errs = append(errs, fmt.Errorf("%s: line %d: %s: %w", path, k.line, &k, err))
		}
	}
	return errors.Join(errs...)
}

// check compares one answer.
func (k *knownAnswer) check(db *store.DB) error {
	a, err := query.Package(db, k.question)
	if err != nil {
		return err
	}
	if !a.Covered() {
		return fmt.Errorf("there is no data of %s", k.question.Ecosystem)
	}
	var errs []error
	for _, want := range []struct {
		ids     []string
		verdict versioncmp.Verdict
	}{{k.Affected, versioncmp.Affected}, {k.NotAffected, versioncmp.NotAffected}, {k.Unknown, versioncmp.Unknown}} {
		for _, id := range want.ids {
			got, err := verdictOf(db, &a, id)
			if err == nil && got != want.verdict {
				err = fmt.Errorf("%s: %s, want %s", id, got, want.verdict)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// verdictOf is what an answer says of the records of an ID: affected if one
// says so, else unknown if one does. An ID of which nothing is held is an
// error: "not affected" must not mean "had no data".
func verdictOf(db *store.DB, a *query.Answer, id string) (versioncmp.Verdict, error) {
	known, err := query.ID(db, id)
	if err != nil {
		return 0, err
	}
	var ids []string
	if known.Record != nil {
		ids = append(ids, id)
	}
	for _, l := range known.Links {
		if l.Alias || l.Upstream {
			ids = append(ids, l.ID)
		}
	}
	if len(ids) == 0 {
		return 0, fmt.Errorf("%s: no record has or names it", id)
	}
	verdict := versioncmp.NotAffected
	for _, f := range a.Findings {
		if !slices.Contains(ids, f.ID) {
			continue
		}
		switch f.Verdict {
		case versioncmp.Affected:
			return f.Verdict, nil
		case versioncmp.Unknown:
			verdict = f.Verdict
		}
	}
	return verdict, nil
}

// answers returns the gate of a file of known answers, nil for no file.
func (o *publishOptions) answers(db *store.DB) (func(context.Context) error, error) {
	if o.known == "" {
		return nil, nil
	}
	list, err := readKnownAnswers(o.known)
	if err != nil {
		return nil, usageError{fmt.Errorf("--known-answers: %s", strings.TrimPrefix(err.Error(), "open "))}
	}
	return func(ctx context.Context) error { return checkKnownAnswers(ctx, db, o.known, list) }, nil
}
