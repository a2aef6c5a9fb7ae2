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

// settings are the command's flags.
type settings struct {
	seed       string
	spec       string // full text of a spec; empty for all specs
	chaos      bool
	without    string // excluded kinds of faults, in the format of cmd/chaos
	journal    string // file with the expected journal; empty to compare runs
	interleave uint64
	yield      float64
	defect     string
	runs       int // 0: one with a journal, two otherwise
	parallel   int
	where      bool
	limit      time.Duration
	context    int // number of events
	inexact    bool
}

const usage = `usage: replay -seed N [-spec TEXT | -chaos] [-journal FILE] [FLAG...]

Runs one spec of the suite in virtual time again, or all specs, or one schedule of
cmd/chaos. It builds the Go module of the current directory for exact replay, and
compares the journal of the run with that of the failure. Without -journal it runs
twice, or -runs times, and compares the first run with the others. It prints "the
same, to the nanosecond", or the first event at which the journals differ, of both
sides. If runs of one seed differ, -where finds the first scheduling decision or
random draw that differs.

make replay takes the same as variables: SEED, SPEC, CHAOS=1, WITHOUT, JOURNAL,
INTERLEAVE, YIELD, DEFECT, RUNS and WHERE=1. Pass settings of the cluster that were
not the defaults as for the failed run, for example REJOIN_NODES=5. A failing spec
prints the whole line.

Flags:
`

const codes = `
The comparison covers all events in order, each with its virtual time, its duration
and its content. It ignores the first line of the file, and memory addresses,
goroutine numbers and names of temporary directories in failures.

The exit code suits git bisect run:
  0    the spec passes, or a failure in the journal does not occur
  1    the spec fails; or it passes, but its journal differs from that of a spec
       that passed, given by -journal, or from that of the first run
  125  inconclusive: the build or the run failed, there is no such spec, or replay
       is not exact (-inexact runs anyway)
  130  interrupted
make returns only the codes 0 and 2, and go run only 0 and 1. For git bisect, build
the command outside of the working tree:
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
	flags.StringVar(&s.spec, "spec", "", "full `text` of the spec; default that of -journal, or all specs without -journal")
	flags.BoolVar(&s.chaos, "chaos", false, "run a schedule of cmd/chaos")
	flags.StringVar(&s.without, "without", "", "with -chaos, the excluded `kinds` of faults")
	flags.StringVar(&s.journal, "journal", "", "`file` with the expected journal")
	flags.Uint64Var(&s.interleave, "interleave", 0, "interleaving `N` of the failed run")
	flags.Float64Var(&s.yield, "yield", 0, "yield `probability` of the failed run")
	flags.StringVar(&s.defect, "defect", "", "`name` of the planted bug")
	flags.IntVar(&s.runs, "runs", 0, "number `N` of runs; default 1 with -journal, otherwise 2")
	flags.IntVar(&s.parallel, "parallel", 1, "number of concurrent `processes`")
	flags.BoolVar(&s.where, "where", false, "show the first scheduling decision at which two runs differ; takes minutes for all specs")
	flags.DurationVar(&s.limit, "limit", 10*time.Minute, "`time` limit of one run, in real time")
	flags.IntVar(&s.context, "context", 5, "number of `events` to show before and after a difference")
	flags.BoolVar(&s.inexact, "inexact", false, "run even if replay is not exact")
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
		return fmt.Errorf("unexpected argument %q", rest[0])
	case s.seed == "":
		return errors.New("-seed is required")
	case bad != nil:
		return fmt.Errorf("-seed %q is not a whole number", s.seed)
	case s.chaos && s.spec != "":
		return errors.New("a schedule has no -spec")
	case !s.chaos && s.without != "":
		return errors.New("-without needs -chaos")
	case s.yield < 0 || s.yield > 1 || math.IsNaN(s.yield):
		return fmt.Errorf("-yield %v: must be 0 to 1", s.yield)
	case s.runs < 0 || s.parallel < 1:
		return errors.New("-runs must not be negative, and -parallel at least 1")
	case s.runs == 1 && s.journal == "":
		return errors.New("-runs 1 without -journal compares nothing")
	case s.where && s.runs == 1:
		return errors.New("-where compares two runs: -runs must not be 1")
	case s.limit <= 0 || s.context < 0:
		return errors.New("-limit must be positive, and -context not negative")
	}
	return nil
}
