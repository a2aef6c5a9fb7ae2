package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
)

// settings are what the command is asked for.
type settings struct {
	seed    uint64
	length  time.Duration
	target  string
	shrink  time.Duration
	without []chaos.Kind
	worker  string // the directory of a worker's nodes; this is one then

	runs       int    // how many runs shrinking may take
	interleave uint64 // see package replay
	yield      float64
	decisions  string // folder, or empty
	defect     string // the name of the bug that is planted; empty if none is
	once       bool   // run one schedule, and shrink nothing
	journal    string // the file for the journal of that one; none if empty
	journals   string // the folder for journals of schedules that fail; none if empty
}

// The targets.
const (
	inVirtualTime = "virtual"
	inThisProcess = "local"
	inProcesses   = "process"
)

func parse(args []string, usage io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Uint64Var(&s.seed, "seed", 0, "the seed of the first schedule; each next one is greater by 1 (random if 0)")
	flags.DurationVar(&s.length, "for", time.Minute, "how long to look for failures, in real time")
	flags.StringVar(&s.target, "target", inVirtualTime, "where the nodes run: virtual, local or process")
	flags.DurationVar(&s.shrink, "shrink", 0, "how long to shrink what fails, in real time; not at all if 0 (default 1m, or 10m in virtual time)")
	flags.IntVar(&s.runs, "shrink-runs", 300, "how many runs to shrink what fails")
	flags.Uint64Var(&s.interleave, "interleave", 0, "the order in which goroutines run that could run in any, in virtual time: 0, or another one's number")
	flags.StringVar(&s.decisions, "decisions", "", "the `folder` to which the decisions of the scheduler of goroutines go, in virtual time")
	flags.Float64Var(&s.yield, "yield", 0, "how likely a goroutine yields at each channel, lock and pool operation, in virtual time: 0 to 1")
	flags.StringVar(&s.defect, "defect", "", "the name of a bug to plant in the nodes, as in README.md")
	flags.BoolVar(&s.once, "once", false, "run the schedule of -seed alone, once, and shrink nothing")
	flags.StringVar(&s.journal, "journal", "", "with -once, the file for its journal")
	flags.StringVar(&s.journals, "journals", "reports/journals", "the folder for the journals of schedules that fail; none if empty")
	flags.Func("without", "kinds of faults that are not made, such as \"wipe,full disk\"", s.leaveOut)
	flags.StringVar(&s.worker, "worker", "", "run schedules from standard input, with nodes in this directory (for the command's own use)")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("nothing is known of %q", flags.Arg(0))
	case s.target != inVirtualTime && s.target != inThisProcess && s.target != inProcesses:
		return s, fmt.Errorf("there is no target %q: virtual, local or process", s.target)
	case s.length <= 0 || s.shrink < 0 || s.runs < 0:
		return s, errors.New("it must have time to look for failures")
	case s.yield < 0 || s.yield > 1 || math.IsNaN(s.yield):
		return s, fmt.Errorf("-yield %v is not a chance: 0 to 1", s.yield)
	case s.decisions != "" && s.target != inVirtualTime:
		return s, errors.New("-decisions is of virtual time")
	case (s.interleave != 0 || s.yield != 0) && s.target != inVirtualTime:
		return s, errors.New("-interleave and -yield are of virtual time")
	case s.once && s.seed == 0:
		return s, errors.New("-once needs the -seed of the schedule")
	case s.journal != "" && !s.once:
		return s, errors.New("-journal needs -once")
	}
	if _, err := plant(s, nil); err != nil {
		return s, err
	}
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "shrink" })
	if !given {
		s.shrink = time.Minute
		if s.target == inVirtualTime { // there runs are the bound: they are the same on any machine
			s.shrink = 10 * time.Minute
		}
	}
	for s.seed == 0 {
		s.seed = rand.Uint64N(1 << 32)
	}
	return s, nil
}

// leaveOut reads the kinds of faults that are not made.
func (s *settings) leaveOut(names string) error {
	for name := range strings.SplitSeq(names, ",") {
		kind := chaos.Kind(strings.TrimSpace(name))
		if !slices.Contains(chaos.Kinds(), kind) {
			return fmt.Errorf("there is no kind %q: %q", string(kind), chaos.Kinds())
		}
		s.without = append(s.without, kind)
	}
	return nil
}

// again is the command that finds what was found with a seed, and shrinks it. What is not
// made decides what is drawn, too.
func (s settings) again(seed uint64) string {
	command := fmt.Sprintf("go run ./harness/cmd/chaos -seed %d -target %s", seed, s.target)
	if s.target == inVirtualTime {
		command = "go run ./harness/cmd/exact " + command
	}
	if len(s.without) > 0 {
		command += fmt.Sprintf(" -without %q", strings.Join(s.withoutNames(), ","))
	}
	return command + strings.TrimSuffix(" "+strings.Join(s.passed(), " "), " ")
}

func (s settings) withoutNames() []string {
	var names []string
	for _, kind := range s.without {
		names = append(names, string(kind))
	}
	return names
}

// passed are the flags that decide how a schedule runs, besides the schedule.
func (s settings) passed() []string {
	var flags []string
	if s.interleave != 0 {
		flags = append(flags, fmt.Sprintf("-interleave=%d", s.interleave))
	}
	if s.yield != 0 {
		flags = append(flags, fmt.Sprintf("-yield=%v", s.yield))
	}
	if s.defect != "" {
		flags = append(flags, "-defect="+s.defect)
	}
	return flags
}
