package watch

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// feedEntries is how many events a feed has.
const feedEntries = 200

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Entries []atomEntry `xml:"entry"`
}

type atomEntry struct {
	ID       string     `xml:"id"`
	Title    string     `xml:"title"`
	Updated  string     `xml:"updated"`
	Category []atomTerm `xml:"category"`
	Content  atomText   `xml:"content"`
}

type atomTerm struct {
	Term string `xml:"term,attr"`
}

type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// WriteAtom writes the last events as an Atom feed, the newest first. id is
// the feed's own, an IRI that stays.
//
// Source: RFC 4287.
func (v *Inventory) WriteAtom(w io.Writer, id string, now time.Time) error {
	events, err := v.Recent(feedEntries)
	if err != nil {
		return err
	}
	feed := atomFeed{ID: id, Title: "advdb: findings", Updated: now.UTC().Format(time.RFC3339), Author: "advdb"}
	if len(events) > 0 {
		feed.Updated = events[0].Time
	}
	for _, e := range events {
		feed.Entries = append(feed.Entries, atomEntry{
			ID: id + "#" + e.ID, Title: e.title(), Updated: e.Time,
			Category: []atomTerm{{e.Kind}, {e.Finding.Severity.String()}},
			Content:  atomText{"text", e.text()},
		})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	return xml.NewEncoder(w).Encode(feed)
}

// title is an event on one line.
func (e *Event) title() string {
	return fmt.Sprintf("%s: %s in %s (%s)", e.Kind, e.Finding.Vulnerability, e.Component.Name+" "+e.Component.Version, e.SBOM)
}

// text says what there is to know of an event.
func (e *Event) text() string {
	f := &e.Finding
	lines := []string{f.Summary, "verdict: " + f.Verdict, "severity: " + f.Severity.String(), "records: " + strings.Join(f.Records, " ")}
	if len(f.Fixed) > 0 {
		lines = append(lines, "fixed: "+strings.Join(f.Fixed, ", "))
	}
	if len(f.Exploited) > 0 {
		lines = append(lines, "exploited according to: "+strings.Join(f.Exploited, " "))
	}
	if len(e.Fields) > 0 {
		lines = append(lines, "changed: "+strings.Join(e.Fields, ", "))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
