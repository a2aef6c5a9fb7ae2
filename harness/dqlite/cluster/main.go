// Command cluster boots a dqlite cluster, and serves a page to play with it: see package live.
//
//	cd harness/dqlite && go run ./cluster
//
// It builds the nodes' program first.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/dqlite"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run() (code int, err error) {
	binary, remove, err := build()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	return live.Game{Target: dqlite.New(dqlite.Options{Binary: binary, Latency: 20 * time.Millisecond}), Name: "dqlite"}.Main(), nil
}

func build() (binary string, remove func() error, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return dqlite.Build(ctx)
}
