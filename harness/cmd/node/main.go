// Command node is one node of a cluster. A parent (harness/process) starts it as a child process. It reads its
// configuration, a child.Config in JSON, from stdin, and ends when stdin is closed. It writes to file descriptor 3 when
// it serves. SIGTERM and SIGINT make it leave gracefully, with exit code 0.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/process/child"
)

const readyDescriptor = 3

// memoryLimit is the soft memory limit of the Go runtime in bytes: above it, garbage is collected more often. A request
// of megabytes leaves many times its size of garbage. The limit does not cap what a node can hold, and does not cover
// SQLite's memory. GOMEMLIMIT overrides it.
const memoryLimit = 160 << 20

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	err := run(ctx)
	switch {
	case errors.Is(err, child.ErrOrphaned):
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ready := os.NewFile(readyDescriptor, "ready")
	// If the parent passed none, the descriptor may belong to the Go runtime.
	if info, err := ready.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return fmt.Errorf("file descriptor %d is not a pipe: it must be one, to report that the node serves", readyDescriptor)
	}
	return child.Run(ctx, os.Stdin, ready, os.Stderr)
}
