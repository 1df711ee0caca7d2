package normalize

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
)

const pkgsrc = "NetBSD:pkgsrc"

// errPkgsrcCut says that a signed list ends before its signature.
var errPkgsrcCut = errors.New("ends before its end")

// PkgVulnerabilities reads pkgsrc's list of vulnerable packages: lines of a
// package pattern, a type of exploit and an address. It may be signed in clear
// text (RFC 9580, section 7); the signature's armor is read over and not
// verified.
//
// The list has no IDs. A line is about the CVE that its address names,
// NETBSD-CVE-…; an address that names none is NETBSD-<the first 16 hex digits
// of its SHA-256>, one record of all lines with it. A line of type "eol" is a
// statement (end of life), no range. The type stands in ecosystem_specific.
//
// Patterns are those of pkg_info(1): alternatives in braces, one or two
// bounds (foo>=1<1.2nb3), "-[0-9]*" for every version, or one version. Other
// wildcards in a version cannot be a range: the line is reported.
//
// A list without its #FORMAT line, or of another format than 1, is an error, so
// is one without #CHECKSUM or its signature's end: it is not the whole.
func PkgVulnerabilities(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	p := &pkgsrcList{doc: d, emit: emit}
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), 1<<20)
	for lines.Scan() {
		p.at++
		if err := p.line(strings.TrimRight(lines.Text(), "\r")); err != nil {
			return fmt.Errorf("line %d: %w", p.at, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", p.at+1, err)
	}
	return p.end()
}

type pkgsrcList struct {
	doc  Doc
	emit func(*Record) error
	at   int // line, from 1

	signed, header, armor, over bool // of the signature
	format, checksum            bool
}

func (p *pkgsrcList) report(rule, message string) {
	p.doc.report(Finding{Place: fmt.Sprintf("line %d", p.at), Rule: rule, Message: message})
}

func (p *pkgsrcList) line(line string) error {
	switch {
	case line == "-----BEGIN PGP SIGNED MESSAGE-----":
		p.signed, p.header = true, true
		return nil
	case p.header:
		p.header = line != ""
		return nil
	case line == "-----BEGIN PGP SIGNATURE-----":
		p.armor = true
		return nil
	case line == "-----END PGP SIGNATURE-----":
		p.armor, p.over = false, true
		return nil
	case p.armor:
		return nil
	}
	if p.signed {
		line = strings.TrimPrefix(line, "- ")
	}
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case strings.HasPrefix(line, "#FORMAT "):
		p.format = true
		if !strings.HasPrefix(line, "#FORMAT 1.") {
			return fmt.Errorf("%.40q: another format than 1", line)
		}
		return nil
	case strings.HasPrefix(line, "#CHECKSUM "):
		p.checksum = true
		return nil
	case line[0] == '#':
		return nil
	case !p.format:
		return fmt.Errorf("%.40q where #FORMAT is expected", line)
	}
	return p.entry(line)
}

func (p *pkgsrcList) end() error {
	switch {
	case !p.format:
		return fmt.Errorf("line %d: no #FORMAT", p.at)
	case !p.checksum:
		return fmt.Errorf("line %d: no #CHECKSUM: %w", p.at, errPkgsrcCut)
	case p.signed && !p.over:
		return fmt.Errorf("line %d: no signature: %w", p.at, errPkgsrcCut)
	}
	return nil
}

// entry reads a line of the list.
func (p *pkgsrcList) entry(line string) error {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		p.report("unreadable-entry", fmt.Sprintf("%.80q", line))
		return nil
	}
	pattern, kind, url := fields[0], fields[1], fields[2]
	all, err := expandBraces(pattern)
	if err != nil {
		p.report("bad-pattern", fmt.Sprintf("%s: %v", pattern, err))
		return nil
	}
	r := &Record{ID: "NETBSD-" + pkgsrcID(url), Summary: kind}
	if id := bodhiCVE.FindString(url); id != "" {
		r.Upstream = []string{strings.ToUpper(id)}
	}
	if isURI(url) {
		r.References = []Reference{{Type: "WEB", URL: url}}
	}
	for _, one := range all {
		if err := p.pattern(r, one, kind); err != nil {
			p.report("bad-pattern", fmt.Sprintf("%s: %v", one, err))
		}
	}
	if len(r.Affected) == 0 && len(r.DatabaseSpecific) == 0 {
		return nil
	}
	return p.emit(r)
}

