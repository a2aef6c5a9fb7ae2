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

// result is what became of a mutant.
type result struct {
	Mutant mutate.Site
	Suite  end // killed by the suite
	Unit   end // killed by the tests of its package; not run if the suite killed it
}

// end is how tests ended.
type end struct {
	Killed  bool
	Reached bool   // the tests reach the mutant; if not, they were not run
	By      string // the spec that failed, or how the process ended
	Endless bool   // it was killed because it took too long
	Took    time.Duration
}

// errEndless is how tests end that took too long.
var errEndless = errors.New("did not end")

// mostFocused is how many specs are named to a run at most. With more of them all specs run.
const mostFocused = 40

// trace runs the tests once without a mutant, which must pass, and notes what they reach.
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

// longestTrace is how long tests without a mutant may take.
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
			return nil, fmt.Errorf("read what tests reached: %w", err)
		}
		reach[id] = append(reach[id], spec)
	}
	return reach, lines.Err()
}

// execute runs tests. ended is how they failed, if they did.
func (b *build) execute(ctx context.Context, t tests, limit time.Duration, variable string, args ...string) (ended error, said []byte, _ error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args = append([]string{t.binary, "-test.timeout=0", "-ginkgo.no-color", "-ginkgo.seed=1"}, args...)
	// A mutant may take memory without end.
	command := b.toolchain.Command(limited, "sh", append([]string{"-c", fmt.Sprintf(`ulimit -v %d; exec "$@"`, mostMemory>>10), "sh"}, args...)...)
	command.Dir = t.dir
	command.Env = append(b.toolchain.Environ(os.Environ()), "REJOIN_TARGET=virtual", "REJOIN_JOURNALS=none", "REJOIN_DEFECT=none", "GODEBUG=asyncpreemptoff=1", variable)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	command.SysProcAttr = attributes()
	runtime.LockOSThread() // the tests go with the thread that starts them: see attributes
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

// mostMemory is how much address space tests with a mutant may take, in bytes.
const mostMemory = 12 << 30

// printUnreached prints the mutants that no test reaches, and returns how many they are.
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
	if named := slices.DeleteFunc(slices.Compact(slices.Clone(specs)), func(s string) bool { return s == "" }); len(named) <= mostFocused {
		for _, spec := range named {
			args = append(args, "-ginkgo.focus="+again.Focus(spec))
		}
	}
	begun := time.Now()
	ended, said, err := b.execute(ctx, t, cmp.Or(o.limit, max(3*t.took, time.Minute)), fmt.Sprintf("%s=%d", mutant.Variable, site.ID), args...)
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

// killer is the first spec that failed, or how the process ended.
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
