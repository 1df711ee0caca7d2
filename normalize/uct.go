package normalize

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// uctLine bounds a line, in bytes.
const uctLine = 1 << 20

// UbuntuCVETracker reads one file of Ubuntu's CVE tracker, in the form of
// RFC 822 headers: a field a line, continued on lines that begin with a blank.
// The record is that of Ubuntu's OSV, UBUNTU-CVE-2016-9131; here it has the
// releases too that have left the OSV.
//
// "xenial_bind9: released (1:9.10.3-8ubuntu1.4)" says of the source package
// bind9 in a release where it stands:
//
//   - released: fixed in the version. Without one it is reported.
//   - needed, pending, deferred: affected, without an end; deferred is a
//     statement too.
//   - ignored: a statement, by its note that the release's life has ended or
//     that it will not be fixed, and a range if the note says that it was
//     needed before.
//   - not-affected and needs-triage: statements.
//   - DNE, the package is not in the release: nothing.
//
// upstream_, devel_ and snap_ are no releases. Priority is the severity of type
// Ubuntu; Priority_bind9 is ecosystem_specific.priority of that package.
//
// Source: ubuntu-cve-tracker, README and cvelib.
func UbuntuCVETracker(d Doc, emit func(*Record) error) error {
	u := &uctFile{doc: d, record: &Record{}, priorities: map[string]string{}}
	if err := u.read(); err != nil {
		return err
	}
	switch u.record.ID {
	case "":
		return ErrNoID
	case uctUnnumbered:
		return nil
	}
	if err := u.finish(); err != nil {
		return err
	}
	return emit(u.record)
}

// uctUnnumbered is the ID of a file about what has no CVE yet: CVE-2006-NNN0.
const uctUnnumbered = "-"

// A uctFile is one file at work.
type uctFile struct {
	doc        Doc
	record     *Record
	priorities map[string]string // of packages
	statuses   []uctStatus
	statements []Statement
}

// A uctStatus is one line of a package in a release.
type uctStatus struct{ ecosystem, name, status, note string }

// read reads fields one by one.
func (u *uctFile) read() error {
	in := bufio.NewReaderSize(u.doc.Body, 64<<10)
	var name string
	var value []string
	for n := 1; ; n++ {
		line, err := readLine(in)
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if n == 1 {
			if terr := checkText(bytes.TrimPrefix([]byte(line), byteOrderMark)); terr != nil && (err == io.EOF || errors.Is(terr, ErrHTML)) {
				return terr
			}
		}
		switch key, rest, ok := strings.Cut(line, ":"); {
		case err == io.EOF && line == "":
			return u.field(name, value)
		case line == "" || line[0] == ' ' || line[0] == '\t':
			value = append(value, strings.TrimSpace(line))
		case line[0] == '#':
		case !ok:
			u.report(fmt.Sprintf("line %d", n), "unreadable-entry", fmt.Sprintf("%.80q", line))
		default:
			if ferr := u.field(name, value); ferr != nil {
				return ferr
			}
			name, value = key, []string{strings.TrimSpace(rest)}
		}
		if err == io.EOF {
			return u.field(name, value)
		}
	}
}

// readLine reads a line without its end. The last may lack one: then the
// error is io.EOF.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > uctLine {
			return "", errors.New("line too long")
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		return strings.TrimRight(strings.ToValidUTF8(string(line), "\ufffd"), "\r\n"), err
	}
}

func (u *uctFile) report(place, rule, message string) {
	u.doc.report(Finding{Place: place, Rule: rule, Message: message})
}

// field takes one field with all its lines.
func (u *uctFile) field(name string, value []string) error {
	if len(value) == 0 {
		return nil
	}
	r, first := u.record, value[0]
	switch name {
	case "Candidate":
		if !isCVE(first) {
			u.report(u.doc.Name, "bad-id", fmt.Sprintf("candidate %.40q", first))
			r.ID = uctUnnumbered
			return nil
		}
		r.ID, r.Upstream = "UBUNTU-"+first, []string{first}
	case "PublicDate":
		r.Published = u.date(first)
	case "Description":
		r.Details = strings.TrimSpace(strings.Join(value, "\n"))
	case "References", "Bugs":
		u.refer(name, value)
	case "Priority":
		if first != "" && first != "untriaged" {
			r.Severity = append(r.Severity, Severity{Type: "Ubuntu", Score: first})
		}
	case "CVSS":
		u.score(value)
	default:
		u.status(name, first)
	}
	return nil
}

// date reads "2017-01-12 06:59:00 UTC" and days.
func (u *uctFile) date(s string) string {
	for _, layout := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	if s != "" && s != "unknown" {
		u.report(u.record.ID, "bad-time", fmt.Sprintf("%.40q", s))
	}
	return ""
}

func (u *uctFile) refer(field string, value []string) {
	for _, url := range value {
		switch {
		case !isURI(url) || !strings.Contains(url, "://"):
		case field == "Bugs":
			u.record.References = append(u.record.References, Reference{Type: "REPORT", URL: url})
		default:
			u.record.References = append(u.record.References, Reference{Type: "WEB", URL: url})
		}
		if i := strings.LastIndex(url, "USN-"); i >= 0 && strings.Contains(url, "/notices/") {
			u.record.Related = addOnce(u.record.Related, url[i:])
		}
	}
}

// score takes the first vector: "nvd: CVSS:3.1/AV:N/… [7.5 HIGH]".
func (u *uctFile) score(value []string) {
	for _, line := range value {
		_, vector, _ := strings.Cut(line, ": ")
		vector, _, _ = strings.Cut(strings.TrimSpace(vector), " ")
		if cvss3Vector.MatchString(vector) {
			u.record.Severity = append(u.record.Severity, Severity{Type: "CVSS_V3", Score: vector})
			return
		}
	}
}

// status takes "xenial_bind9: released (…)" and "Priority_bind9: low".
// Patches_bind9 and Tags_bind9 are of no release.
func (u *uctFile) status(name, value string) {
	if pkg, ok := strings.CutPrefix(name, "Priority_"); ok {
		u.priorities[pkg] = value
		return
	}
	release, pkg, ok := strings.Cut(name, "_")
	if !ok || pkg == "" {
		return
	}
	eco, ok := ubuntuDistro(release)
	if !ok {
		return
	}
	n := strings.IndexFunc(value, func(r rune) bool { return r != '-' && (r < 'A' || r > 'z') })
	if n < 0 {
		n = len(value)
	}
	status, note := value[:n], strings.TrimSpace(value[n:])
	if note, ok = strings.CutPrefix(note, "("); ok {
		if end := strings.LastIndexByte(note, ')'); end >= 0 {
			note = note[:end]
		}
	}
	u.statuses = append(u.statuses, uctStatus{eco, pkg, status, strings.TrimSpace(note)})
}
