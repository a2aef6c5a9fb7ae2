// Command findings shows again what was seen of databases that somebody else makes, and prints it as tables:
//
//	go run ./harness/cmd/findings                            # all modules, one after the other; or: make findings
//	go run ./harness/cmd/findings -only dqlite -focus 'zero byte'
//	go run ./harness/cmd/findings -write README.md           # keeps the results, and writes the tables
//	go run ./harness/cmd/findings -only none -write README.md    # only the tables, such as after a merge of two records
//
// A module is a folder of harness with a go.mod and a findings_test.go. Its specs with the label finding run with
// REJOIN_TARGET=<name of the folder>. A database that is not installed is listed with the sentence that says what to install.
//
// With -write the results are merged into harness/findings/record.json, and the tables written between the marks of the file.
// What did not run keeps what stands there.
//
// What was seen is also a page, reports/index.html.
//
// The exit code is 0 if everything that ran was seen, 1 if something was not shown again, and 2 if the command was used wrongly or
// could not run. It runs in the folder of Rejoin's module. Ctrl-C ends it, and writes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

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
		fmt.Fprintln(os.Stderr, "findings:", err)
		os.Exit(2) //nolint:gocritic // the skipped stop does not matter at exit
	case missed:
		os.Exit(1)
	}
}

// recordFile has the results of the last runs.
const recordFile = "harness/findings/record.json"

// run returns whether something was not shown again.
func run(ctx context.Context, args []string) (missed bool, err error) {
	flags := flag.NewFlagSet("findings", flag.ContinueOnError)
	only := flags.String("only", "", "comma-separated `names` of modules, or none, which writes the tables of the record; default all")
	focus := flags.String("focus", "", "an `expression` that the titles of the findings must match")
	write := flags.String("write", "", "write the tables into this `file`, between its marks, and the results into "+recordFile)
	seed := flags.Int64("seed", 0, "Ginkgo's seed; 0 for one by the clock")
	report := flags.String("report", "reports/index.html", "the `file` for the page of what was seen; none if empty")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	began := time.Now()
	known, err := modules("harness")
	if err != nil {
		return false, err
	}
	chosen, err := choose(known, *only)
	if err != nil {
		return false, err
	}
	said, err := progress.Open(os.LookupEnv)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, said.Close()) }()
	var outcomes []outcome
	for i, m := range chosen {
		said.Title(fmt.Sprintf("%s, %d of %d", m, i+1, len(chosen))) // its suite says the rest
		out, err := m.show(ctx, *focus, *seed, os.Stdout)
		if err != nil {
			return false, err
		}
		outcomes = append(outcomes, out)
	}
	kept, err := load(recordFile)
	if err != nil {
		return false, err
	}
	var ran []row
	for _, out := range outcomes {
		ran = append(ran, out.rows...)
		kept = merge(kept, out, *focus == "")
	}
	fmt.Print("\n" + tables(ran) + unavailable(outcomes))
	if *write != "" {
		if err := errors.Join(save(recordFile, kept), writeTables(*write, kept)); err != nil {
			return false, err
		}
	}
	if len(outcomes) > 0 && *report != "" {
		if err := runs.Keep(*report, pageOf(outcomes, kept, began)); err != nil {
			return false, err
		}
		fmt.Println("\nreport:", *report)
	}
	return slices.ContainsFunc(outcomes, outcome.missed), nil
}

// choose returns the modules with those names, or all if there are no names.
func choose(known []module, only string) ([]module, error) {
	switch only {
	case "":
		return known, nil
	case "none":
		return nil, nil
	}
	var chosen []module
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(known, func(m module) bool { return m.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("-only %s: there is no such module; there are %v", name, known)
		}
		chosen = append(chosen, known[i])
	}
	return chosen, nil
}
