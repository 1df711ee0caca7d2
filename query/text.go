package query

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// ErrNoWords says that a search names no word.
var ErrNoWords = errors.New("no words to search for")

// A TextQuestion asks for records by words, all of which must occur in a
// record's ID or summary; case does not matter.
type TextQuestion struct {
	Words     string // separated by white space
	Details   bool   // look into the details too
	Withdrawn bool   // find withdrawn records too
	Limit     int    // of the hits returned; 0: 20
}

// A Hit is a record that holds the words.
type Hit struct {
	ID        string
	Summary   string // of a record without one, the first line of its details
	Modified  string // RFC 3339
	Withdrawn string // likewise, empty for most
	Score     int    // how well the words fit; only its order means something
}

// A TextAnswer is what a search found.
type TextAnswer struct {
	Hits  []Hit // the best first; of equal ones the lately modified first, then by ID
	Total int   // of which Hits has the first Limit
}

// Text searches the records from end to end; it keeps no index of words.
func Text(ctx context.Context, db *store.DB, q TextQuestion) (TextAnswer, error) {
	s := newSearch(q)
	if len(s.words) == 0 {
		return TextAnswer{}, ErrNoWords
	}
	n := 0
	err := db.Records("", func(id string, data []byte) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.may(id, data) {
			return nil
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		s.take(r)
		return nil
	})
	s.cut(s.limit)
	return TextAnswer{s.hits, s.total}, err
}

// A search is one question underway.
type search struct {
	TextQuestion
	words  []string // folded
	phrase string   // the words as they follow each other
	needle [][]byte // of each word the longest run of ASCII, for may
	limit  int
	low    []byte
	hits   []Hit
	total  int
}

func newSearch(q TextQuestion) *search {
	s := &search{TextQuestion: q, words: strings.Fields(fold(q.Words)), limit: cmp.Or(max(q.Limit, 0), 20)}
	s.phrase = strings.Join(s.words, " ")
	for _, w := range s.words {
		if run := asciiRun(w); run != "" {
			s.needle = append(s.needle, []byte(run))
		}
	}
	slices.SortFunc(s.needle, func(a, b []byte) int { return len(b) - len(a) })
	return s
}

// fold makes letters of one kind: two texts that differ in case alone are
// equal.
func fold(s string) string { return strings.ToLower(s) }

// asciiRun is the longest part of a word that reads in canonical JSON as it
// does here, whatever the case it is written in in ASCII.
func asciiRun(w string) string {
	best := ""
	for _, run := range strings.FieldsFunc(w, func(r rune) bool {
		return r >= utf8.RuneSelf || r < ' ' || r == '"' || r == '\\'
	}) {
		if len(run) > len(best) {
			best = run
		}
	}
	return best
}

// may reports whether a record in canonical JSON can hold the words at all. It
// is right when it says no, and cheap.
func (s *search) may(id string, data []byte) bool {
	if len(s.needle) == 0 {
		return true
	}
	if !s.Details {
		from := bytes.Index(data, []byte(`"summary":"`))
		if from < 0 {
			from = len(data)
		}
		data = data[from:]
	}
	s.low = appendLower(appendLower(s.low[:0], id), data)
	for _, n := range s.needle {
		if !bytes.Contains(s.low, n) {
			return false
		}
	}
	return true
}

// appendLower appends b with its ASCII letters in lower case.
func appendLower[T string | []byte](dst []byte, b T) []byte {
	n := len(dst)
	dst = append(dst, b...)
	for i, c := range dst[n:] {
		if 'A' <= c && c <= 'Z' {
			dst[n+i] = c | 0x20
		}
	}
	return dst
}

// take keeps a record that holds all words.
func (s *search) take(r *normalize.Record) {
	if r.Withdrawn != "" && !s.Withdrawn {
		return
	}
	score, ok := s.score(r)
	if !ok {
		return
	}
	s.total++
	s.hits = append(s.hits, Hit{r.ID, title(r), r.Modified, r.Withdrawn, score})
	if len(s.hits) >= 2*s.limit+1000 {
		s.cut(s.limit)
	}
}

// title is a record's summary, or the first line of its details.
func title(r *normalize.Record) string {
	if r.Summary != "" {
		return r.Summary
	}
	line, _, _ := strings.Cut(strings.TrimSpace(r.Details), "\n")
	return line
}

// score says how well a record fits: where each word stands (ID, summary,
// details), whether as a whole word, and whether all stand together.
func (s *search) score(r *normalize.Record) (score int, ok bool) {
	id, summary, details := fold(r.ID), fold(r.Summary), ""
	if s.Details {
		details = fold(r.Details)
	}
	for _, w := range s.words {
		best := 0
		if id == w {
			best = 100
		} else if strings.Contains(id, w) {
			best = 20
		}
		best = max(best, 10*occurs(summary, w), 2*occurs(details, w))
		if best == 0 {
			return 0, false
		}
		score += best
	}
	score *= 4
	if len(s.words) > 1 && strings.Contains(summary, s.phrase) {
		score += 40
	}
	return score, true
}

// occurs returns 2 where text has w as a word, 1 where within others, else 0.
func occurs(text, w string) int {
	found := 0
	for at := 0; ; {
		i := strings.Index(text[at:], w)
		if i < 0 {
			return found
		}
		found = 1
		i += at
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(w):])
		if !inWord(before) && !inWord(after) {
			return 2
		}
		at = i + len(w)
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// cut keeps the best n hits, in order.
func (s *search) cut(n int) {
	slices.SortFunc(s.hits, func(a, b Hit) int {
		return cmp.Or(b.Score-a.Score, strings.Compare(b.Modified, a.Modified), strings.Compare(a.ID, b.ID))
	})
	s.hits = s.hits[:min(n, len(s.hits))]
}
