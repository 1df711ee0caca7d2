package normalize

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// maxListLine bounds a line of an advisory list; the longest real one, a
// kernel advisory's CVE list, has 5 KB.
const maxListLine = 1 << 20

// advisoryList reads Debian's DSA and DLA lists:
//
//	[29 Mar 2023] DSA-5380-1 xorg-server - security update
//		{CVE-2023-1393}
//		[bullseye] - xorg-server 2:1.20.11-1+deb11u6
//		NOTE: free text
//
// In place of a version stand <not-affected> (a statement), <unfixed> (open),
// <end-of-life>, <ignored>, <no-dsa> and <postponed> (open, and a statement),
// <undetermined> (a statement). A regression update (DSA-5356-2) mostly has no
// CVE list: none is made up, but it is related to the first (DSA-5356-1).
//
// Format: https://security-team.debian.org/security_tracker.html.
type advisoryList struct {
	doc     Doc
	emit    func(*Record) error
	unknown map[string]bool // codenames reported

	line     int
	advisory *listedAdvisory
	count    int
}

type listedAdvisory struct {
	record     *Record
	fixed      map[packageName][]Interval
	statements []Statement
	notes      []string
}

// A packageName is a package without what else a Package may say.
type packageName struct{ ecosystem, name string }

func (p packageName) compare(q packageName) int {
	return cmp.Or(strings.Compare(p.ecosystem, q.ecosystem), strings.Compare(p.name, q.name))
}

func (p *advisoryList) parse() error {
	s := bufio.NewScanner(p.doc.Body)
	s.Buffer(make([]byte, 0, 64<<10), maxListLine)
	for s.Scan() {
		p.line++
		line := strings.ToValidUTF8(s.Text(), "\uFFFD")
		if p.line == 1 {
			line = strings.TrimPrefix(line, string(byteOrderMark))
		}
		if err := p.read(line); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("line %d: %w", p.line+1, err)
	}
	if err := p.flush(); err != nil {
		return err
	}
	if p.count == 0 {
		return fmt.Errorf("line %d: %w", p.line, ErrEmpty)
	}
	return nil
}

func (p *advisoryList) read(line string) error {
	body := strings.TrimSpace(line)
	switch {
	case body == "":
		return nil
	case line[0] == '[':
		return p.header(body)
	case line[0] != ' ' && line[0] != '\t' && p.count == 0 && p.advisory == nil:
		return fmt.Errorf("line %d: no advisory list: %.40q", p.line, body)
	case p.advisory == nil:
		p.report("unreadable-line", body)
		return nil
	}
	return p.detail(body)
}

func (p *advisoryList) report(rule, message string) {
	p.doc.report(Finding{Place: fmt.Sprintf("line %d", p.line), Rule: rule, Message: message})
}

// listHeader takes a header apart: date, ID, title.
var listHeader = lazyregexp.New(`^\[([0-9]{1,2} [A-Z][a-z]{2} [0-9]{4})\] +((?:DSA|DLA|DTSA|ELA)-[0-9]+(?:-[0-9]+)?)(?: +(.*))?$`)

// header starts a new advisory. A header that cannot be read is reported, and
// the lines that belong to it are left out with it.
func (p *advisoryList) header(line string) error {
	if err := p.flush(); err != nil {
		return err
	}
	m := listHeader.FindStringSubmatch(line)
	if m == nil {
		p.report("unreadable-line", line)
		return nil
	}
	published, err := time.Parse("2 Jan 2006", m[1])
	if err != nil {
		p.report("unreadable-line", line)
		return nil
	}
	id := m[2]
	r := &Record{
		ID:         id,
		Summary:    strings.Join(strings.Fields(m[3]), " "),
		Published:  published.Format(time.RFC3339),
		References: []Reference{{Type: "ADVISORY", URL: "https://security-tracker.debian.org/tracker/" + id}},
	}
	if first := firstIssue(id); first != id {
		r.Related = []string{first}
	}
	p.advisory = &listedAdvisory{record: r, fixed: map[packageName][]Interval{}}
	return nil
}

