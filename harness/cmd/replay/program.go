package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// program is the binary of the suite or of cmd/chaos.
type program struct {
	toolchain replay.Toolchain
	settings  settings
	root      string // of the module
	binary    string
}

// build builds the program into a directory.
func build(ctx context.Context, t replay.Toolchain, s settings, dir string) (*program, error) {
	p := &program{toolchain: t, settings: s, binary: filepath.Join(dir, "program")}
	root, err := t.Command(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	p.root = strings.TrimSpace(string(root))
	args := []string{"test", "-c", "-o", p.binary, "."}
	if s.chaos {
		args = []string{"build", "-o", p.binary, "./harness/cmd/chaos"}
	}
	compile := t.Command(ctx, "go", args...)
	compile.Dir = p.root
	if said, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", p.what(), err, said)
	}
	return p, nil
}

func (p *program) what() string {
	if p.settings.chaos {
		return "chaos"
	}
	return "the suite"
}

// play runs the program once. Its files go to the directory dir.
func (p *program) play(ctx context.Context, dir string) (played, error) {
	if err := os.MkdirAll(decisionsIn(dir), 0o777); err != nil {
		return played{}, err
	}
	run := p.suite
	if p.settings.chaos {
		run = p.schedule
	}
	one, err := run(ctx, dir)
	if err != nil {
		return played{}, err
	}
	one.decisions = decisionsIn(dir)
	if one.journals, err = loadAll(dir); err != nil {
		return played{}, err
	}
	return one, nil
}

// run runs the program, and returns its output and how it ended: nil, or an *exec.ExitError.
func (p *program) run(ctx context.Context, args, environment []string) (said string, ended error, err error) {
	limited, cancel := context.WithTimeout(ctx, p.settings.limit+30*time.Second)
	defer cancel()
	cmd := p.toolchain.Command(limited, p.binary, args...)
	cmd.Dir, cmd.Env = p.root, append(cmd.Env, environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	ended = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", nil, context.Cause(ctx)
	case ended != nil && !errors.As(ended, &exit):
		return "", nil, fmt.Errorf("run %s: %w", p.what(), ended)
	}
	return output.String(), ended, nil
}

// panicked reports whether a program died from a panic or from an error of Go's runtime.
func panicked(said string) bool {
	return strings.Contains(said, "panic: ") || strings.Contains(said, "fatal error: ")
}

// lines returns the first lines of a text, or the last if most is negative.
func lines(text string, most int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	switch {
	case most >= 0 && len(all) > most:
		return strings.Join(append(all[:most:most], "…"), "\n")
	case most < 0 && len(all) > -most:
		return strings.Join(all[len(all)+most:], "\n")
	}
	return strings.Join(all, "\n")
}
