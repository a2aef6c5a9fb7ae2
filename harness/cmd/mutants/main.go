// Command mutants makes small mistakes in the harness and in the node, one at a time, and reports which of them the
// suite notices, and which only the tests of their package:
//
//	go run ./harness/cmd/mutants                  # 300 at random; or: make mutants
//	go run ./harness/cmd/mutants -number 50 -seed 7 -packages ./harness/network
//	go run ./harness/cmd/mutants -only 17,230     # these again, with the output of their tests
//	go run ./harness/cmd/mutants -unreached       # those that neither the suite nor the package's tests reach
//
// The suite runs in virtual time, built for exact replay if the installed Go can be patched. It runs the specs that
// reach the mutant, up to the first failure. If all pass, the tests of the mutant's package run. A run that takes
// longer than -limit counts as failed: by default three times as long as all tests of that binary without a mutant,
// at least a minute.
//
// The command prints every survivor. A survivor that no test can notice has its reason in equivalent.txt, in this
// folder, and is counted separately. It writes results to reports/mutants.json as they arrive. The exit code is 1 if
// there are survivors without a reason, and 2 if the result is inconclusive.
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
		os.Exit(2) //nolint:gocritic // the skipped stop does not matter at exit
	case survivors > 0:
		os.Exit(1)
	}
}

// packages are the packages to mutate: the harness and the node.
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
	missed   bool // list the mutants that no test reaches
	jobs     int
	limit    time.Duration
	results  string
}

func parse(args []string) (options, error) {
	var o options
	var patterns string
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.StringVar(&patterns, "packages", strings.Join(packages, ","),
		"packages to mutate, as comma-separated `patterns` of the go command")
	flags.IntVar(&o.number, "number", 300, "number of mutants to try")
	flags.Uint64Var(&o.seed, "seed", 1, "seed that selects the mutants to try")
	flags.StringVar(&o.only, "only", "", "comma-separated `numbers` of mutants: try these, and print the output of their tests")
	flags.BoolVar(&o.list, "list", false, "print all mutants, and try none")
	flags.BoolVar(&o.missed, "unreached", false, "print the mutants that no test reaches, and try none")
	flags.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "number of concurrent runs")
	flags.DurationVar(&o.limit, "limit", 0, "time limit of the suite, or of a package's tests, with a mutant; "+
		"default three times as long as without, at least a minute")
	flags.StringVar(&o.results, "results", "reports/mutants.json", "`file` for the results")
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
