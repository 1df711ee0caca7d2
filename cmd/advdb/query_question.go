package main

import (
	"context"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
)

// An asker answers one question from a state.
type asker func(*store.DB) error

// question reads what is asked.
func (a *app) question(ctx context.Context, args []string, opt queryOptions) (asker, error) {
	if err := opt.check(args); err != nil {
		return nil, err
	}
	switch {
	case opt.commit != "":
		return func(db *store.DB) error { return a.queryCommit(ctx, db, opt.commit, opt.git, opt.all) }, nil
	case opt.text != "":
		q := query.TextQuestion{Words: opt.text, Details: opt.details, Withdrawn: opt.withdrawn, Limit: opt.limit}
		return func(db *store.DB) error { return a.queryText(ctx, db, q) }, nil
	case opt.cpe != "":
		return a.cpeQuestion(opt)
	case len(args) > 0 && strings.HasPrefix(args[0], "cpe:"):
		opt.cpe = args[0]
		return a.cpeQuestion(opt)
	case len(args) > 0 && !strings.HasPrefix(args[0], "pkg:"):
		if opt.ranges {
			return func(db *store.DB) error { return a.rangesOfID(db, args[0]) }, nil
		}
		return func(db *store.DB) error { return a.queryID(db, args[0]) }, nil
	}
	return a.packageQuestion(args, opt)
}

// check refuses what cannot be asked together.
func (opt *queryOptions) check(args []string) error {
	kinds := 0
	for _, asked := range []bool{len(args) > 0, opt.ecosystem != "" || opt.name != "", opt.cpe != "", opt.commit != "", opt.text != ""} {
		if asked {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return usagef("query: one of PURL, ID, --ecosystem with --name, --cpe, --commit, --text")
	case opt.git != "" && opt.commit == "":
		return usagef("query: --git goes with --commit")
	case (opt.details || opt.withdrawn) && opt.text == "":
		return usagef("query: --details and --withdrawn go with --text")
	case opt.ranges && (opt.commit != "" || opt.text != ""):
		return usagef("query: --ranges is of a package, an ID or a CPE")
	case opt.limit < 1:
		return usagef("query: --limit must be positive")
	}
	return nil
}

func (a *app) packageQuestion(args []string, opt queryOptions) (asker, error) {
	q := query.Question{Ecosystem: opt.ecosystem, Name: opt.name, Version: opt.version}
	if len(args) > 0 {
		var err error
		if q, err = query.ParsePurl(args[0]); err != nil {
			return nil, usageError{err}
		}
		if opt.version != "" {
			q.Version = opt.version
		}
	} else if opt.ecosystem == "" || opt.name == "" {
		return nil, usagef("query: --ecosystem and --name go together")
	}
	if opt.ranges {
		return func(db *store.DB) error { return a.rangesOfPackage(db, q) }, nil
	}
	return func(db *store.DB) error { return a.queryPackage(db, q, opt.all) }, nil
}

func (a *app) cpeQuestion(opt queryOptions) (asker, error) {
	product, platforms, err := parseCPEs(opt)
	if err != nil {
		return nil, usageError{err}
	}
	if opt.ranges {
		return func(db *store.DB) error { return a.rangesOfCPE(db, product) }, nil
	}
	return func(db *store.DB) error { return a.queryCPE(db, product, platforms, opt.all) }, nil
}

func parseCPEs(opt queryOptions) (product cpe.Name, platforms []cpe.Name, err error) {
	if product, err = cpe.Parse(opt.cpe); err != nil {
		return product, nil, err
	}
	for _, s := range opt.platforms {
		p, err := cpe.Parse(s)
		if err != nil {
			return product, nil, err
		}
		platforms = append(platforms, p)
	}
	return product, platforms, nil
}
