// Command defects runs the suite once for each planted bug, in virtual time, and reports which specs caught it:
//
//	go run ./harness/cmd/defects                          # all bugs, each up to the first failure; or: make defects
//	go run ./harness/cmd/defects -only loses-ddl,no-re-election
//	go run ./harness/cmd/defects -all -write harness/defects/README.md    # all specs, and the table; or: make defects ALL=1
//	go run ./harness/cmd/defects -ordinary 200            # shows that ordinary runs do not catch races
//	go run ./harness/cmd/defects -target hosts            # the bugs that nodes on hosts can have
//
// The suite is the ordinary one, built for exact replay if the installed Go can be patched (package replay). It runs
// without a bug first, and must pass. Without -all, the specs about a bug (defects.Defect.About) run first, then all
// others, up to the first failure. With -all every spec runs, and at least one of the specs that catch a bug must be
// about it. The exit code is 1 if a bug was missed, or caught only by specs that are not about it, and 2 if the result
// is inconclusive.
//
// For a race between two goroutines (defects.Defect.Between) the command tries interleavings 1, 2, 3 and so on
// (-interleave of command replay), in which goroutines yield at locks, channels and pools with a probability. Only the
// specs about the bug run at first. A failure is run again by itself: it must fail the same way each time, and pass
// without the bug. The command prints the line that runs it again.
//
// The table is also a page, reports/index.html.
//
// With -ordinary the command shows that races need this: it runs the specs about each race, or all specs with -all,
// that many times without interleaving, each time with a different seed. All runs must miss the bug. The exit code is
// 1 if one was caught.
//
// On a target other than virtual the command plants the bugs that the target can have (defects.Defect.Plant), one after
// the other. The run without a bug has only the specs about them, unless -all is given.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/report/progress"
	"github.com/rejoin-db/rejoin/harness/report/runs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	missed, err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "defects:", err)
		os.Exit(2) //nolint:gocritic // the skipped stop does not matter at exit
	case missed > 0:
		os.Exit(1)
	}
}

type options struct {
	target   string
	only     string
	all      bool
	jobs     int
	limit    time.Duration
	seed     int64
	write    string
	report   string
	orders   uint64  // interleavings to try for a race
	yield    float64 // yield probability in them
	again    int     // number of times that a failure is run again
	ordinary int     // ordinary runs for each race
}

// The time limits of the suite with one bug. A bug that makes specs hang costs 20 seconds for each of them: see
// suite_test.go.
const (
	limitToFirst = 3 * time.Minute
	limitOfAll   = 6 * time.Minute
)

func run(ctx context.Context, args []string) (missed int, err error) {
	var o options
	flags := flag.NewFlagSet("defects", flag.ContinueOnError)
	flags.StringVar(&o.only, "only", "", "comma-separated names of bugs; default all")
	flags.BoolVar(&o.all, "all", false, "run all specs for each bug, not only up to the first failure")
	flags.StringVar(&o.target, "target", inVirtualTime, "where the nodes run: virtual, local, process or hosts")
	flags.IntVar(&o.jobs, "jobs", 0, "number of concurrent runs; default one for each CPU in virtual time, and one elsewhere")
	flags.DurationVar(&o.limit, "limit", 0,
		fmt.Sprintf("time limit of the suite for one bug; default %v, or %v with -all", limitToFirst, limitOfAll))
	flags.Int64Var(&o.seed, "seed", 1, "Ginkgo's seed")
	flags.StringVar(&o.write, "write", "",
		"write the table into this file, between its marks; with -all it counts the specs that catch each bug")
	flags.StringVar(&o.report, "report", "reports/index.html", "the `file` for the page with the table; none if empty")
	flags.Uint64Var(&o.orders, "orders", 100, "number of interleavings to try for a race between two goroutines")
	flags.Float64Var(&o.yield, "yield", 0.05, "`probability` that a goroutine yields in them, above 0 and up to 1")
	flags.IntVar(&o.again, "again", 1, "number of `times` that a spec that caught a race is run again")
	flags.IntVar(&o.ordinary, "ordinary", 0, "only make this number of ordinary `runs` for each race")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	if !(o.yield > 0 && o.yield <= 1) {
		return 0, fmt.Errorf("-yield %v: must be above 0 and at most 1", o.yield)
	}
	if o.ordinary < 0 || o.again < 0 {
		return 0, errors.New("-ordinary and -again must not be negative")
	}
	if o.target != inVirtualTime && (o.ordinary > 0 || o.write != "") {
		return 0, errors.New("-ordinary and -write need virtual time")
	}
	o.limit = cmp.Or(o.limit, defaultLimit(o.all))
	o.jobs = cmp.Or(o.jobs, defaultJobs(o.target))
	chosen, err := choose(o.only, o.target)
	if err != nil {
		return 0, err
	}
	suite, err := build(ctx, o.target)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, suite.remove()) }()
	if o.ordinary > 0 {
		return suite.ordinary(ctx, chosen, o)
	}
	said, err := progress.Open(os.LookupEnv)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, said.Close()) }()
	begun := time.Now()
	verdicts, err := judge(ctx, suite, chosen, o, said)
	if err != nil {
		return 0, err
	}
	missed = report(verdicts, o.all, time.Since(begun))
	if o.write != "" {
		err = writeTable(o.write, verdicts, o.all)
	}
	if o.report != "" && err == nil {
		if err = runs.Keep(o.report, pageOf(verdicts, missed, o, begun)); err == nil {
			fmt.Println("\nreport:", o.report)
		}
	}
	return missed, err
}

