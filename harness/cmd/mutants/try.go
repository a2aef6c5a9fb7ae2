package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/mutate"
	"github.com/rejoin-db/rejoin/harness/mutate/mutant"
)

// result is the result of a mutant.
type result struct {
	Mutant mutate.Site
	Suite  end // killed by the suite
	Unit   end // killed by the tests of its package; not run if the suite killed it
}

// end is the result of tests.
type end struct {
	Killed  bool
	Reached bool   // the tests reach the mutant; otherwise they were not run
	By      string // the failed spec, or how the process ended
	Endless bool   // killed because it took too long
	Took    time.Duration
}

// errEndless is the failure of tests that took too long.
var errEndless = errors.New("did not end")

// mostFocused is the maximum number of specs in -ginkgo.focus. Beyond it all specs run.
const mostFocused = 40

// trace runs the tests without a mutant, which must pass, and records which mutants they reach.
func (b *build) trace(ctx context.Context, o options) error {
	fmt.Println("running the tests without a mutant")
	var err error
	if b.suite, err = b.traceOne(ctx, b.suite, "the suite"); err != nil {
		return err
	}
	fmt.Printf("the suite reaches %d of %d mutants\n", len(b.suite.reach), len(b.sites))
	var mu sync.Mutex
	traced := make(map[string]tests)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.jobs)
	for pkg, unit := range b.units {
		group.Go(func() error {
			unit, err := b.traceOne(ctx, unit, "the tests of "+pkg)
			mu.Lock()
			defer mu.Unlock()
			traced[pkg] = unit
			return err
		})
	}
	err = group.Wait()
	b.units = traced
	return err
}

// longestTrace is the time limit of tests without a mutant.
const longestTrace = 15 * time.Minute

func (b *build) traceOne(ctx context.Context, t tests, name string) (tests, error) {
	if t.binary == "" {
		return t, nil
	}
	path := t.binary + ".trace"
	begun := time.Now()
	ended, said, err := b.execute(ctx, t, longestTrace, mutant.Trace+"="+path)
	if err != nil {
		return t, err
	}
	if ended != nil {
		return t, fmt.Errorf("%s fail without a mutant: %w\n%s", name, ended, said[max(0, len(said)-4000):])
	}
	t.took = time.Since(begun)
	t.reach, err = readTrace(path)
	return t, err
}

func readTrace(path string) (map[int][]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	reach, spec := make(map[int][]string), ""
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, is := strings.CutPrefix(lines.Text(), "spec "); is {
			spec = name
			continue
		}
		id, err := strconv.Atoi(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("read a trace: %w", err)
		}
		reach[id] = append(reach[id], spec)
	}
	return reach, lines.Err()
}

// execute runs tests. ended is their failure, if any.
func (b *build) execute(
	ctx context.Context, t tests, limit time.Duration, variable string, args ...string,
) (ended error, said []byte, _ error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args = append([]string{t.binary, "-test.timeout=0", "-ginkgo.no-color", "-ginkgo.seed=1"}, args...)
	// A mutant may allocate without bound.
	shell := []string{"-c", fmt.Sprintf(`ulimit -v %d; exec "$@"`, mostMemory>>10), "sh"}
	command := b.toolchain.Command(limited, "sh", append(shell, args...)...)
	command.Dir = t.dir
	command.Env = append(b.toolchain.Environ(os.Environ()),
		"REJOIN_TARGET=virtual", "REJOIN_JOURNALS=none", "REJOIN_REPORT=none", "REJOIN_DEFECT=none", "GODEBUG=asyncpreemptoff=1", variable)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	command.SysProcAttr = attributes()
	runtime.LockOSThread() // the tests end with this thread: see attributes
	ended = command.Run()
	runtime.UnlockOSThread()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if limited.Err() != nil {
		ended = fmt.Errorf("%w within %v", errEndless, limit.Round(time.Second))
	}
	return ended, out.Bytes(), nil
}

// mostMemory is the limit of the address space of tests with a mutant, in bytes.
const mostMemory = 12 << 30

// printUnreached prints the mutants that no test reaches, and returns their number.
func (b *build) printUnreached() (unreached int) {
	for _, s := range b.sites {
		_, suite := b.suite.reach[s.ID]
		_, unit := b.units[s.Package].reach[s.ID]
		if !suite && !unit {
			unreached++
			fmt.Println(s)
		}
	}
	fmt.Printf("no test reaches %d of %d mutants\n", unreached, len(b.sites))
	return unreached
}

// try runs the tests with each mutant.
func (b *build) try(ctx context.Context, o options, sample []mutate.Site) ([]result, error) {
	var mu sync.Mutex
	results := make([]result, 0, len(sample))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.jobs)
	for _, site := range sample {
		group.Go(func() error {
			r, err := b.tryOne(ctx, o, site)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			results = append(results, r)
			fmt.Printf("%d of %d: %s\n", len(results), len(sample), r)
			return write(o.results, results)
		})
	}
	err := group.Wait()
	slices.SortFunc(results, func(a, b result) int { return a.Mutant.ID - b.Mutant.ID })
	return results, err
}

func (b *build) tryOne(ctx context.Context, o options, site mutate.Site) (r result, err error) {
	r.Mutant = site
	if r.Suite, err = b.judge(ctx, o, b.suite, site); err != nil || r.Suite.Killed {
		return r, err
	}
	r.Unit, err = b.judge(ctx, o, b.units[site.Package], site)
	return r, err
}

// judge runs one test binary with the mutant.
func (b *build) judge(ctx context.Context, o options, t tests, site mutate.Site) (e end, _ error) {
	specs, reached := t.reach[site.ID]
	if e.Reached = reached; !reached {
		return e, nil
	}
	args := []string{"-ginkgo.fail-fast"}
	unnamed := func(s string) bool { return s == "" }
	if named := slices.DeleteFunc(slices.Compact(slices.Clone(specs)), unnamed); len(named) <= mostFocused {
		for _, spec := range named {
			args = append(args, "-ginkgo.focus="+again.Focus(spec))
		}
	}
	begun := time.Now()
	limit := cmp.Or(o.limit, max(3*t.took, time.Minute))
	ended, said, err := b.execute(ctx, t, limit, fmt.Sprintf("%s=%d", mutant.Variable, site.ID), args...)
	if err != nil {
		return e, err
	}
	e.Took = time.Since(begun)
	if ended != nil {
		e.Killed, e.By, e.Endless = true, killer(said, ended), errors.Is(ended, errEndless)
	}
	if o.only != "" {
		fmt.Printf("%s\n", said)
	}
	return e, nil
}

// killer returns the first failed spec, or how the process ended.
func killer(said []byte, ended error) string {
	for line := range bytes.Lines(said) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "[FAIL]") || strings.HasPrefix(text, "[TIMEDOUT]") || strings.HasPrefix(text, "[PANICKED") ||
			strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") || strings.HasPrefix(text, "--- FAIL: ") {
			return text
		}
	}
	return ended.Error()
}

func write(path string, results []result) error {
	content, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, content, 0o666))
}
