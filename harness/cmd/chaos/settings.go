package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
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
	flags.DurationVar(&s.shrink, "shrink", time.Minute, "how long to shrink what fails, in real time")
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
	case s.length <= 0 || s.shrink < 0:
		return s, errors.New("it must have time to look for failures")
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

// again is the command that finds what was found with a seed. What is not made
// decides what is drawn, too.
func (s settings) again(seed uint64) string {
	command := fmt.Sprintf("go run ./harness/cmd/chaos -seed %d -target %s", seed, s.target)
	if len(s.without) > 0 {
		var names []string
		for _, kind := range s.without {
			names = append(names, string(kind))
		}
		command += fmt.Sprintf(" -without %q", strings.Join(names, ","))
	}
	return command
}