// firstIssue returns the ID of the advisory that id is an update of, id
// itself where it is the first: DSA-5356-1 of DSA-5356-2.
func firstIssue(id string) string {
	if strings.Count(id, "-") < 2 {
		return id
	}
	return id[:strings.LastIndexByte(id, '-')] + "-1"
}

func (p *advisoryList) detail(line string) error {
	switch {
	case strings.HasPrefix(line, "NOTE:"):
		p.advisory.notes = append(p.advisory.notes, strings.TrimSpace(line[len("NOTE:"):]))
	case line[0] == '{' && strings.HasSuffix(line, "}"):
		p.issues(strings.Fields(line[1 : len(line)-1]))
	case line[0] == '[':
		p.release(line)
	default:
		p.report("unreadable-line", line)
	}
	return nil
}

func (p *advisoryList) issues(ids []string) {
	r := p.advisory.record
	for _, id := range ids {
		switch {
		case isCVE(id):
			r.Upstream = addOnce(r.Upstream, id)
		case isAdvisoryID(id) && !strings.HasPrefix(id, "CVE"):
			r.Related = addOnce(r.Related, id)
		default:
			p.report("unusable-id", fmt.Sprintf("%s: %q", r.ID, id))
		}
	}
}

// listRelease takes "[bullseye] - xen 4.14.5-1 (medium)" apart: codename,
// package, version or status, note.
var listRelease = lazyregexp.New(`^\[([a-z]+)\] +- +(\S+) +(<[a-z-]+>|[^\s<(]\S*)(?: +\((.*)\))?$`)

func (p *advisoryList) release(line string) {
	m := listRelease.FindStringSubmatch(line)
	if m == nil {
		p.report("unreadable-line", line)
		return
	}
	eco, ok := debianEcosystem(m[1])
	if !ok && !p.unknown[m[1]] {
		p.unknown[m[1]] = true
		p.report("unknown-release", m[1]+" is kept as "+eco)
	}
	p.advisory.add(packageName{eco, m[2]}, m[3], m[4], func() { p.report("unknown-status", line) })
}

// listStatuses says what stands for a version: the statement it makes, and
// whether the package is affected without a fix.
var listStatuses = map[string]struct {
	status string
	open   bool
}{
	"<unfixed>":      {"", true},
	"<not-affected>": {NotAffected, false},
	"<undetermined>": {UnderInvestigation, false},
	"<end-of-life>":  {EndOfLife, true},
	"<no-dsa>":       {NoAdvisory, true},
	"<postponed>":    {Postponed, true},
	"<ignored>":      {WillNotFix, true},
}

func (a *listedAdvisory) add(pkg packageName, version, note string, unknown func()) {
	if version[0] != '<' {
		a.fixed[pkg] = append(a.fixed[pkg], Interval{Introduced: "0", Fixed: version})
		return
	}
	s, ok := listStatuses[version]
	if !ok {
		unknown()
		return
	}
	if s.open {
		a.fixed[pkg] = append(a.fixed[pkg], Interval{Introduced: "0"})
	}
	if s.status != "" {
		a.statements = append(a.statements,
			Statement{Ecosystem: pkg.ecosystem, Package: pkg.name, Status: s.status, Detail: note})
	}
}

// flush emits the advisory that has been read.
func (p *advisoryList) flush() error {
	if p.advisory == nil {
		return nil
	}
	a := p.advisory
	p.advisory = nil
	p.count++
	r := a.record
	for _, pkg := range slices.SortedFunc(maps.Keys(a.fixed), packageName.compare) {
		r.Affected = append(r.Affected, Affected{
			Package: Package{Ecosystem: pkg.ecosystem, Name: pkg.name},
			Ranges:  Ranges(Ecosystem, pkg.ecosystem, a.fixed[pkg]),
		})
	}
	if err := r.AddStatements(a.statements...); err != nil {
		return fmt.Errorf("%s: %w", r.ID, err)
	}
	if len(a.notes) > 0 {
		if err := r.SetSpecific(map[string]any{"notes": a.notes}); err != nil {
			return fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	return p.emit(r)
}
