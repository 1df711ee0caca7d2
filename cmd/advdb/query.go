package main

import (
	"context"

	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

// queryOptions are the flags of query.
type queryOptions struct {
	ecosystem, name, version string
	cpe                      string
	platforms                []string
	commit, git              string
	text                     string
	details, withdrawn       bool
	limit                    int
	ranges                   bool
	all                      bool
}

func (a *app) queryCommand() *cobra.Command {
	var opt queryOptions
	c := &cobra.Command{
		Use:   "query PURL | ID | --ecosystem E --name N [--version V] | --cpe CPE | --commit SHA | --text WORDS",
		Short: "Say whether a package, product or commit is affected, or what is known of an ID",
		Long: `Query answers from the database alone.

A package is affected, not affected, or unknown: a version or a bound that the
ecosystem's rule cannot read is neither safe nor affected. Of each answer the
deciding event is shown. Without a version all records of the package are
listed; an ecosystem without its release (Debian) means any release.

A package of a distribution is found by its own name or by that of its source
package (upstream= in a purl, or as records list its binaries); the answer then
says so. Entries for another architecture, module stream (rpmmod=) or slot do
not count; where the question leaves open which it is, the answer is unknown.

A CPE is matched against the CPE configurations of NVD's records, and of CVE
records where NVD has none; platforms it runs on are given with --platform,
those that are not are assumed. Part, vendor and product may hold wildcards.

A commit is decided without its history only where records name it. With --git
DIR, a local clone, ancestry decides, for every record of that repository.

--text searches IDs and summaries (with --details the details too) for all of
the words. --ranges prints, of a package whatever its version, of an ID or of a
CPE, every affected range that is known, and who says so.

With --json a package's answer has the form of OSV's /v1/query: {"vulns": […]}
of the records that affect it, and so has a commit's, with "commit", "findings"
(id, repo, verdict, event, reason) and "undecided" (a number) beside it; the
answer to an ID is one object: id, record, named_by, enrichment; to a CPE:
{"findings": […]}; of --text: {"total": N, "hits": […]}; of --ranges:
{"ranges": […]}.
` + exitHelp + "\n     (3: also where no data of the ecosystem is held)",
		Example: `  advdb query pkg:npm/lodash@4.17.20
  advdb query 'pkg:deb/debian/openssl@1.1.1n-0+deb11u4?distro=bullseye'
  advdb query --ecosystem Alpine:v3.17 --name openssl --version 3.0.7-r0
  advdb query --cpe 'cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*'
  advdb query --commit 6879efc2c1596d11a6a6ad296f80063b558d5e0f --git src/project
  advdb query --text 'heap overflow'
  advdb query --ranges CVE-2021-44228
  advdb query CVE-2021-44228`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.query(c.Context(), args, opt) },
	}
	f := c.Flags()
	f.StringVar(&opt.ecosystem, "ecosystem", "", "OSV ecosystem, such as PyPI or Debian:12")
	f.StringVar(&opt.name, "name", "", "package name")
	f.StringVar(&opt.version, "version", "", "package version")
	f.StringVar(&opt.cpe, "cpe", "", "CPE 2.3 name (or 2.2 URI) of a product")
	f.StringArrayVar(&opt.platforms, "platform", nil, "CPE of what the product runs on (may be repeated)")
	f.StringVar(&opt.commit, "commit", "", "git commit (with --git also a tag or another name of one)")
	f.StringVar(&opt.git, "git", "", "local clone that has the commit")
	f.StringVar(&opt.text, "text", "", "words that an ID or summary holds")
	f.BoolVar(&opt.details, "details", false, "with --text: search the details too")
	f.BoolVar(&opt.withdrawn, "withdrawn", false, "with --text: find withdrawn records too")
	f.IntVar(&opt.limit, "limit", 20, "with --text: hits to print")
	f.BoolVar(&opt.ranges, "ranges", false, "print the affected ranges of a package, ID or CPE")
	f.BoolVar(&opt.all, "all", false, "also show records that do not affect the version")
	return c
}

func (a *app) query(ctx context.Context, args []string, opt queryOptions) error {
	ask, err := a.question(ctx, args, opt)
	if err != nil {
		return err
	}
	db, err := a.openToAsk()
	if err != nil {
		return err
	}
	defer db.Close()
	return ask(db)
}

// openToAsk opens the database for questions, with a warning where its data
// are old.
func (a *app) openToAsk() (*store.DB, error) {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return nil, err
	}
	if err := a.warnStale(db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}
