// Defects runs the suite once for each planted bug, in virtual time, and says which
// spec caught it first:
//
//	go run ./harness/cmd/defects                          # all; or: make defects
//	go run ./harness/cmd/defects -only loses-ddl,no-re-election
//	go run ./harness/cmd/defects -write README.md         # and puts the table there
//
// The suite is the ordinary one, and stops at its first failure. First it is run
// without a bug, and must pass. The exit code is 1 if a bug was missed, and 2 if
// nothing was proved.
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
	"sync"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/defects"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	missed, err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "defects:", err)
		os.Exit(2) //nolint:gocritic // nothing is left to stop
	case missed > 0:
		os.Exit(1)
	}
}

type options struct {
	only  string
	jobs  int
	limit time.Duration
	seed  int64
	write string
}

func run(ctx context.Context, args []string) (missed int, err error) {
	var o options
	flags := flag.NewFlagSet("defects", flag.ContinueOnError)
	flags.StringVar(&o.only, "only", "", "names of the bugs, with commas between; all if empty")
	flags.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "how many run at once")
	flags.DurationVar(&o.limit, "limit", 90*time.Second, "how long the suite may take for one bug")
	flags.Int64Var(&o.seed, "seed", 1, "where the suite's chance comes from")
	flags.StringVar(&o.write, "write", "", "a file that has the table between its marks")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	chosen, err := choose(o.only)
	if err != nil {
		return 0, err
	}
	suite, err := build(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, suite.remove()) }()
	begun := time.Now()
	verdicts, err := judge(ctx, suite, chosen, o)
	if err != nil {
		return 0, err
	}
	caught := 0
	for _, v := range verdicts {
		if v.caught {
			caught++
		}
	}
	fmt.Printf("\n%d of %d bugs caught in %v\n", caught, len(chosen), time.Since(begun).Round(time.Second))
	if o.write != "" {
		err = writeTable(o.write, verdicts)
	}
	return len(chosen) - caught, err
}

func choose(only string) ([]defects.Defect, error) {
	if only == "" {
		return defects.All(), nil
	}
	var chosen []defects.Defect
	for name := range strings.SplitSeq(only, ",") {
		d, err := defects.Find(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, d)
	}
	return chosen, nil
}

// judge runs the suite without a bug, and then once for each.
func judge(ctx context.Context, s *suite, chosen []defects.Defect, o options) ([]verdict, error) {
	sound := s.run(ctx, defects.None, o)
	fmt.Println(sound)
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("interrupted before anything was proved")
	case sound.caught:
		return nil, errors.New("the suite fails without a bug, so it proves nothing")
	case sound.specs == 0:
		return nil, errors.New("the suite ran no spec, so it proves nothing")
	}
	verdicts := make([]verdict, len(chosen))
	seats := make(chan struct{}, max(o.jobs, 1))
	var wg sync.WaitGroup
	for i, d := range chosen {
		wg.Go(func() {
			seats <- struct{}{}
			defer func() { <-seats }()
			if ctx.Err() == nil {
				verdicts[i] = s.run(ctx, d, o)
				fmt.Println(verdicts[i])
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		judged := slices.DeleteFunc(verdicts, func(v verdict) bool { return v.defect.Name == "" })
		return nil, fmt.Errorf("interrupted, with %d of %d bugs judged", len(judged), len(chosen))
	}
	return verdicts, nil
}
