// Command live runs a command, and shows how far it is in one line, which it draws anew in place below what the command prints:
//
//	go tool live go tool ginkgo -p .
//	go tool live -C harness/dqlite go test . -timeout 0
//
// The line has the parts done of all, those that failed, the time, what is left of it, and what runs now. It says "compiling" until
// the command says how far it is, by package progress. What the command prints stays as it is, byte by byte.
//
// Where standard output is no terminal, the line is printed to standard error: twice a minute at most.
//
// How long is left comes from the times of the last run, which are in reports/times.json, or else from the parts that are done.
//
// With NO_COLOR neither the line nor Ginkgo has colours. The exit code is that of the command, or 127 if it cannot be run. Ctrl-C
// reaches the command, and live ends after it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes of live itself, as shells have them.
const (
	misused  = 2
	notFound = 127
)

const usage = `usage: live [-C FOLDER] COMMAND [ARGUMENT...]

Runs the command in the folder, and shows below its output how far it is.
`

func run(args []string, in, out, problems *os.File) int {
	flags := flag.NewFlagSet("live", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() { fmt.Fprint(problems, usage) }
	folder := flags.String("C", "", "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return misused
	}
	if flags.NArg() == 0 {
		fmt.Fprint(problems, "live: no command given\n\n", usage)
		return misused
	}
	c := command{args: flags.Args(), dir: *folder, in: in, environ: os.Environ()}
	code, err := c.show(newScreen(out, problems), time.Now)
	if err != nil {
		fmt.Fprintln(problems, "live:", err)
	}
	return code
}

// newScreen is the terminal of out, or, where out is none, problems for a line now and then.
func newScreen(out, problems *os.File) *screen {
	s := &screen{out: out, problems: problems, color: os.Getenv("NO_COLOR") == ""}
	if draws(out) {
		s.width = func() int {
			width, _, err := term.GetSize(int(out.Fd()))
			if err != nil {
				return 80
			}
			return width
		}
		s.shared = term.IsTerminal(int(problems.Fd()))
	}
	return s
}

// draws tells whether a line can be drawn in place on the file.
func draws(file *os.File) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && term.IsTerminal(int(file.Fd()))
}
