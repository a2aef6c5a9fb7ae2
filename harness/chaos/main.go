package chaos

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// The exit codes of Main.
const (
	exitSound  = 0
	exitFailed = 1
	exitMisuse = 2
)

// asWorker is the variable that makes a program that calls Main a worker of itself.
const asWorker = "REJOIN_CHAOS_WORKER"

// Main looks for failures of the target, and ends the process: with 0 if there is none, 1 if there is one,
// 2 if it could not look. It is all that main or TestMain of a package needs:
//
//	func TestMain(*testing.M) { chaos.Main(yourdb.Target{}) }
//
// In a program of its own it takes the flags -seed, -for, -shrink and -once; in a test the variables SEED,
// FOR and SHRINK, which are the flags' defaults too. It prints what fails as a spec, with the command that
// runs it again. It starts the program again as a worker, so call it before anything else. For more
// settings, see Hunt.
func Main(t target.Target) { os.Exit(Hunt{Target: t}.Main()) }

// Main is the function Main with the settings of the hunt as defaults. It returns the exit code.
func (h Hunt) Main() int {
	h, err := h.configured(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitSound
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return exitMisuse
	case os.Getenv(asWorker) != "":
		return h.serve()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	found, err := h.Run(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return exitMisuse
	case found:
		return exitFailed
	}
	return exitSound
}

// serve is the worker. A signal to stop is for the program that started it.
func (h Hunt) serve() int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if err := h.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return exitMisuse
	}
	return exitSound
}

// configured returns the hunt as the environment and the arguments say.
func (h Hunt) configured(args []string) (Hunt, error) {
	if h.Target == nil {
		return h, errors.New("there is no target")
	}
	if err := h.fromEnvironment(); err != nil {
		return h, err
	}
	if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-test.") }) {
		if err := h.fromFlags(args, os.Stderr); err != nil {
			return h, err
		}
	}
	if h.For < 0 || h.Shrink < 0 {
		return h, fmt.Errorf("duration %v and time to shrink %v must not be negative", h.For, h.Shrink)
	}
	if h.Once && h.Seed == 0 {
		return h, errors.New("-once needs the -seed of the schedule")
	}
	if h.Worker == nil {
		self, err := os.Executable()
		if err != nil {
			return h, fmt.Errorf("find this program: %w", err)
		}
		h.Worker = func() *exec.Cmd {
			cmd := exec.Command(self) //nolint:noctx // it ends with its input
			cmd.Env = append(os.Environ(), asWorker+"=1")
			return cmd
		}
	}
	return h, nil
}

func (h *Hunt) fromEnvironment() error {
	h.Shrink = cmp.Or(h.Shrink, time.Minute)
	for _, v := range []struct {
		name string
		set  func(string) error
	}{
		{"SEED", func(text string) (err error) { h.Seed, err = strconv.ParseUint(text, 10, 64); return err }},
		{"FOR", func(text string) (err error) { h.For, err = time.ParseDuration(text); return err }},
		{"SHRINK", func(text string) (err error) { h.Shrink, err = time.ParseDuration(text); return err }},
	} {
		if text := os.Getenv(v.name); text != "" {
			if err := v.set(text); err != nil {
				return fmt.Errorf("%s=%s: %w", v.name, text, err)
			}
		}
	}
	return nil
}

func (h *Hunt) fromFlags(args []string, usage io.Writer) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Uint64Var(&h.Seed, "seed", h.Seed, "the seed of the first schedule; each next one is greater by 1 (default random)")
	flags.DurationVar(&h.For, "for", cmp.Or(h.For, time.Minute), "how long to look for failures")
	flags.DurationVar(&h.Shrink, "shrink", h.Shrink, "how long to shrink a failure; 0 does not shrink")
	flags.BoolVar(&h.Once, "once", h.Once, "run the schedule of -seed alone, and do not shrink it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return nil
}

// again is the command that runs the schedule of a seed again by Main.
func again(seed uint64) string {
	info, is := debug.ReadBuildInfo()
	switch {
	case is && strings.HasSuffix(info.Path, ".test"):
		return fmt.Sprintf("SEED=%d go test -count=1 %s", seed, strings.TrimSuffix(info.Path, ".test"))
	case is && info.Path != "" && info.Path != "command-line-arguments":
		return fmt.Sprintf("go run %s -seed %d", info.Path, seed)
	}
	return fmt.Sprintf("%s -seed %d", os.Args[0], seed)
}
