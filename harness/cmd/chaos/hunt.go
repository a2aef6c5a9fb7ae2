package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/process"
)

// hunt runs schedules until one fails or time is over, and says what it has found.
func hunt(ctx context.Context, s settings, out io.Writer, progress *os.File) (found bool, err error) {
	dir, err := directory()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, dir.Remove()) }()
	if s.target == inProcesses {
		if err := build(ctx, dir.Path()); err != nil {
			return false, err
		}
	}
	w, err := worker(s, dir.Path())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()

	if doubt := again.Doubt(); doubt != "" && s.target == inVirtualTime {
		fmt.Fprintln(progress, "chaos:", doubt)
	}
	if s.once {
		return single(ctx, s, w, out)
	}
	fmt.Fprintf(progress, "chaos: target %s, seeds from %d on, for %v\n", s.target, s.seed, s.length)
	sum := chaos.NewSummary(time.Now())
	line := newLine(progress)
	failed, err := search(ctx, s, w, sum, line)
	line.end(sum)
	if err != nil {
		return false, err
	}
	if failed != nil {
		return true, explain(ctx, s, w, failed, out, progress)
	}
	fmt.Fprint(out, sum.Report())
	if sum.Tally.OK == 0 {
		return false, errors.New("no operation succeeded, so nothing was shown")
	}
	return false, nil
}

// search runs one schedule after the other. Being interrupted is no error.
func search(ctx context.Context, s settings, w *chaos.Worker, sum *chaos.Summary, line *line) (*chaos.Outcome, error) {
	looking, cancel := context.WithTimeout(ctx, s.length)
	defer cancel()
	from := space(s)
	for seed := s.seed; looking.Err() == nil; seed++ {
		outcome, err := w.Run(looking, chaos.Draw(seed, from))
		switch {
		case looking.Err() != nil && (outcome == nil || outcome.Failure == nil):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		sum.Add(outcome)
		if outcome.Failure != nil {
			return outcome, nil
		}
		line.show(sum)
	}
	return nil, nil
}

// explain shrinks what failed and prints it.
func explain(ctx context.Context, s settings, w *chaos.Worker, failed *chaos.Outcome, out io.Writer, progress io.Writer) error {
	journal, err := s.keep(ctx, w, failed)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "chaos: seed %d fails (%s); shrinking it for up to %v and %d runs\n", failed.Schedule.Seed, failed.Failure.Broken, s.shrink, s.runs)
	least, cut := shrink(ctx, s, failed, w.Run)
	if cut {
		fmt.Fprintf(progress, "chaos: %v were over before shrinking was, so another shrinking may end elsewhere\n", s.shrink)
	}
	if least.Failure.Broken == chaos.Process { // which took its events along
		if outcome, err := w.Follow(ctx, least.Schedule); err == nil && outcome.Failure != nil {
			least = outcome
		}
	}
	place, err := placeOf(s, failed.Schedule.Seed)
	if err != nil {
		return err
	}
	return chaos.Print(out, s.lines(failed.Schedule.Seed, journal), failed, least, place)
}

// directory is for all that nodes write, and is taken away in the end, whatever
// became of them. In virtual time that is nothing that anything depends on.
func directory() (*rundir.Dir, error) {
	if dir, err := rundir.New("/dev/shm", "chaos-"); err == nil {
		return dir, nil
	}
	dir, err := rundir.New("", "chaos-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the nodes: %w", err)
	}
	return dir, nil
}

// build builds the nodes' program.
func build(ctx context.Context, dir string) error {
	said, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, nodeBinary), process.Package).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the nodes' program: %w: %s", err, said)
	}
	return nil
}

// worker is this command again, as a process that runs schedules.
func worker(s settings, dir string) (*chaos.Worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return chaos.NewWorker(func() *exec.Cmd {
		return exec.Command(self, append(s.passed(), "-target", s.target, "-worker", dir)...) //nolint:noctx // it ends with its input
	}), nil
}
