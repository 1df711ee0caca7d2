package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/advdb/advdb/sources/fixture"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){
		"advdb": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// cleaning removes what tests share when they are done.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	defer os.RemoveAll(realDir)
	return c.M.Run()
}

// TestScripts runs the commands as a user does. $UPSTREAM is a tree of what
// the fixtures serve, $FIXTURES where they are.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			fixtures, err := filepath.Abs("../../testdata/fixtures")
			if err != nil {
				return err
			}
			up := filepath.Join(env.WorkDir, "upstream")
			if err := fixture.WriteUpstream(up, fixtureFiles(fixtures)...); err != nil {
				return err
			}
			env.Setenv("FIXTURES", fixtures)
			env.Setenv("UPSTREAM", up)
			env.Setenv("ADVDB_DIR", filepath.Join(env.WorkDir, "db"))
			env.Setenv("SOURCE_DATE_EPOCH", "1785542400") // 2026-08-01
			return nil
		},
	})
}

// fixtureFiles returns the fixtures of all sources.
func fixtureFiles(dir string) []string {
	list, _ := filepath.Glob(filepath.Join(dir, "*.txtar"))
	return list
}
