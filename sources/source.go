package sources

import (
	"context"
	"time"

	"github.com/advdb/advdb/normalize"
)

// A Source is one advisory feed.
type Source struct {
	Name    string        // stable: CLI argument and document directory
	Home    string        // where a person reads about the feed
	License string        // SPDX expression; goes with every export and snapshot
	Credit  string        // the attribution the licence asks for
	Format  string        // the wire format, as "advdb sources" names it
	Every   time.Duration // asking more often is rude
	Enrich  bool          // fills a table joined to records by CVE; never makes a record
	Version int           // raised when Parse's output changes: every document is parsed again, offline

	// Fetch moves bytes from upstream into documents. It may be stopped
	// anywhere and goes on from the last Commit.
	Fetch func(ctx context.Context, m *Mirror) error

	// Parse turns one document into records.
	Parse normalize.Parser
}
