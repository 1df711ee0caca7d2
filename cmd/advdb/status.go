package main

import (
	"errors"
	"fmt"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) statusCommand() *cobra.Command {
	var fail []string
	c := &cobra.Command{
		Use:   "status",
		Short: "Say what is held and how old it is, and fail if it is too old",
		Long: `Status prints the release that the database stands for, if it is a replica, and
how long ago each source behind it was last confirmed to be current.

--fail-if NAME>AGE fails when a source is older: AGE is a number with m, h, d
or w. The name "db" stands for the whole: the release of a replica, else the
source that was confirmed last. A source that was never fetched is older than
anything. It may be given several times.

With --json one object: origin, version, time, age_hours, stale, only, records,
sources (name, fetched_at, age_hours, newest, status), failed.
` + exitHelp + "\n     (1: a --fail-if holds)",
		Example: `  advdb status
  advdb status --fail-if 'nvd>36h' --fail-if 'db>7d'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.status(fail) },
	}
	c.Flags().StringArrayVar(&fail, "fail-if", nil, "NAME>AGE that must not be")
	return c
}

// sourceAge is how old what is held of a source is.
type sourceAge struct {
	Name      string   `json:"name"`
	FetchedAt string   `json:"fetched_at,omitempty"`
	AgeHours  *float64 `json:"age_hours"` // null: never fetched
	Newest    string   `json:"newest,omitempty"`
	Status    string   `json:"status"`
}

// statusReport is what status --json prints.
type statusReport struct {
	Origin   string      `json:"origin,omitempty"`
	Version  uint64      `json:"version"`
	Time     string      `json:"time,omitempty"`
	AgeHours *float64    `json:"age_hours"`
	Stale    string      `json:"stale,omitempty"`
	Only     []string    `json:"only,omitempty"`
	Records  int         `json:"records"`
	Sources  []sourceAge `json:"sources"`
	Failed   []string    `json:"failed"`
}

func (a *app) status(fail []string) error {
	limits, err := parseLimits(fail)
	if err != nil {
		return err
	}
	rep, err := a.readStatus()
	if err != nil {
		return err
	}
	rep.Failed = []string{}
	for _, l := range limits {
		age, known := rep.age(l.name)
		if !known {
			return usagef("--fail-if %s: no such source", l.text)
		}
		if age == nil || *age > l.hours {
			rep.Failed = append(rep.Failed, l.text)
		}
	}
	if err := a.printStatus(rep); err != nil {
		return err
	}
	if len(rep.Failed) > 0 {
		return errBad
	}
	return nil
}

type ageLimit struct {
	text, name string
	hours      float64
}

var limitForm = regexp.MustCompile(`^\s*([a-z0-9][a-z0-9._-]*)\s*>\s*(\S+)\s*$`)

func parseLimits(list []string) ([]ageLimit, error) {
	var out []ageLimit
	for _, s := range list {
		m := limitForm.FindStringSubmatch(s)
		if m == nil {
			return nil, usagef("--fail-if %q: want NAME>AGE such as nvd>36h", s)
		}
		age, err := parseAge(m[2])
		if err != nil {
			return nil, usagef("--fail-if %q: %v", s, err)
		}
		out = append(out, ageLimit{s, m[1], age.Hours()})
	}
	return out, nil
}

// age returns the age of a source, or of the whole.
func (r *statusReport) age(name string) (hours *float64, known bool) {
	if name == "db" {
		return r.AgeHours, true
	}
	for _, s := range r.Sources {
		if s.Name == name {
			return s.AgeHours, true
		}
	}
	return nil, false
}

func (a *app) readStatus() (*statusReport, error) {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rep := &statusReport{Records: db.Meta().Records}
	held, err := snapshot.ReadHeld(db)
	if err != nil {
		return nil, err
	}
	list, err := a.knownSources(db)
	if err != nil {
		return nil, err
	}
	now, latest := a.now(), ""
	for _, s := range list {
		rep.Sources = append(rep.Sources, sourceAge{s.Name, s.FetchedAt, hoursSince(now, s.FetchedAt), s.Newest, s.Status})
		latest = max(latest, s.FetchedAt)
	}
	rep.Time = latest
	if held != nil {
		rep.Origin, rep.Version, rep.Time, rep.Stale, rep.Only = held.Origin, held.Version, held.Attested, held.Stale, held.Only
	}
	rep.AgeHours = hoursSince(now, rep.Time)
	return rep, nil
}

// hoursSince is how long ago an RFC 3339 time was, nil for none.
func hoursSince(now time.Time, at string) *float64 {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil
	}
	h := now.Sub(t).Hours()
	return &h
}

func (a *app) printStatus(r *statusReport) error {
	if a.json {
		return a.printJSON(r)
	}
	var err error
	if r.Origin != "" {
		_, err = fmt.Fprintf(a.stdout, "release %d of %s, %s, %s old\n", r.Version, r.Origin, r.Time, ageText(r.AgeHours))
	}
	if r.Stale != "" {
		fmt.Fprintf(a.stdout, "accepted although too old: %s\n", r.Stale)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, s := range r.Sources {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, s.Status, ageText(s.AgeHours))
	}
	err = errors.Join(err, w.Flush())
	for _, f := range r.Failed {
		fmt.Fprintf(a.stdout, "failed: %s\n", f)
	}
	return err
}

func ageText(hours *float64) string {
	switch {
	case hours == nil:
		return "never"
	case *hours < 48:
		return fmt.Sprintf("%.1f hours", *hours)
	}
	return fmt.Sprintf("%.1f days", *hours/24)
}
