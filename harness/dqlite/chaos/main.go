// Command chaos plays schedules of faults on dqlite, one after the other, until one of them breaks a promise or its time is over:
//
//	cd harness/dqlite && go run ./chaos -for 10m
//
// Its flags are those of chaos.Main. It builds the nodes' program first.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/dqlite"
)

// nodes is the variable by which the command tells its worker, which is itself, where the nodes' program is.
const nodes = "DQLITE_NODE"

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		code = 2
	}
	os.Exit(code)
}

func run() (code int, err error) {
	binary := os.Getenv(nodes)
	if binary == "" {
		built, remove, failed := build()
		if failed != nil {
			return 0, failed
		}
		defer func() { err = errors.Join(err, remove()) }()
		if err := os.Setenv(nodes, built); err != nil {
			return 0, err
		}
		binary = built
	}
	over := dqlite.New(dqlite.Options{Binary: binary, Latency: 20 * time.Millisecond, Snapshot: 128, Trailing: 128})
	return chaos.Hunt{Target: over, Name: "dqlite", Journals: "reports/journals"}.Main(), nil
}

func build() (binary string, remove func() error, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return dqlite.Build(ctx)
}
