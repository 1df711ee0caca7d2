package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitDone   = 0
	exitBad    = 1 // done, and something asked about is bad
	exitUsage  = 2
	exitNoData = 3 // no data, or data too old or unverifiable
)

const exitHelp = `
Exit status:
  0  done
  1  done, and something asked about is bad
  2  wrong usage
  3  no data, or data that cannot be trusted`

// errNotCovered says that "nothing found" would mean "had no data".
var errNotCovered = errors.New("no data of this ecosystem is held")

// errBad ends a command with exitBad; what is bad has been said.
var errBad = errors.New("bad")

// usageError is wrong usage found by a command itself.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// app is what every command works with.
type app struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer

	dir     string
	siteDir string    // --sources-d
	known   registry  // loaded once
	clock   time.Time // of a past release that is asked, see asOf
	json    bool
	quiet   bool
	verbose bool
}

// run runs one command and returns the exit status. It alone, with main,
// knows of the process: commands get all through app.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errBad):
		return exitBad
	case errors.As(err, &usage), errors.Is(err, query.ErrVague), errors.Is(err, query.ErrSBOM):
		fmt.Fprintf(stderr, "advdb: %v\nSee \"advdb help\".\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "advdb: %v\n", err)
	for _, e := range []error{store.ErrNoData, store.ErrFormat, errNotCovered, snapshot.ErrRefused, snapshot.ErrNotFound} {
		if errors.Is(err, e) {
			return exitNoData
		}
	}
	return exitBad
}

// root returns the command line.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "advdb",
		Short: "A mirror of the world's security advisories: signed, incremental, offline",
		Long: `advdb copies advisory feeds, turns each into OSV records with version ranges in
the ecosystem's own order, keeps them in a database of its own, and answers
whether a package at a version is affected.` + "\n" + exitHelp,
		Example: `  advdb sync                                   fetch all sources
  advdb query pkg:npm/lodash@4.17.20           is it affected?
  advdb sources                                what is held, how old, under which licence`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.dir, "db", a.defaultDir(), "folder of the database ($ADVDB_DIR)")
	f.StringVar(&a.siteDir, "sources-d", "", "folder of the site's own feeds ($ADVDB_SOURCES_D; default: sources.d in the database's)")
	f.BoolVar(&a.json, "json", false, "print JSON on standard output")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but errors and data")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more")
	root.AddCommand(a.syncCommand(), a.rebuildCommand(), a.mirrorCommand(), a.sourcesCommand(), a.asOf(a.showCommand()),
		a.asOf(a.queryCommand()), a.asOf(a.explainCommand()), a.asOf(a.scanCommand()), a.serveCommand(), a.asOf(a.verifyCommand()), a.vercmpCommand(),
		a.keysCommand(), a.publishCommand(), a.pullCommand(),
		a.bundleCommand(), a.asOf(a.proveCommand()), a.statusCommand(),
		a.diffCommand(), a.historyCommand(), a.watchCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, c := range root.Commands() {
		c.Args = usageArgs(c.Args)
	}
	root.Args = usageArgs(cobra.NoArgs)
	root.RunE = func(c *cobra.Command, _ []string) error {
		c.SetOut(a.stderr)
		c.Help()
		return usagef("which command?")
	}
	return root
}

// usageArgs makes errors of positional arguments errors of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(c, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// defaultDir is $ADVDB_DIR, or advdb in the user's data folder.
func (a *app) defaultDir() string {
	if d := a.getenv("ADVDB_DIR"); d != "" {
		return d
	}
	if d := a.getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "advdb")
	}
	if home := a.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "advdb")
	}
	return "advdb-data"
}

// now is the clock: the time of the past release that is asked, else
// SOURCE_DATE_EPOCH (seconds since 1970) where it is set,
// so that a build can be repeated.
func (a *app) now() time.Time {
	if !a.clock.IsZero() {
		return a.clock
	}
	if s := a.getenv("SOURCE_DATE_EPOCH"); s != "" {
		if sec, err := strconv.ParseInt(s, 10, 64); err == nil {
			return time.Unix(sec, 0).UTC()
		}
	}
	return time.Now().UTC()
}

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.verbose:
		level = slog.LevelDebug
	case a.quiet:
		level = slog.LevelError
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}

// sayf tells the user something that is no data.
func (a *app) sayf(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// printJSON prints v as one line.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(append(b, '\n'))
	return err
}

// errText is the text of an error on one line, empty for none.
func errText(err error) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
