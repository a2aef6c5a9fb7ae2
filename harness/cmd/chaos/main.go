// Command chaos injects faults into clusters, schedule after schedule, until one of them breaks a promise
// or its time is over.
//
//	go run ./harness/cmd/exact go run ./harness/cmd/chaos -seed 1 -for 5m    # or: make chaos SEED=1 FOR=5m
//	go run ./harness/cmd/chaos -seed 1 -for 5m -target local
//
// In virtual time a schedule runs exactly as its seed says, if the command is built for that (package
// replay), as the first line does: its worker is the same program.
//
// It ends with a page, reports/index.html: the faults by kind, the states that were not reached, and what was found.
//
// A failure is shrunk, and printed with the commands that run it again. Its journal is kept in
// reports/journals. With -once the schedule of the seed is run alone, which is what command replay does. The
// exit code is 0 if there was no failure, 1 if there was one, and 2 if the command was used wrongly or could
// not run. Ctrl-C ends it early, with what it has found so far.
//
// For a target of your own, see the function Main of package chaos.
//
//go:debug randseednop=0
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

// The exit codes.
const (
	sound  = 0
	broken = 1
	misuse = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in io.Reader, out, progress *os.File) int {
	s, err := parse(args, progress)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return sound
	case err != nil:
		fmt.Fprintln(progress, "chaos:", err)
		return misuse
	case s.worker != "":
		return serve(s, in, out)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	found, err := look(ctx, s, out, progress)
	switch {
	case err != nil:
		fmt.Fprintln(progress, "chaos:", err)
		return misuse
	case found:
		return broken
	}
	return sound
}