// pkgsrcID is what of an ID follows its prefix.
func pkgsrcID(url string) string {
	if id := bodhiCVE.FindString(url); id != "" {
		return strings.ToUpper(id)
	}
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:8])
}

// pattern adds what one pattern, without braces, says.
func (p *pkgsrcList) pattern(r *Record, pattern, kind string) error {
	name, iv, err := pkgsrcInterval(pattern)
	if err != nil {
		return err
	}
	if kind == "eol" {
		return r.AddStatements(Statement{Ecosystem: pkgsrc, Package: name, Status: EndOfLife, Detail: pattern})
	}
	specific, err := json.Marshal(map[string]string{"type": kind}, encodeOptions)
	if err != nil {
		return err
	}
	r.Affected = append(r.Affected, Affected{
		Package:           Package{Ecosystem: pkgsrc, Name: name},
		EcosystemSpecific: specific,
		Ranges:            Ranges(Ecosystem, pkgsrc, []Interval{iv}),
	})
	return nil
}

var (
	errPkgsrcGlob  = errors.New("a wildcard that is no range")
	errPkgsrcBound = errors.New("bounds that make no range")
)

// pkgsrcInterval reads a pattern without braces.
func pkgsrcInterval(pattern string) (name string, iv Interval, err error) {
	iv.Introduced = "0"
	if i := strings.IndexAny(pattern, "<>"); i >= 0 {
		name, err = pattern[:i], iv.pkgsrcBounds(pattern[i:])
	} else if base, ok := strings.CutSuffix(pattern, "-[0-9]*"); ok {
		name = base
	} else if base, ok := strings.CutSuffix(pattern, "-*"); ok {
		name = base
	} else if i := strings.LastIndexByte(pattern, '-'); i > 0 && i+1 < len(pattern) {
		name, iv = pattern[:i], Interval{Introduced: pattern[i+1:], LastAffected: pattern[i+1:]}
	}
	switch {
	case err != nil:
	case name == "":
		err = errors.New("no name and version")
	case strings.ContainsAny(name+iv.Introduced+iv.end(), "*?[]"):
		err = errPkgsrcGlob
	}
	return name, iv, err
}

// pkgsrcBounds reads ">=1<1.2nb3".
func (iv *Interval) pkgsrcBounds(s string) error {
	for s != "" {
		op := s[:1]
		if strings.HasPrefix(s[1:], "=") {
			op = s[:2]
		}
		s = s[len(op):]
		end := strings.IndexAny(s, "<>")
		if end < 0 {
			end = len(s)
		}
		version := s[:end]
		s = s[end:]
		lower := op[0] == '>'
		if version == "" || lower && iv.Introduced != "0" || !lower && iv.end() != "" {
			return errPkgsrcBound
		}
		switch op {
		case "<":
			iv.Fixed = version
		case "<=":
			iv.LastAffected = version
		case ">=":
			iv.Introduced = version
		default:
			iv.Introduced = nextPkgsrc(version)
		}
	}
	return nil
}

// nextPkgsrc returns the version just above one: its next PKGREVISION, which
// is a whole number and compares last.
func nextPkgsrc(version string) string {
	i := strings.LastIndex(version, "nb")
	if i < 0 || !isNumber(version[i+2:]) {
		return version + "nb1"
	}
	return version[:i+2] + incrementDigits(version[i+2:])
}

// maxBraces bounds what the braces of one pattern may expand to.
const maxBraces = 1000

// expandBraces expands {a,b{c,d}} as csh does.
func expandBraces(s string) ([]string, error) {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		if strings.ContainsRune(s, '}') {
			return nil, errors.New("a brace is not opened")
		}
		return []string{s}, nil
	}
	parts, rest, err := braceParts(s[open+1:])
	if err != nil {
		return nil, err
	}
	var out []string
	for _, part := range parts {
		more, err := expandBraces(s[:open] + part + rest)
		if err != nil {
			return nil, err
		}
		if out = append(out, more...); len(out) > maxBraces {
			return nil, errors.New("too many alternatives")
		}
	}
	return out, nil
}

// braceParts splits what follows an open brace at the commas of its level.
func braceParts(s string) (parts []string, rest string, err error) {
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case ',':
			if depth == 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		case '}':
			if depth == 0 {
				return append(parts, s[start:i]), s[i+1:], nil
			}
			depth--
		}
	}
	return nil, "", fmt.Errorf("a brace is not closed: %w", io.ErrUnexpectedEOF)
}
