package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// suite is the suite's test binary.
type suite struct {
	toolchain         replay.Toolchain
	own               *rundir.Dir
	dir, binary, root string
}

// build compiles the suite, for exact replay if that can be: then a seed catches the same
// bugs in the same specs every time.
func build(ctx context.Context) (*suite, error) {
	toolchain, err := replay.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	if !toolchain.Exact {
		fmt.Fprintln(os.Stderr, "defects: replay is not exact, so another run may differ:", toolchain.Why)
	}
	own, err := rundir.New("", "defects-")
	if err != nil {
		return nil, err
	}
	s := &suite{toolchain: toolchain, own: own, dir: own.Path(), binary: filepath.Join(own.Path(), "suite.test")}
	root, err := toolchain.Command(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find the module: %w", err), s.remove())
	}
	s.root = strings.TrimSpace(string(root))
	compile := toolchain.Command(ctx, "go", "test", "-c", "-o", s.binary, ".")
	compile.Dir = s.root
	if said, err := compile.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("compile the suite: %w\n%s", err, said), s.remove())
	}
	return s, nil
}

func (s *suite) remove() error { return s.own.Remove() }

// run runs the suite with the bug. A run that breaks off, by a panic or by the limit, has
// caught it. A run that never began is an error.
func (s *suite) run(ctx context.Context, d defects.Defect, o options) (verdict, error) {
	name := cmp.Or(d.Name, "none")
	path := filepath.Join(s.dir, name+".json")
	limited, cancel := context.WithTimeout(ctx, o.limit+10*time.Second)
	defer cancel()
	args := []string{"-ginkgo.no-color", "-test.timeout=0", fmt.Sprintf("-ginkgo.seed=%d", o.seed), fmt.Sprintf("-ginkgo.timeout=%v", o.limit), "-ginkgo.json-report=" + path}
	if !o.all {
		args = append(args, "-ginkgo.fail-fast")
	}
	command := s.toolchain.Command(limited, s.binary, args...)
	command.Dir = s.root
	command.Env = append(s.toolchain.Environ(os.Environ()), "REJOIN_TARGET=virtual", "REJOIN_JOURNALS=none", "REJOIN_DEFECT="+name, "GODEBUG=asyncpreemptoff=1")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = attributes()
	begun := time.Now()
	runtime.LockOSThread() // the suite goes with the thread that starts it: see attributes
	ended := command.Run()
	runtime.UnlockOSThread()
	v := verdict{defect: d, took: time.Since(begun)}
	reported, err := v.read(path)
	switch {
	case err != nil:
		return v, err
	case ended == nil && !reported:
		return v, fmt.Errorf("the suite with %s wrote no report", name)
	case ended == nil || len(v.catches) > 0:
	case reported, limited.Err() != nil, panicked(said.String()):
		v.broke = lastWords(said.String())
	default:
		return v, fmt.Errorf("the suite with %s did not run: %w: %s", name, ended, firstLine(said.String()))
	}
	return v, nil
}

func panicked(text string) bool {
	return strings.Contains(text, "panic: ") || strings.Contains(text, "fatal error: ")
}

// lastWords is why a process ended that could not say so in a report.
func lastWords(text string) string {
	for line := range strings.Lines(text) {
		if panicked(line) {
			return firstLine(line)
		}
	}
	return firstLine(text[max(0, len(text)-200):])
}

func firstLine(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
