package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

// settings are what the command is asked for.
type settings struct {
	seed       string
	spec       string // the full text of a spec; all specs if empty
	chaos      bool
	without    string // kinds of faults, as cmd/chaos takes them
	journal    string // the file with what is expected; another run is, if empty
	interleave uint64
	yield      float64
	defect     string
	runs       int // 0: one beside a journal, two otherwise
	parallel   int
	where      bool
	limit      time.Duration
	context    int // events
	inexact    bool
}

const usage = `usage: replay -seed N [-spec TEXT | -chaos] [-journal FILE] [FLAG...]

Runs one spec of the suite again in virtual time, all specs, or one schedule of
cmd/chaos, built for exact replay from the Go module of the current directory. It
compares the journal with that of the failure; without -journal it runs twice, or
-runs times, and compares the first with the others. It says "the same, to the
nanosecond", or shows the first event at which they part, on both sides. If runs part
where each should be its seed, -where finds the first decision of the scheduler, or the
first draw of a random number, that differs.

make replay takes the same as variables: SEED, SPEC, CHAOS=1, WITHOUT, JOURNAL, INTERLEAVE,
YIELD, DEFECT, RUNS and WHERE=1. Settings of the cluster that were not the defaults are given as when
it failed, as REJOIN_NODES=5. A failing spec prints the whole line.

Flags:
`

const codes = `
What is compared of a journal: all events in their order, each with its virtual time,
how long it took, and all that it says. What is not: the first line of the file, and, in
what went wrong, addresses of memory, numbers of goroutines and names of temporary
directories.

The exit code suits git bisect run:
  0    the spec passes, or what was in the journal of a failure happens no more
  1    the spec fails; or it passes, and its journal is other than expected: than
       that of a spec that passed, given by -journal, or than that of the first run
  125  it cannot be told: nothing could be built or run, there is no such spec, or
       replay is not exact (-inexact runs all the same)
  130  it was interrupted
make knows no code but 0 and 2, and go run none but 0 and 1, so build the command for
git bisect, in a place that git does not change:
  go build -o /tmp/replay ./harness/cmd/replay
  git bisect run /tmp/replay -seed 17 -spec 'A replicated SQL database …'
`

func parse(args []string, to io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(to)
	flags.Usage = func() {
		fmt.Fprint(to, usage)
		flags.PrintDefaults()
		fmt.Fprint(to, codes)
	}
	flags.StringVar(&s.seed, "seed", "", "Ginkgo's `seed`, or with -chaos the schedule's")
	flags.StringVar(&s.spec, "spec", "", "the full `text` of the spec; that of -journal if there is one, and all specs otherwise")
	flags.BoolVar(&s.chaos, "chaos", false, "run a schedule of cmd/chaos")
	flags.StringVar(&s.without, "without", "", "with -chaos, the `kinds` of faults that were not made")
	flags.StringVar(&s.journal, "journal", "", "the `file` with the journal that is expected")
	flags.Uint64Var(&s.interleave, "interleave", 0, "the order of goroutines it ran in, `N`")
	flags.Float64Var(&s.yield, "yield", 0, "the `chance` with which goroutines yielded")
	flags.StringVar(&s.defect, "defect", "", "the `name` of the bug that was planted")
	flags.IntVar(&s.runs, "runs", 0, "how often it runs, `N`; once beside a journal and twice otherwise, if 0")
	flags.IntVar(&s.parallel, "parallel", 1, "how many `processes` run at once")
	flags.BoolVar(&s.where, "where", false, "show the first decision of the scheduler at which two runs part; it takes minutes for all specs")
	flags.DurationVar(&s.limit, "limit", 10*time.Minute, "how long one run may take, in real `time`")
	flags.IntVar(&s.context, "context", 5, "how many `events` are shown before and after where journals part")
	flags.BoolVar(&s.inexact, "inexact", false, "run also where replay is not exact")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(flags.Args())
}

func (s settings) check(rest []string) error {
	var bad error
	if s.chaos {
		_, bad = strconv.ParseUint(s.seed, 10, 64)
	} else {
		_, bad = strconv.ParseInt(s.seed, 10, 64)
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("nothing is known of %q", rest[0])
	case s.seed == "":
		return errors.New("-seed is needed")
	case bad != nil:
		return fmt.Errorf("-seed %q is not a whole number", s.seed)
	case s.chaos && s.spec != "":
		return errors.New("a schedule has no -spec")
	case !s.chaos && s.without != "":
		return errors.New("-without needs -chaos")
	case s.yield < 0 || s.yield > 1 || math.IsNaN(s.yield):
		return fmt.Errorf("-yield %v is not a chance: 0 to 1", s.yield)
	case s.runs < 0 || s.parallel < 1:
		return errors.New("-runs must not be negative, and -parallel at least 1")
	case s.runs == 1 && s.journal == "":
		return errors.New("-runs 1 without -journal compares nothing")
	case s.where && s.runs == 1:
		return errors.New("-where compares two runs: -runs 1 is too few")
	case s.limit <= 0 || s.context < 0:
		return errors.New("-limit must be positive, and -context not negative")
	}
	return nil
}
