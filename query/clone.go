package query

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// A Clone is the history of a local git clone, read with the command git. It
// changes nothing in the clone and asks no remote.
type Clone struct {
	Dir string // the working tree or the git directory
}

var _ History = Clone{}

// git runs a command of git and hands each line of its output to line.
func (c Clone) git(ctx context.Context, stdin io.Reader, line func(string) error, args ...string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", c.Dir, "--no-replace-objects"}, args...)...)
	cmd.Env = append(cmd.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_TERMINAL_PROMPT=0")
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = stdin, &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		if err := line(sc.Text()); err != nil {
			stop()
			cmd.Wait()
			return err
		}
	}
	if err := errors.Join(sc.Err(), cmd.Wait()); err != nil {
		return fmt.Errorf("%s: git %s: %w%s", c.Dir, args[0], err, lastLine(said.String()))
	}
	return nil
}

// lastLine is what a command said last, behind a colon.
func lastLine(s string) string {
	s = strings.TrimSpace(s)
	if s = s[strings.LastIndexByte(s, '\n')+1:]; s != "" {
		return ": " + s
	}
	return ""
}

// Commit implements [History]. A tag stands for the commit that it names.
func (c Clone) Commit(ctx context.Context, name string) (commit string, err error) {
	err = c.git(ctx, nil, func(l string) error { commit = l; return nil },
		"rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", fmt.Errorf("%s: %q: %w", c.Dir, name, ErrNoCommit)
	}
	return commit, err
}

// ErrNoCommit says that a history does not hold the commit.
var ErrNoCommit = errors.New("no such commit in the clone")

// Has implements [History]. What is no whole commit hash is not held.
func (c Clone) Has(ctx context.Context, commits []string) (map[string]bool, error) {
	var ask strings.Builder
	for _, s := range commits {
		if _, err := parseCommit(s); err == nil && len(s) >= 40 {
			ask.WriteString(s)
			ask.WriteByte('\n')
		}
	}
	held := map[string]bool{}
	err := c.git(ctx, strings.NewReader(ask.String()), func(l string) error {
		if name, ok := strings.CutSuffix(l, " commit"); ok {
			held[name] = true
		}
		return nil
	}, "cat-file", "--batch-check=%(objectname) %(objecttype)", "--buffer")
	return held, err
}

// errEnough ends a walk that has found all it looked for.
var errEnough = errors.New("enough")

// Before implements [History] in one walk of the graph.
func (c Clone) Before(ctx context.Context, commit string, of map[string]bool) (map[string]bool, error) {
	found := map[string]bool{}
	err := c.git(ctx, nil, func(l string) error {
		if of[l] {
			if found[l] = true; len(found) == len(of) {
				return errEnough
			}
		}
		return nil
	}, "rev-list", commit)
	if err == errEnough {
		err = nil
	}
	return found, err
}

// Reaches implements [History].
func (c Clone) Reaches(ctx context.Context, from, to string) (bool, error) {
	err := c.git(ctx, nil, func(string) error { return nil }, "merge-base", "--is-ancestor", from, to)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return false, nil
	}
	return err == nil, err
}

// Shallow implements [History].
func (c Clone) Shallow(ctx context.Context) (shallow bool, err error) {
	err = c.git(ctx, nil, func(l string) error { shallow = l == "true"; return nil }, "rev-parse", "--is-shallow-repository")
	return shallow, err
}

// Repositories implements [History] with the remotes of the clone.
func (c Clone) Repositories(ctx context.Context) (urls []string, err error) {
	err = c.git(ctx, nil, func(l string) error {
		if _, url, ok := strings.Cut(l, " "); ok {
			urls = append(urls, url)
		}
		return nil
	}, "config", "--get-regexp", `^remote\..*\.url$`)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil, nil // there is no remote
	}
	return urls, err
}
