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
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/report/progress"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// suite is the compiled test binary of the suite. It is safe for concurrent use.
type suite struct {
	toolchain         replay.Toolchain
	own               *rundir.Dir
	dir, binary, root string
	runs              atomic.Uint64
}

// trial is one run of the suite.
type trial struct {
	target     string
	defect     defects.Defect // none if its name is empty
	seed       int64          // Ginkgo's seed
	interleave uint64         // the interleaving; 0 for the ordinary order
	yield      float64        // yield probability
	labels     string         // label filter; empty for that of an ordinary run
	spec       string         // full text of the only spec to run; if empty, labels select
	all        bool           // run all of them, not only up to the first failure
	limit      time.Duration  // time limit of the run
}

func (t trial) arguments(report string) []string {
	args := []string{
		"-ginkgo.no-color", "-test.timeout=0", fmt.Sprintf("-ginkgo.seed=%d", t.seed),
		fmt.Sprintf("-ginkgo.timeout=%v", t.limit), "-ginkgo.json-report=" + report,
	}
	if t.spec != "" {
		args = append(args, "-ginkgo.focus="+again.Focus(t.spec))
	}
	if !t.all {
		args = append(args, "-ginkgo.fail-fast")
	}
	return args
}

func (t trial) environment() []string {
	environment := []string{
		"REJOIN_TARGET=" + cmp.Or(t.target, inVirtualTime), "REJOIN_JOURNALS=none", "REJOIN_REPORT=none",
		"REJOIN_DEFECT=" + cmp.Or(t.defect.Name, "none"),
		fmt.Sprintf("REJOIN_INTERLEAVE=%d", t.interleave), fmt.Sprintf("REJOIN_YIELD=%v", t.yield),
	}
	if t.labels != "" || t.spec != "" {
		environment = append(environment, "REJOIN_LABEL_FILTER="+t.labels)
	}
	if cmp.Or(t.target, inVirtualTime) == inVirtualTime {
		environment = append(environment, "GODEBUG=asyncpreemptoff=1")
	}
	return environment
}

// build compiles the suite. In virtual time it is for exact replay if possible: then the same specs catch the same bugs
// with a seed every time.
func build(ctx context.Context, target string) (*suite, error) {
	toolchain := replay.Toolchain{Go: "go"}
	if target == inVirtualTime {
		var err error
		if toolchain, err = replay.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	if target == inVirtualTime && !toolchain.Exact {
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

// run runs the suite once. A run that aborts, by a panic or at the limit, has caught the bug. A run that never started
// is an error.
func (s *suite) run(ctx context.Context, t trial) (verdict, error) {
	name := cmp.Or(t.defect.Name, "none")
	path := filepath.Join(s.dir, fmt.Sprintf("%s-%d.json", name, s.runs.Add(1)))
	limited, cancel := context.WithTimeout(ctx, t.limit+10*time.Second)
	defer cancel()
	command := s.toolchain.Command(limited, s.binary, t.arguments(path)...)
	command.Dir = s.root
	command.Env = append(s.toolchain.Environ(progress.Without(os.Environ())), t.environment()...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = attributes()
	begun := time.Now()
	runtime.LockOSThread() // the suite ends with this thread: see attributes
	ended := command.Run()
	runtime.UnlockOSThread()
	v := verdict{defect: t.defect, trial: t, runs: 1, took: time.Since(begun)}
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

// lastWords returns why a process without a report ended.
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
