package server

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

// statistics are numbers over all records of a state. They hold for it for
// ever, and are counted once.
type statistics struct {
	Records, Withdrawn int
	Unrated            int     // records without a CVSS vector
	Ecosystems         []tally // records that affect a package of it, most first
	Ratings            []tally // records by severity, the worst first
	Years              []tally // records by the year in which they were published
	Tables             []tally // rows of the enrichment tables
}

// A tally is a number with a name; Share is its part of the largest, in
// percent.
type tally struct {
	Name  string
	Count int
	Share float64
	Class string
	X     float64 // of a column, in percent
}

// Top is where a column begins, in percent from above.
func (t tally) Top() float64 { return 100 - t.Share }

// Named reports whether there is room for the name of a column.
func (t tally) Named() bool { return t.Name[len(t.Name)-1]%5 == 0 }

// A statisticsSheet is what the page of statistics shows.
type statisticsSheet struct {
	*statistics
	Databases []tally // records that a source speaks of, most first
	Ages      []tally // sources by age, in hours
	Others    int     // ecosystems that are not shown
	Exploited int     // rows of CISA's catalog
}

// talliesShown is how many ecosystems and databases are drawn.
const talliesShown = 40

// statistics is the page of statistics.
func (w *web) statistics(ctx context.Context, st *state, _ *http.Request) (*sheet, error) {
	n, err := st.derived.statistics.get(ctx, w, st, func(ctx context.Context) (*statistics, error) { return countRecords(ctx, st.db) })
	if errors.Is(err, errComputing) {
		return waiting("Statistics"), nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := w.sourceRows(st)
	if err != nil {
		return nil, err
	}
	p := &statisticsSheet{statistics: n}
	now := w.s.opt.Now().Truncate(tick)
	for _, s := range rows {
		if s.Records > 0 && !s.Enrich {
			p.Databases = append(p.Databases, tally{Name: s.Name, Count: s.Records})
		}
		if at, err := time.Parse(time.RFC3339, s.FetchedAt); err == nil && s.Documents > 0 {
			class := ""
			if s.Late {
				class = "late"
			}
			p.Ages = append(p.Ages, tally{Name: s.Name, Count: max(0, int(now.Sub(at).Hours())), Class: class})
		}
	}
	for _, t := range n.Tables {
		if t.Name == "kev" {
			p.Exploited = t.Count
		}
	}
	var more int
	p.Databases = first(shares(largestFirst(p.Databases)), talliesShown, &more)
	p.Ages = shares(largestFirst(p.Ages))
	short := *n
	short.Ecosystems = first(n.Ecosystems, talliesShown, &p.Others)
	p.statistics = &short
	return &sheet{template: "statistics", title: "Statistics", data: p}, nil
}

// A counted is what is counted of a record.
type counted struct {
	Withdrawn string `json:"withdrawn"`
	Published string `json:"published"`
	Affected  []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
		} `json:"package"`
	} `json:"affected"`
	Severity []struct {
		Type  string `json:"type"`
		Score string `json:"score"`
	} `json:"severity"`
}

// trimEvery is how many records are read before their memory is given back.
const trimEvery = 1 << 15

// countRecords walks over all records.
func countRecords(ctx context.Context, db *store.DB) (*statistics, error) {
	s := new(statistics)
	ecosystems, years := map[string]int{}, map[string]int{}
	ratings := map[query.Rating]int{}
	err := db.Records("", func(_ string, data []byte) error {
		if s.Records++; s.Records%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.Records%trimEvery == 0 {
				if err := db.Trim(); err != nil {
					return err
				}
			}
		}
		var r counted
		if err := json.Unmarshal(data, &r); err != nil {
			return err
		}
		if r.Withdrawn != "" {
			s.Withdrawn++
			return nil
		}
		seen := map[string]bool{}
		for i := range r.Affected {
			if b := base(r.Affected[i].Package.Ecosystem); b != "" && !seen[b] {
				seen[b] = true
				ecosystems[b]++
			}
		}
		if len(r.Published) >= 4 {
			years[r.Published[:4]]++
		}
		worst := query.Unrated
		for _, x := range r.Severity {
			if _, rating, err := query.ScoreCVSS(x.Type, x.Score); err == nil {
				worst = max(worst, rating)
			}
		}
		ratings[worst]++
		return nil
	})
	if err == nil {
		err = s.countTables(ctx, db)
	}
	s.Unrated = ratings[query.Unrated]
	s.Ecosystems, s.Years, s.Ratings = shares(largestFirst(tallies(ecosystems))), yearColumns(years), ratingTallies(ratings)
	return s, errors.Join(err, db.Trim())
}

// countTables takes the sizes of the enrichment tables.
func (s *statistics) countTables(ctx context.Context, db *store.DB) error {
	list, err := db.Sources()
	for _, x := range list {
		if x.Enrich && x.Records > 0 {
			s.Tables = append(s.Tables, tally{Name: x.Name, Count: x.Records})
		}
	}
	s.Tables = largestFirst(s.Tables)
	return errors.Join(err, ctx.Err())
}

func tallies(counts map[string]int) (list []tally) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, tally{Name: name, Count: counts[name]})
	}
	return list
}

func largestFirst(list []tally) []tally {
	slices.SortStableFunc(list, func(x, y tally) int { return cmp.Or(y.Count-x.Count, strings.Compare(x.Name, y.Name)) })
	return list
}

// shares fills the shares of a list.
func shares(list []tally) []tally {
	largest := 1
	for _, t := range list {
		largest = max(largest, t.Count)
	}
	for i := range list {
		list[i].Share = 100 * float64(list[i].Count) / float64(largest)
	}
	return list
}

func ratingTallies(counts map[query.Rating]int) (list []tally) {
	for r := query.Critical; r > query.Unrated; r-- {
		list = append(list, tally{Name: r.String(), Count: counts[r], Class: r.String()})
	}
	return shares(list)
}

// Years that are drawn, a column each; what is before is counted in the first.
const (
	firstYear = 1999
	maxYears  = 60
)

// yearColumns are columns from the first to the last year, those in between
// with nothing among them.
func yearColumns(counts map[string]int) []tally {
	by := map[int]int{}
	last := firstYear
	for text, n := range counts {
		if y, err := strconv.Atoi(text); err == nil && y > 1900 && y < firstYear+maxYears {
			by[max(y, firstYear)] += n
			last = max(last, y)
		}
	}
	var list []tally
	for y := firstYear; y <= last; y++ {
		list = append(list, tally{Name: strconv.Itoa(y), Count: by[y], X: 100 * float64(y-firstYear) / float64(last-firstYear+1)})
	}
	return shares(list)
}

// Column is the width of a column of years, in percent.
func (s *statistics) Column() float64 { return 100 / float64(max(1, len(s.Years))) * 0.8 }
