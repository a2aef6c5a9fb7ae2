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

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// settings are what the flags say.
type settings struct {
	seed    uint64
	length  time.Duration
	target  string
	shrink  time.Duration
	without []fault.Kind
	worker  string // the directory of the nodes of a worker; empty if this is none

	runs       int    // how many runs shrinking may take
	interleave uint64 // see package replay
	yield      float64
	decisions  string // folder; none if empty
	defect     string // the name of the planted bug; none if empty
	once       bool   // run one schedule, and shrink nothing
	journal    string // the file for the journal of that one; none if empty
	journals   string // the folder for journals of schedules that fail; none if empty
	report     string // the file for the page; none if empty
}

// The targets.
const (
	inVirtualTime = "virtual"
	inThisProcess = "local"
	inProcesses   = "process"
	onHosts       = "hosts"
)

func parse(args []string, usage io.Writer) (settings, error) {
	var s settings
	flags := s.flags(usage)
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := s.validate(); err != nil {
		return s, err
	}
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "shrink" })
	if !given {
		s.shrink = time.Minute
		if s.target == inVirtualTime { // -shrink-runs is the bound there: runs are the same on any machine
			s.shrink = 10 * time.Minute
		}
	}
	if s.runs == 0 {
		s.shrink = 0
	}
	for s.seed == 0 {
		s.seed = rand.Uint64N(1 << 32)
	}
	return s, nil
}

func (s *settings) flags(usage io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Uint64Var(&s.seed, "seed", 0, "the seed of the first schedule; each next one is greater by 1 (random if 0)")
	flags.DurationVar(&s.length, "for", time.Minute, "how long to look for failures, in real time")
	flags.StringVar(&s.target, "target", inVirtualTime, "where the nodes run: virtual, local, process or hosts")
	flags.DurationVar(&s.shrink, "shrink", 0,
		"how long to shrink a failure, in real time; 0 does not shrink (default 1m, or 10m in virtual time)")
	flags.IntVar(&s.runs, "shrink-runs", 300, "how many runs shrinking may take")
	flags.Uint64Var(&s.interleave, "interleave", 0,
		"the order of goroutines that are due at the same time, in virtual time: 0, or the number of another order")
	flags.StringVar(&s.decisions, "decisions", "", "the `folder` for the decisions of the scheduler of goroutines, in virtual time")
	flags.Float64Var(&s.yield, "yield", 0,
		"how likely a goroutine yields at each channel, lock and pool operation, in virtual time: 0 to 1")
	flags.StringVar(&s.defect, "defect", "", "the name of a bug to plant in the nodes, as in README.md")
	flags.BoolVar(&s.once, "once", false, "run the schedule of -seed alone, and do not shrink it")
	flags.StringVar(&s.journal, "journal", "", "with -once, the file for its journal")
	flags.StringVar(&s.journals, "journals", "reports/journals", "the folder for the journals of schedules that fail; none if empty")
	flags.StringVar(&s.report, "report", "reports/index.html", "the file for the page of what was done and found; none if empty")
	flags.Func("without", "kinds of faults to leave out, such as \"wipe,full disk\"", s.leaveOut)
	flags.StringVar(&s.worker, "worker", "", "run schedules from standard input, with nodes in this directory (for the command's own use)")
	flags.Usage = func() {
		fmt.Fprintln(usage, "usage: chaos [FLAG...]\n\nThe flags:")
		flags.PrintDefaults()
		fmt.Fprintln(usage, "\nThe kinds of faults:")
		for _, k := range nemesis.All() {
			fmt.Fprintf(usage, "  %-23s %s\n", k.Name, k.Doc)
		}
	}
	return flags
}

func (s *settings) validate() error {
	switch {
	case !slices.Contains([]string{inVirtualTime, inThisProcess, inProcesses, onHosts}, s.target):
		return fmt.Errorf("unknown target %q: the targets are virtual, local, process and hosts", s.target)
	case s.length <= 0 || s.shrink < 0 || s.runs < 0:
		return errors.New("-for must be positive, -shrink and -shrink-runs must not be negative")
	case s.yield < 0 || s.yield > 1 || math.IsNaN(s.yield):
		return fmt.Errorf("-yield %v is not a probability: 0 to 1", s.yield)
	case s.decisions != "" && s.target != inVirtualTime:
		return errors.New("-decisions needs virtual time")
	case (s.interleave != 0 || s.yield != 0) && s.target != inVirtualTime:
		return errors.New("-interleave and -yield need virtual time")
	case s.once && s.seed == 0:
		return errors.New("-once needs the -seed of the schedule")
	case s.journal != "" && !s.once:
		return errors.New("-journal needs -once")
	case len(space(*s).Kinds) == 0:
		return errors.New("-without leaves no kind of fault")
	}
	_, err := plant(*s, nil)
	return err
}

// children tells whether the nodes are child processes.
func (s settings) children() bool { return s.target == inProcesses || s.target == onHosts }

// leaveOut reads the kinds of faults to leave out.
func (s *settings) leaveOut(names string) error {
	for name := range strings.SplitSeq(names, ",") {
		kind, err := nemesis.Find(fault.Kind(strings.TrimSpace(name)))
		if err != nil {
			return err
		}
		s.without = append(s.without, kind.Name)
	}
	return nil
}

// again is the command that finds the failure of a seed again, and shrinks it. It leaves out the same kinds
// of faults, because they decide what is drawn.
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

// passed are the flags that decide how a schedule runs.
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
