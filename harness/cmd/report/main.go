// Command report writes one HTML page that shows what happened in a run:
//
//	go tool ginkgo --json-report=report.json --output-dir=reports .
//	go run ./harness/cmd/report reports/report.json
//	go run ./harness/cmd/report -o page.html reports/journals/*.jsonl
//
// A FILE is a saved journal (.jsonl) or a report that ginkgo --json-report writes (.json). Journals that a report names are read,
// too. Two journals on one page can be compared: choose the other one beside the cluster. The page is one file, and loads nothing from
// the network. The exit code is 1 if the page cannot be made. Whether specs failed has no effect.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/report/junit"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(args []string, out, problems io.Writer) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(problems)
	to := flags.String("o", filepath.Join("reports", "index.html"), "the `file` to write")
	perfetto := flags.String("perfetto", "", "also write the traces to this `file`, for the viewer of ui.perfetto.dev")
	flags.Usage = func() {
		fmt.Fprint(problems, "usage: report [flags] FILE...\n\n"+
			"A FILE is a saved journal (.jsonl), or a report of ginkgo --json-report (.json).\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("name at least one journal, or one report of ginkgo --json-report")
	}
	collection, err := read(flags.Args(), problems)
	if err != nil {
		return err
	}
	if err := writeFile(*to, collection.Write); err != nil {
		return err
	}
	about := collection.Run()
	fmt.Fprintf(out, "%s: %s\n", *to, about.Verdict)
	if *perfetto == "" {
		return nil
	}
	return writeFile(*perfetto, collection.Perfetto)
}

// read reads the files, and the journals that the reports among them name. A named journal that is not there is reported as a
// problem.
func read(names []string, problems io.Writer) (*page.Collection, error) {
	var c page.Collection
	for _, name := range names {
		add := c.AddJournal
		if filepath.Ext(name) == ".json" {
			add = func(name string, r io.Reader) error {
				reports, err := junit.Read(r)
				c.AddReports(reports)
				return err
			}
		}
		if err := with(name, add); err != nil {
			return nil, err
		}
	}
	for _, name := range c.Missing() {
		err := with(name, c.AddJournal)
		if errors.Is(err, os.ErrNotExist) {
			fmt.Fprintln(problems, "report: the journal that a spec names is not there:", name)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return &c, nil
}

func with(name string, add func(string, io.Reader) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := add(name, file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
