package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// serve is what a worker does until its standard input ends. What interrupts the
// command is for the command, not for its worker.
func serve(s settings, in io.Reader, out io.Writer) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	t, err := plant(s, targetOf(s))
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return misuse
	}
	do := runner(t)
	if s.target == inVirtualTime {
		runtime.GOMAXPROCS(1)    // nearly all there is to making a seed repeat, and no slower
		debug.SetGCPercent(1000) // the heap is small, and a schedule short
		do = inBubble(s, do)
		in = polled(in)
	}
	if err := chaos.Serve(context.Background(), in, out, do); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return misuse
	}
	return sound
}

// polled is a worker's standard input, a pipe, read by the poller: one thread that waited
// in the system for the next schedule would keep the only processor from the one that runs.
func polled(in io.Reader) io.Reader {
	file, is := in.(*os.File)
	if !is || syscall.SetNonblock(int(file.Fd()), true) != nil {
		return in
	}
	return os.NewFile(file.Fd(), file.Name())
}

// runner runs one schedule on the target.
func runner(t target.Target) chaos.Runner {
	return func(ctx context.Context, schedule chaos.Schedule, follow func(journal.Event)) (*chaos.Outcome, error) {
		return chaos.Run(ctx, t, schedule, chaos.Options{Judge: judge, Follow: follow})
	}
}

// inBubble does the same in virtual time. What is wrong with the bubble itself is
// something that the nodes left in it.
func inBubble(s settings, do chaos.Runner) chaos.Runner {
	return func(ctx context.Context, schedule chaos.Schedule, follow func(journal.Event)) (outcome *chaos.Outcome, err error) {
		broken := virtual.Run(ctx, func(ctx context.Context) { outcome, err = do(ctx, schedule, follow) }, virtual.RealLimit(bubbleLimit),
			virtual.Seed(schedule.Seed), virtual.Interleave(s.interleave), virtual.Yield(s.yield), virtual.Decisions(s.decisions))
		switch {
		case broken == nil || ctx.Err() != nil:
			return outcome, err
		default:
			return &chaos.Outcome{Schedule: schedule, Failure: &chaos.Failure{Broken: chaos.Process, Reason: broken.Error()}}, nil
		}
	}
}

// bubbleLimit is more real time than any schedule takes.
const bubbleLimit = 5 * time.Minute

// nodes are the settings of all nodes. Snapshots are due all the time, so that there is
// one under way whenever something happens.
func nodes() local.Options {
	return local.Options{SnapshotThreshold: 64, SnapshotInterval: time.Second, TrailingLogs: 16}
}

func targetOf(s settings) target.Target {
	options := nodes()
	options.Dir = s.worker
	switch s.target {
	case inVirtualTime:
		return virtual.New(virtual.Options{Nodes: options})
	case inProcesses:
		return process.New(process.Options{Nodes: options, Binary: func() string { return filepath.Join(s.worker, nodeBinary) }})
	}
	return local.New(options)
}

// plant is the target with the bug in it that the settings name.
func plant(s settings, t target.Target) (target.Target, error) {
	bug, err := defects.Find(s.defect)
	switch {
	case err != nil:
		return nil, err
	case len(bug.Options()) > 0:
		return nil, fmt.Errorf("%s is a bug of the harness, and chaos plants bugs in nodes only", bug.Name)
	case t == nil || bug.Name == "":
		return t, nil
	}
	return bug.Plant(t)
}

// nodeBinary is the name of the nodes' program in a worker's directory.
const nodeBinary = "node"

// space is where the target's schedules come from.
func space(s settings) chaos.Space {
	from := chaos.Real()
	switch s.target {
	case inVirtualTime:
		from = chaos.Virtual()
	case inProcesses:
		from.Kinds = chaos.Kinds()
	}
	from.Kinds = slices.DeleteFunc(from.Kinds, func(k chaos.Kind) bool { return slices.Contains(s.without, k) })
	return from
}
