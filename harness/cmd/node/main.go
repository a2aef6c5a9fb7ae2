// Command node is one node of a cluster, for a parent that starts it as a
// process of its own: harness/process. It reads its configuration, a
// child.Config in JSON, from stdin, and lives no longer than stdin is open. On
// file descriptor 3 it says that it serves. SIGTERM and SIGINT make it leave in
// good order, with exit code 0.
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

// memoryLimit is how many bytes the Go runtime may hold before it collects garbage more
// often than it otherwise would. A request of megabytes leaves many times its size behind
// as garbage. It is no limit to what a node can hold; SQLite's memory is not in it.
// GOMEMLIMIT, if set, counts instead.
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
	// One that nobody gave may be the runtime's own by now.
	if info, err := ready.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return fmt.Errorf("file descriptor %d is no pipe to say on that the node serves", readyDescriptor)
	}
	return child.Run(ctx, os.Stdin, ready, os.Stderr)
}
