package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// look runs schedules until one fails or time is over, and tells whether one failed.
func look(ctx context.Context, s settings, out, progress io.Writer) (found bool, err error) {
	dir, err := s.directory()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, dir.Remove()) }()
	if s.children() {
		if err := build(ctx, dir.Path()); err != nil {
			return false, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("find this program: %w", err)
	}
	if doubt := again.Doubt(); doubt != "" && s.target == inVirtualTime {
		fmt.Fprintln(progress, "chaos:", doubt)
	}
	h, err := s.hunt()
	if err != nil {
		return false, err
	}
	args := append(s.passed(), "-target", s.target, "-decisions", s.decisions, "-worker", dir.Path())
	h.Worker = func() *exec.Cmd { return exec.Command(self, args...) } //nolint:noctx // it ends with its input
	h.Out, h.Progress, h.Report = out, progress, s.keepPage(out)
	return h.Run(ctx)
}

// hunt is what the settings ask for. In a worker, its nodes write to the worker's directory.
func (s settings) hunt() (chaos.Hunt, error) {
	t, err := plant(s, targetOf(s))
	if err != nil {
		return chaos.Hunt{}, err
	}
	h := chaos.Hunt{
		Target: t, Space: space(s), Seed: s.seed, For: s.length, Once: s.once, Shrink: s.shrink, ShrinkRuns: s.runs,
		Name: s.target, Journal: s.journal, Journals: s.journals, Again: s.lines,
		Place: func(seed uint64) (chaos.Place, error) { return placeOf(s, seed) },
	}
	if s.target == inVirtualTime {
		h.In = func(ctx context.Context, seed uint64, body func(context.Context)) error {
			return virtual.Run(ctx, body, virtual.RealLimit(bubbleLimit), virtual.Seed(seed),
				virtual.Interleave(s.interleave), virtual.Yield(s.yield), virtual.Decisions(s.decisions))
		}
	}
	return h, nil
}

// bubbleLimit is more real time than any schedule takes.
const bubbleLimit = 5 * time.Minute

// space is where the target's schedules come from.
func space(s settings) chaos.Space {
	from := chaos.Real()
	switch s.target {
	case inVirtualTime:
		from = chaos.Virtual()
	case inProcesses, onHosts:
		from.Kinds = nemesis.All()
	}
	from.Kinds = slices.DeleteFunc(from.Kinds, func(k nemesis.Kind) bool { return slices.Contains(s.without, k.Name) })
	return from
}

// directory returns a directory for all that nodes write. It is removed in the end, even if a node did not
// clean up. In virtual time nothing depends on it. Hosts have a /dev/shm of their own.
func (s settings) directory() (*rundir.Dir, error) {
	if s.target != onHosts {
		if dir, err := rundir.New("/dev/shm", "chaos-"); err == nil {
			return dir, nil
		}
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

// lines returns the commands that run a failure again.
func (s settings) lines(seed uint64, journal string) string {
	if s.target != inVirtualTime {
		return s.again(seed)
	}
	schedule := again.Schedule{
		Seed: seed, Without: s.withoutNames(), Journal: journal, Interleave: s.interleave, Yield: s.yield, Defect: s.defect,
	}
	lines := []string{schedule.Line(), s.again(seed) + "   # shrinks it, too"}
	if doubt := again.Doubt(); doubt != "" {
		lines = append(lines, doubt)
	}
	return strings.Join(lines, "\n  ")
}