func defaultLimit(all bool) time.Duration {
	if all {
		return limitOfAll
	}
	return limitToFirst
}

// report prints a summary of the verdicts, and returns how many bugs were missed.
func report(verdicts []verdict, all bool, took time.Duration) (missed int) {
	caught := 0
	var unrelated []string
	for _, v := range verdicts {
		switch {
		case !v.caught():
			missed++
		case all && v.about == 0:
			missed++
			unrelated = append(unrelated, fmt.Sprintf("%s (%s)", v.defect.Name, v.defect.About))
			fallthrough
		default:
			caught++
		}
	}
	fmt.Printf("\n%d of %d bugs caught in %v\n", caught, len(verdicts), took.Round(time.Second))
	if len(unrelated) > 0 {
		fmt.Printf("caught, but not by the specs about them: %s\n", strings.Join(unrelated, ", "))
	}
	return missed
}

// choose returns the named bugs, or all that the target can have.
func choose(only, place string) ([]defects.Defect, error) {
	can, err := carrier(place)
	if err != nil {
		return nil, err
	}
	if only == "" {
		return slices.DeleteFunc(defects.All(), func(d defects.Defect) bool { return can(d) != nil }), nil
	}
	var chosen []defects.Defect
	for name := range strings.SplitSeq(only, ",") {
		d, err := defects.Find(strings.TrimSpace(name))
		if err == nil {
			err = can(d)
		}
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, d)
	}
	return chosen, nil
}

// judge runs the suite without a bug, and then once with each bug.
func judge(ctx context.Context, s *suite, chosen []defects.Defect, o options, said *progress.Teller) ([]verdict, error) {
	said.Say("the suite without a bug")
	sound, err := s.run(ctx, o.sound(chosen))
	fmt.Println(sound)
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("interrupted before the first verdict")
	case err != nil:
		return nil, err
	case sound.caught():
		return nil, errors.New("the suite fails without a bug")
	case sound.specs == 0:
		return nil, errors.New("the suite ran no specs")
	}
	verdicts, errs := make([]verdict, len(chosen)), make([]error, len(chosen))
	seats := make(chan int, max(o.jobs, 1))
	for seat := range cap(seats) {
		seats <- seat
	}
	said.Begin(progress.Work{Name: o.name(), Unit: "bugs", All: len(chosen)})
	var wg sync.WaitGroup
	for i, d := range chosen {
		wg.Go(func() {
			seat := <-seats
			defer func() { seats <- seat }()
			if ctx.Err() == nil {
				said.Start(seat, d.Name)
				verdicts[i], errs[i] = s.judge(ctx, d, o)
				said.End(seat, d.Name, outcomeOf(verdicts[i]), verdicts[i].took)
				fmt.Println(verdicts[i])
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		judged := slices.DeleteFunc(verdicts, func(v verdict) bool { return v.defect.Name == "" })
		return nil, fmt.Errorf("interrupted, with %d of %d bugs judged", len(judged), len(chosen))
	}
	return verdicts, errors.Join(errs...)
}

// outcomeOf is how progress is said: a bug that was missed has failed.
func outcomeOf(v verdict) progress.Outcome {
	if v.caught() {
		return progress.Passed
	}
	return progress.Failed
}

// name tells runs apart whose bugs take different times.
func (o options) name() string {
	if o.all {
		return o.target + ", all specs"
	}
	return o.target
}

// judge runs the suite with one bug. Without o.all, the specs about it run first.
func (s *suite) judge(ctx context.Context, d defects.Defect, o options) (verdict, error) {
	if d.Between {
		return s.search(ctx, d, o)
	}
	if !o.all {
		about := o.trial(d)
		about.labels = d.About
		if v, err := s.run(ctx, about); err != nil || v.caught() || ctx.Err() != nil {
			return v, err
		}
	}
	return s.run(ctx, o.trial(d))
}

// trial returns the ordinary run with a bug.
func (o options) trial(d defects.Defect) trial {
	return trial{target: o.target, defect: d, seed: o.seed, all: o.all, limit: o.limit}
}

// sound returns the run without a bug. In virtual time it takes seconds, and has all specs.
func (o options) sound(chosen []defects.Defect) trial {
	t := o.trial(defects.None)
	if o.target == inVirtualTime || o.all {
		return t
	}
	var about []string
	for _, d := range chosen {
		if label := "(" + d.About + ")"; !slices.Contains(about, label) {
			about = append(about, label)
		}
	}
	t.labels = strings.Join(about, " || ")
	return t
}
