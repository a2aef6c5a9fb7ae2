// Command exact runs a command with a Go whose runtime is patched for exact replay: what
// the command builds runs exactly as its seed says. See package replay.
//
//	go run ./harness/cmd/exact go tool ginkgo ./harness/virtual
//
// It takes the command's place, so standard input and output, signals and the exit code
// are the command's. If replay is not exact, it says why in one line on standard error,
// and runs the command all the same. go run ends with 1 for any code but 0; what go build
// makes of this command ends with the command's own.
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

Runs the command with a Go whose runtime is patched for exact replay: what the
command builds with Go runs exactly as its seed says. The patches are for the
installed Go, which stays as it is; they are kept in the cache folder of the user.

If the patches do not fit the installed Go, exact says so in one line and runs the
command all the same.

  -print   print the environment that the command gets in addition, as lines for a
           shell: eval "$(go run ./harness/cmd/exact -print)"

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
		fmt.Fprint(problems, "exact: a command is missing\n\n", usage)
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
	return 127 // as a shell says that a command was not found
}

// prepare ends early if a signal comes.
func prepare() (replay.Toolchain, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return replay.Prepare(ctx)
}

// become is the command from here on: the same process, so each signal reaches it as it
// was sent, and once. It returns only if the command cannot be run.
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

// display prints the variables of after that are not in before, as a shell reads them.
func display(out io.Writer, before, after []string) {
	for _, variable := range after {
		if !slices.Contains(before, variable) {
			name, value, _ := strings.Cut(variable, "=")
			fmt.Fprintf(out, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		}
	}
}
