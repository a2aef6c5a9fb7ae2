// Command junit makes a JUnit report of the JSON reports of Ginkgo:
//
//	go tool ginkgo -r --json-report=report.json --output-dir=reports
//	go run ./harness/cmd/junit -o reports/junit.xml reports/report.json
//
// In GitHub Actions it also annotates failures, and writes the summary of the step. It ends with 1 if it fails. Whether specs failed
// has no effect.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/github"
	"github.com/rejoin-db/rejoin/harness/report/junit"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Getenv)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "junit:", err)
		os.Exit(1)
	}
}

// properties are those of the -p flags.
type properties map[string]string

func (p properties) String() string { return "" }

func (p properties) Set(text string) error {
	name, value, is := strings.Cut(text, "=")
	if !is || name == "" {
		return fmt.Errorf("%q is not name=value", text)
	}
	p[name] = value
	return nil
}

func run(args []string, out io.Writer, environment func(string) string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("junit", flag.ContinueOnError)
	to := flags.String("o", "", "the file to write; empty is standard output")
	about := make(properties)
	flags.Var(about, "p", "a property of each suite, as name=value; may be repeated")
	flags.StringVar(&root, "root", root, "the folder below which paths are relative, as Jenkins and GitLab want them")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: junit [flags] REPORT.json...\n\nA REPORT.json is what ginkgo --json-report writes.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("name at least one file that ginkgo --json-report has written")
	}
	var reports []types.Report
	for _, name := range flags.Args() {
		read, err := read(name)
		if err != nil {
			return err
		}
		reports = append(reports, read...)
	}
	write := func(w io.Writer) error {
		return junit.Write(w, reports, junit.Options{Root: root, Properties: about, Attachments: junit.Files()})
	}
	if *to == "" {
		err = write(out)
	} else {
		err = writeFile(*to, os.O_TRUNC, write)
	}
	if err != nil {
		return err
	}
	if environment("GITHUB_ACTIONS") != "true" {
		return nil
	}
	if err := github.Annotate(out, reports, root); err != nil {
		return err
	}
	if summary := environment("GITHUB_STEP_SUMMARY"); summary != "" {
		return writeFile(summary, os.O_APPEND, func(w io.Writer) error { return github.Summarize(w, reports) })
	}
	return nil
}

func read(name string) ([]types.Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reports, err := junit.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return reports, nil
}

func writeFile(name string, how int, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|how, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
