package store

import "github.com/advdb/advdb/normalize"

// A Feed is what the store must know of a source to parse its documents.
type Feed struct {
	Name    string
	Version int  // documents parsed with another one are due again
	Enrich  bool // fills a table of its own instead of records
	Parse   normalize.Parser
}

// An Outcome is what an update did for one source. The first numbers are
// totals, those below them what this update changed.
type Outcome struct {
	Source    string
	Documents int // live documents
	Parts     int // live parts, or rows of the enrichment table
	Findings  int // what parsers left out and what breaks a rule of OSV

	Parsed       int   // documents parsed
	Failed       int   // documents that did not parse: their last good parts are kept
	Bytes        int64 // bytes parsed
	PartsChanged int
	PartsGone    int
	Records      int // records that became otherwise through this source
	Err          error
}

// Sorters hold this much before they write a run; there is one of each kind
// for each source that is parsed at a time.
const (
	piecesLimit  = 16 << 20
	changesLimit = 24 << 20
	updatesLimit = 4 << 20
)

// A batch is what parsing the due documents of one source came to: nothing of
// it counts until it is committed.
type batch struct {
	feed    Feed
	out     Outcome
	changes *sorter // part key → op, see putPart and gonePart
	updates *sorter // bucket tag, document key → new value, empty to delete
	table   *sorter // of a feed that enriches: CVE → JSON, if any document was due
}

// Operations in batch.changes.
const (
	putDated   = 'd' // the record follows; it has a modified of its own
	putUndated = 'u' // the record follows; it is dated by the day of the change
	gonePart   = 'g'
)

// Tags of batch.updates, in the order in which they are written.
const (
	docTag     = 'd'
	findingTag = 'f'
	listTag    = 'l'
)

// open gives the batch its sorters, which write their runs to dir.
func (b *batch) open(dir string) {
	b.changes, b.updates = newSorter(dir, changesLimit), newSorter(dir, updatesLimit)
}

// empty drops all that was put into the batch.
func (b *batch) empty(dir string) {
	b.close()
	b.table = nil
	b.open(dir)
}

func (b *batch) close() {
	for _, s := range []*sorter{b.changes, b.updates, b.table} {
		if s != nil {
			s.close()
		}
	}
}

// docFindings is what is kept of the findings of one document.
type docFindings struct {
	Count int                 `json:"count"`
	First []normalize.Finding `json:"first"`
}

// keptFindings is how many findings of a document are kept to be shown.
const keptFindings = 20

func (f *docFindings) add(x normalize.Finding) {
	f.Count++
	if len(f.First) < keptFindings {
		f.First = append(f.First, x)
	}
}
