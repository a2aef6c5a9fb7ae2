// Command judge judges saved histories: journals of this project, and Jepsen's history.edn.
//
//	go run ./harness/cmd/judge reports/journals/*.jsonl
//	go run ./harness/cmd/judge -claim snapshot-isolation history.edn
//	go run ./harness/cmd/judge -rules                    # lists the rules
//
// It prints what each rule judged and skipped, and a counterexample for each violation. The exit code is 0 if every
// history is sound, 1 if one is broken, and 2 if one cannot be judged and none is broken.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// The exit codes.
const (
	sound       = 0
	broken      = 1
	notJudgable = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

type options struct {
	claims  []check.Rule
	level   journal.Level
	balance *int64
	budget  time.Duration
}

func run(args []string, in io.Reader, out, problems io.Writer) int {
	o, files, err := parse(args, out, problems)
	if errors.Is(err, flag.ErrHelp) {
		return sound
	}
	if err != nil {
		fmt.Fprintln(problems, "judge:", err)
		return notJudgable
	}
	code := sound
	for _, file := range files {
		switch judged := judge(file, o, in, out); {
		case judged == broken, code == sound:
			code = judged
		}
	}
	return code
}

func parse(args []string, out, problems io.Writer) (o options, files []string, err error) {
	flags := flag.NewFlagSet("judge", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() {
		fmt.Fprint(problems, "usage: judge [flags] FILE...\n\nA FILE is a saved journal or Jepsen's history.edn; - is standard input.\n"+
			"The exit code is 0 if all files are sound, 1 if one is broken, 2 if one cannot be judged.\n\n")
		flags.PrintDefaults()
	}
	claim := flags.String("claim", "", "comma-separated rules that the history must satisfy (see -rules); default those for every history")
	rules := flags.Bool("rules", false, "print all rules and exit")
	level := flags.String("level", string(journal.Strong), "consistency level of the reads in a Jepsen history: local, leader or strong")
	flags.DurationVar(&o.budget, "available", 0, "also judge that changes were refused for no longer than this; 0 to skip")
	flags.Func("balance", "initial balance of each account in a Jepsen bank history; default from the first read", func(text string) error {
		var balance int64
		if _, err := fmt.Sscan(text, &balance); err != nil || balance < 0 {
			return errors.New("must be an integer, 0 or more")
		}
		o.balance = &balance
		return nil
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, nil, err
		}
		return o, nil, errors.New("see -help")
	}
	if *rules {
		printRules(out)
		return o, nil, flag.ErrHelp
	}
	switch o.level = journal.Level(*level); o.level {
	case journal.Local, journal.Leader, journal.Strong:
	default:
		return o, nil, fmt.Errorf("-level %s: must be local, leader or strong", *level)
	}
	if o.claims, err = claims(*claim); err != nil {
		return o, nil, err
	}
	if flags.NArg() == 0 {
		return o, nil, errors.New("no file given; see -help")
	}
	return o, flags.Args(), nil
}

// claims returns the rules of those names.
func claims(names string) ([]check.Rule, error) {
	if names == "" {
		return check.Rules(), nil
	}
	var chosen []check.Rule
	for name := range strings.SplitSeq(names, ",") {
		rule, err := check.Find(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, rule)
	}
	return chosen, nil
}

func printRules(out io.Writer) {
	defaults := make(map[string]bool)
	for _, r := range check.Rules() {
		defaults[r.Name] = true
	}
	for _, r := range check.Named() {
		mark := " "
		if defaults[r.Name] {
			mark = "*"
		}
		fmt.Fprintf(out, "%s %-32s %s\n", mark, r.Slug(), r.Promise)
	}
	fmt.Fprintln(out, "\nThe rules with a * are the default of -claim.")
}
