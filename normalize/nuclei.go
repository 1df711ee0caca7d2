package normalize

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
)

// Nuclei reads cves.json of the nuclei templates, which is JSON lines and no
// JSON: one template a line. Each record has a CVE as its ID and nothing but
// DatabaseSpecific: {"templates": [{"cvss_score", "name", "path",
// "severity"}]}. The score is a text in the file and may be "N/A"; it is left
// out then.
//
// Source: https://github.com/projectdiscovery/nuclei-templates, cves.json.
func Nuclei(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	lines := bufio.NewReaderSize(body, 64<<10)
	rows := exploitRows[templateEntry]{}
	read := 0
	for at := 1; ; at++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", at, err)
		}
		end := err == io.EOF
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var t templateLine
			uerr := json.Unmarshal(line, &t, decodeOptions)
			if id, ok := looseCVE(t.ID); uerr == nil && ok {
				read++
				rows.add([]string{id}, t.entry())
			} else if uerr != nil && end {
				return fmt.Errorf("line %d: %w", at, placed(uerr))
			} else {
				d.report(Finding{Place: fmt.Sprintf("line %d", at), Rule: "unreadable-entry", Message: fmt.Sprintf("%.80q", line)})
			}
		}
		if end {
			break
		}
	}
	if read == 0 {
		return fmt.Errorf("no template in it: %w", ErrNoID)
	}
	return rows.emit("templates", emit)
}

type templateLine struct {
	ID   string `json:"ID"`
	Path string `json:"file_path"`
	Info struct {
		Name           string `json:"Name"`
		Severity       string `json:"Severity"`
		Classification struct {
			Score string `json:"CVSSScore"`
		} `json:"Classification"`
	} `json:"Info"`
}

type templateEntry struct {
	Score    float64 `json:"cvss_score,omitzero"`
	Name     string  `json:"name,omitempty"`
	Path     string  `json:"path,omitempty"` // in the repository of the templates
	Severity string  `json:"severity,omitempty"`
}

func (t *templateLine) entry() templateEntry {
	e := templateEntry{Name: t.Info.Name, Path: t.Path, Severity: t.Info.Severity}
	if s, err := strconv.ParseFloat(t.Info.Classification.Score, 64); err == nil && s >= 0 && s <= 10 {
		e.Score = s
	}
	return e
}
