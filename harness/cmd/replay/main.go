// Command replay runs a spec of the suite, or a schedule of cmd/chaos, again in virtual time. It reports whether the
// same happened, to the nanosecond, or where the runs diverge.
//
//	go build -o reports/replay ./harness/cmd/replay     # or: make replay SEED=17 SPEC='…'
//	reports/replay -seed 17 -spec 'A replicated SQL database …' -journal reports/journals/….jsonl
//	reports/replay -seed 17 -chaos
//	git bisect run /somewhere/else/replay -seed 17 -spec '…'
//
// Its -help explains the flags and the exit codes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes, as git bisect run interprets them.
const (
	good         = 0
	bad          = 1
	inconclusive = 125 // git bisect run skips the commit
	interrupted  = 130 // git bisect run stops
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, progress io.Writer) int {
	s, err := parse(args, progress)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return good
	case err != nil:
		fmt.Fprintln(progress, "replay:", err)
		return inconclusive
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	code, err := replayed(ctx, s, out, progress)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(progress, "replay: interrupted")
		return interrupted
	case err != nil:
		fmt.Fprintln(progress, "replay:", err)
		return inconclusive
	}
	return code
}
