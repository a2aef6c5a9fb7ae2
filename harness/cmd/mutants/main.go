// Mutants makes small mistakes in the harness and in the node, one at a time and at random,
// and says which of them the suite notices, and which only the tests of their package:
//
//	go run ./harness/cmd/mutants                  # 300 at random; or: make mutants
//	go run ./harness/cmd/mutants -number 50 -seed 7 -packages ./harness/network
//	go run ./harness/cmd/mutants -only 17,230     # those again, with what their tests said
//	go run ./harness/cmd/mutants -unreached       # what neither the suite nor the package's tests reach
//
// The suite runs in virtual time, built for exact replay if the installed Go can be patched
// for it, with the specs that reach the mutant, up to the first that fails. If all pass, the
// tests of the mutant's package run. A run that takes longer than -limit is a failure: by
// default three times as long as all tests of that binary took without a mutant, and a
// minute at least.
//
// Every survivor is printed. One that cannot be noticed has its reason in equivalent.txt,
// beside this file, and is counted apart. Results go to reports/mutants.json, as they come.
// The exit code is 1 if there are survivors without a reason, and 2 if nothing was proved.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	survivors, err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2) //nolint:gocritic // nothing is left to stop
	case survivors > 0:
		os.Exit(1)
	}
}

// packages are those that mistakes are made in: the harness, and the node.
var packages = []string{
	"./harness", "./harness/check", "./harness/network", "./harness/disk", "./harness/sqltext",
	"./harness/embedded/...", "./harness/internal/inprocess", "./harness/internal/membership", "./harness/internal/linkstate",
}

type options struct {
	packages []string
	number   int
	seed     uint64
	only     string
	list     bool
	missed   bool // list those that are reached by no test
	jobs     int
	limit    time.Duration
	results  string
}

func parse(args []string) (options, error) {
	var o options
	var patterns string
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.StringVar(&patterns, "packages", strings.Join(packages, ","), "what mistakes are made in, as `patterns` of the go command with commas between")
	flags.IntVar(&o.number, "number", 300, "how many mutants are tried")
	flags.Uint64Var(&o.seed, "seed", 1, "which mutants are tried, by chance")
	flags.StringVar(&o.only, "only", "", "the `numbers` of mutants, with commas between: try these, and print what their tests said")
	flags.BoolVar(&o.list, "list", false, "print all mutants, and try none")
	flags.BoolVar(&o.missed, "unreached", false, "print the mutants that no test reaches, and try none")
	flags.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "how many run at once")
	flags.DurationVar(&o.limit, "limit", 0, "how long the suite, or the tests of a package, may take with a mutant; if 0, three times as long as without, and a minute at least")
	flags.StringVar(&o.results, "results", "reports/mutants.json", "the `file` for the results")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.packages = strings.Split(patterns, ",")
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.number < 1 || o.jobs < 1 || o.limit < 0:
		return o, errors.New("-number and -jobs must be positive, and -limit not negative")
	}
	return o, nil
}

func run(ctx context.Context, args []string) (survivors int, err error) {
	o, err := parse(args)
	if err != nil {
		return 0, err
	}
	reasons, err := readReasons()
	if err != nil {
		return 0, err
	}
	b, err := prepare(ctx, o.packages)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.remove()) }()
	if err := known(reasons, b.sites); slices.Equal(o.packages, packages) && err != nil {
		return 0, err
	}
	if o.list {
		for _, s := range b.sites {
			fmt.Println(s)
		}
		return 0, nil
	}
	sample, err := b.sample(o)
	if err != nil {
		return 0, err
	}
	if o.missed {
		sample = b.sites
	}
	if err := b.compile(ctx, sample); err != nil {
		return 0, err
	}
	if err := b.trace(ctx, o); err != nil {
		return 0, err
	}
	if o.missed {
		return b.printUnreached(), nil
	}
	results, err := b.try(ctx, o, sample)
	if err != nil {
		return 0, err
	}
	return report(results, reasons), nil
}
