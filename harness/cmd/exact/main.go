// Command exact runs a command with a Go whose runtime is patched for exact replay: the run of a program that the
// command builds depends only on its seed. See package replay.
//
//	go run ./harness/cmd/exact go tool ginkgo ./harness/virtual
//
// The command replaces the process, so it has the same standard input and output, receives the same signals and
// returns its own exit code. If replay is not exact, exact prints the reason as one line on standard error and runs
// the command anyway. Note that go run exits with 1 for every code but 0.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

const usage = `usage: exact [-print] COMMAND [ARGUMENT...]

Runs the command with a Go whose runtime is patched for exact replay: the run of
a program that the command builds with Go depends only on its seed. The patches
are for the installed Go, which is not changed; they are stored in the user's
cache folder.

If the patches do not fit the installed Go, exact says so in one line and runs
the command anyway.

  -print   print the additional environment of the command as shell commands:
           eval "$(go run ./harness/cmd/exact -print)"

For example:
  go run ./harness/cmd/exact go test ./harness/virtual
`

func run(args []string, out, problems io.Writer) int {
	flags := flag.NewFlagSet("exact", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() { fmt.Fprint(problems, usage) }
	show := flags.Bool("print", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() == 0 && !*show {
		fmt.Fprint(problems, "exact: no command given\n\n", usage)
		return 2
	}
	toolchain, err := prepare()
	if err != nil {
		fmt.Fprintln(problems, "exact:", err)
		return 1
	}
	if !toolchain.Exact {
		fmt.Fprintln(problems, "exact: replay is not exact:", toolchain.Why)
	}
	if *show {
		display(out, os.Environ(), toolchain.Environ(os.Environ()))
	}
	if flags.NArg() == 0 {
		return 0
	}
	err = become(toolchain, flags.Args())
	fmt.Fprintf(problems, "exact: run %s: %v\n", flags.Arg(0), err)
	return 127 // the shell's code for a command that was not found
}

// prepare is replay.Prepare. A signal ends it early.
func prepare() (replay.Toolchain, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return replay.Prepare(ctx)
}

// become replaces this process by the command, so signals reach it directly, and once. It returns only if the command
// cannot be run.
func become(t replay.Toolchain, args []string) error {
	name := args[0]
	if name == "go" {
		name = t.Go
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	return syscall.Exec(path, args, t.Environ(os.Environ()))
}

// display prints the variables of after that are not in before, as shell commands.
func display(out io.Writer, before, after []string) {
	for _, variable := range after {
		if !slices.Contains(before, variable) {
			name, value, _ := strings.Cut(variable, "=")
			fmt.Fprintf(out, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		}
	}
}
