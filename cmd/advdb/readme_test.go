package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// readmeLines returns the commands in the shell blocks of README.md in the
// working folder, without comments and redirections.
func readmeLines(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(line, "  #")
			line, _, _ = strings.Cut(line, " > ")
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// words splits a command at blanks, but for those in single quotes.
func words(line string) []string {
	var list []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

// TestReadme runs the quick start as README.md has it, and checks that every
// other advdb command there is one, with flags that exist.
func TestReadme(t *testing.T) {
	t.Chdir("../..")
	dir := t.TempDir()
	ran, tests := 0, false
	for _, line := range readmeLines(t) {
		switch args := words(line); {
		case line == "go test ./...":
			tests = true
		case strings.HasPrefix(line, "go run ./cmd/advdb "):
			for i, a := range args {
				if a == "quickstart" {
					args[i] = dir
				}
			}
			out := must(t, args[3:]...)
			if strings.Contains(line, "query") && !strings.Contains(out, "affected") {
				t.Errorf("%s printed:\n%s", line, out)
			}
			ran++
		case args[0] == "advdb":
			checkUsage(t, args[1:])
		}
	}
	if ran < 3 || !tests {
		t.Errorf("%d commands of the quick start were run; go test is there: %v", ran, tests)
	}
}

// checkUsage wants a command with flags and arguments that it takes.
func checkUsage(t *testing.T, args []string) {
	t.Helper()
	a := &app{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	c, rest, err := a.root().Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil && c.Args != nil {
		err = c.Args(c, c.Flags().Args())
	}
	if err != nil || !c.HasParent() {
		t.Errorf("advdb %s: %v", strings.Join(args, " "), err)
	}
}
