package normalize

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
)

// EPSS reads one day's table of the Exploit Prediction Scoring System. Each
// record has the CVE as its ID and nothing but DatabaseSpecific:
// {"date", "epss", "model", "percentile"}, of which a table may lack all but
// epss. Scores are probabilities, 0 to 1.
//
// The table has had three forms: until 2021-08-31 without percentile, until
// 2022-02-03 without the comment line that names model and date (the date is
// then taken from the document's name), and since then with both.
//
// Source: https://www.first.org/epss/data_stats.
func EPSS(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	p := &epssTable{doc: d, emit: emit, lines: bufio.NewReaderSize(body, 64<<10), date: epssDay.FindString(d.Name)}
	for {
		line, err := p.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = p.line(line)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !p.header:
		return fmt.Errorf("line %d: no header", p.at)
	case p.rows == 0:
		return fmt.Errorf("line %d: no rows", p.at)
	}
	return nil
}

var epssDay = lazyregexp.New(`20\d\d-[01]\d-[0-3]\d`)

type epssTable struct {
	doc   Doc
	emit  func(*Record) error
	lines *bufio.Reader
	at    int // line, from 1

	header      bool
	columns     [3]int // of cve, epss and percentile; -1 where the table has none
	date, model string
	rows        int

	head, middle []byte // the members before and behind epss
}

var epssColumns = [3]string{"cve", "epss", "percentile"}

// next returns the next line without its end; it is valid until the next call.
func (p *epssTable) next() (string, error) {
	line, err := p.lines.ReadSlice('\n')
	p.at++
	switch {
	case err == bufio.ErrBufferFull:
		return "", fmt.Errorf("line %d: longer than 64 KiB", p.at)
	case err == io.EOF && len(line) == 0:
		p.at--
		return "", io.EOF
	case err != nil && err != io.EOF:
		return "", fmt.Errorf("line %d: %w", p.at, err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func (p *epssTable) line(line string) error {
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case line[0] == '#':
		if p.header {
			return fmt.Errorf("line %d: comment behind the header: another table follows", p.at)
		}
		p.comment(line[1:])
		return nil
	case isEPSSHeader(line):
		if p.header {
			return fmt.Errorf("line %d: header again: another table follows", p.at)
		}
		return p.readHeader(line)
	case !p.header:
		return fmt.Errorf("line %d: header expected, %.40q found", p.at, line)
	}
	return p.row(line)
}

// comment reads "model_version:v…,score_date:…".
func (p *epssTable) comment(line string) {
	for field := range strings.SplitSeq(line, ",") {
		name, value, _ := strings.Cut(field, ":")
		switch strings.TrimSpace(name) {
		case "model_version":
			p.model = strings.TrimSpace(value)
		case "score_date":
			if day := epssDay.FindString(value); day != "" {
				p.date = day
			}
		}
	}
}

func isEPSSHeader(line string) bool {
	name, _, _ := strings.Cut(line, ",")
	return strings.EqualFold(strings.TrimSpace(name), "cve")
}

func (p *epssTable) readHeader(line string) error {
	p.header, p.columns = true, [3]int{-1, -1, -1}
	for i, name := range strings.Split(line, ",") {
		known := false
		for j, want := range epssColumns {
			if strings.EqualFold(strings.TrimSpace(name), want) {
				p.columns[j], known = i, true
			}
		}
		if !known {
			p.doc.report(Finding{Place: fmt.Sprintf("line %d", p.at), Rule: "unknown-column", Message: name})
		}
	}
	if p.columns[1] < 0 {
		return fmt.Errorf("line %d: no column epss in %.80q", p.at, line)
	}
	p.head = append(p.head, '{')
	if p.date != "" {
		p.head = append(appendString(append(p.head, `"date":`...), p.date), ',')
	}
	p.head = append(p.head, `"epss":`...)
	if p.model != "" {
		p.middle = appendString(append(p.middle, `,"model":`...), p.model)
	}
	if p.columns[2] >= 0 {
		p.middle = append(p.middle, `,"percentile":`...)
	}
	return nil
}

func (p *epssTable) row(line string) error {
	var field [3]string
	n := 0
	for f := range strings.SplitSeq(line, ",") {
		for j, at := range p.columns {
			if at == n {
				field[j] = strings.TrimSpace(f)
			}
		}
		n++
	}
	facts, err := p.facts(field)
	if err != nil {
		p.doc.report(Finding{Place: fmt.Sprintf("line %d", p.at), Rule: "bad-row", Message: fmt.Sprintf("%v: %.80q", err, line)})
		return nil
	}
	p.rows++
	return p.emit(&Record{ID: field[0], DatabaseSpecific: facts})
}

// facts writes the object of a row, canonical (RFC 8785).
func (p *epssTable) facts(field [3]string) ([]byte, error) {
	if !isCVE(field[0]) {
		return nil, fmt.Errorf("%q is no CVE ID", field[0])
	}
	b, err := appendScore(append(make([]byte, 0, len(p.head)+len(p.middle)+32), p.head...), field[1])
	if err != nil {
		return nil, fmt.Errorf("epss: %w", err)
	}
	b = append(b, p.middle...)
	if p.columns[2] >= 0 {
		if b, err = appendScore(b, field[2]); err != nil {
			return nil, fmt.Errorf("percentile: %w", err)
		}
	}
	return append(b, '}'), nil
}

func appendString(b []byte, s string) []byte {
	v, err := json.Marshal(s, encodeOptions)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, v...)
}

// appendScore appends a number from 0 to 1 as RFC 8785 writes it.
func appendScore(b []byte, s string) ([]byte, error) {
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || strings.ContainsAny(s, "xX_"):
		return nil, fmt.Errorf("%q is no number", s)
	case math.IsNaN(v) || v < 0 || v > 1:
		return nil, fmt.Errorf("%s is not within 0 and 1", s)
	case v == 0:
		return append(b, '0'), nil
	case v >= 1e-6:
		return strconv.AppendFloat(b, v, 'f', -1, 64), nil
	}
	small, err := json.Marshal(v)
	return append(b, small...), err
}
