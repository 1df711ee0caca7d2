package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/store"
)

// staleAfter is the age from which data come with a warning.
const staleAfter = 7 * 24 * time.Hour

var ageForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([mhdw])$`)

// parseAge reads an age: a number with m, h, d or w.
func parseAge(s string) (time.Duration, error) {
	m := ageForm.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("age %q: want a number with m, h, d or w", s)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("age %q: %w", s, err)
	}
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	return time.Duration(n * float64(unit)), nil
}

// olderThan names the sources that are held and were last fetched longer ago.
func (a *app) olderThan(db *store.DB, limit time.Duration) ([]string, error) {
	list, err := a.knownSources(db)
	if err != nil {
		return nil, err
	}
	var old []string
	for _, s := range list {
		if s.Documents == 0 {
			continue
		}
		t, err := time.Parse(time.RFC3339, s.FetchedAt)
		if err != nil {
			old = append(old, s.Name+" (never confirmed)")
		} else if age := a.now().Sub(t); age > limit {
			old = append(old, fmt.Sprintf("%s (%s)", s.Name, ageText(new(age.Hours()))))
		}
	}
	return old, nil
}

// warnStale says which sources were last fetched long ago.
func (a *app) warnStale(db *store.DB) error {
	old, err := a.olderThan(db, staleAfter)
	if len(old) > 0 {
		a.sayf("warning: old data: %s", strings.Join(old, ", "))
	}
	return err
}
