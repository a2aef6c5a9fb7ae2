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
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// serve is what a worker does until its standard input ends. A signal to stop is for the command, not for
// its worker.
func serve(s settings, in io.Reader, out io.Writer) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	h, err := s.hunt()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return misuse
	}
	if s.target == inVirtualTime {
		runtime.GOMAXPROCS(1)    // most of what makes a seed repeatable, and no slower
		debug.SetGCPercent(1000) // the heap is small, and a schedule short
		in = polled(in)
	}
	if err := h.Serve(context.Background(), in, out); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return misuse
	}
	return sound
}

// polled returns a worker's standard input, a pipe, so that the poller reads it: one thread that waits in
// the system for the next schedule would keep the only processor from the one that runs.
func polled(in io.Reader) io.Reader {
	file, is := in.(*os.File)
	if !is || syscall.SetNonblock(int(file.Fd()), true) != nil {
		return in
	}
	return os.NewFile(file.Fd(), file.Name())
}

// nodes are the settings of all nodes. Snapshots are due all the time, so that one is under way whenever
// something happens.
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
		return process.New(processes(s, options))
	case onHosts:
		return process.OnHosts(processes(s, options))
	}
	return local.New(options)
}

func processes(s settings, nodes local.Options) process.Options {
	return process.Options{Nodes: nodes, Binary: func() string { return filepath.Join(s.worker, nodeBinary) }}
}

// plant returns the target with the bug that the settings name.
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
