package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/again"
)

// suite runs the spec, or all specs.
func (p *program) suite(ctx context.Context, dir string) (played, error) {
	s, path := p.settings, filepath.Join(dir, "report.json")
	said, ended, err := p.run(ctx, s.arguments(path), s.environment(dir))
	if err != nil {
		return played{}, err
	}
	report, err := read(path)
	if err != nil {
		return played{}, err
	}
	switch {
	case report == nil && ended != nil && panicked(said):
		return played{failed: true, said: "the suite aborted:\n" + lines(said[firstPanic(said):], 30)}, nil
	case report == nil && ended != nil:
		return played{}, fmt.Errorf("the suite did not run (%w): %s", ended, lines(said, -10))
	case report == nil:
		return played{}, errors.New("the suite wrote no report")
	}
	return outcome(*report, s.spec)
}

// arguments returns the arguments of the suite's test binary.
func (s settings) arguments(report string) []string {
	args := []string{
		"-test.timeout=0", "-ginkgo.no-color", "-ginkgo.seed=" + s.seed,
		fmt.Sprintf("-ginkgo.timeout=%v", s.limit), "-ginkgo.json-report=" + report,
	}
	if s.spec != "" {
		args = append(args, "-ginkgo.focus="+again.Focus(s.spec))
	}
	return args
}

// environment returns the suite's settings as variables. It omits defaults: an older tree would reject a setting that
// it does not know.
func (s settings) environment(folder string) []string {
	environment := []string{"REJOIN_TARGET=virtual", "REJOIN_JOURNALS=all", "REJOIN_JOURNAL_FOLDER=" + folder}
	if s.spec != "" {
		environment = append(environment, "REJOIN_LABEL_FILTER=")
	}
	if s.where {
		environment = append(environment, "REJOIN_DECISIONS="+decisionsIn(folder))
	}
	if s.interleave != 0 {
		environment = append(environment, fmt.Sprintf("REJOIN_INTERLEAVE=%d", s.interleave))
	}
	if s.yield != 0 {
		environment = append(environment, fmt.Sprintf("REJOIN_YIELD=%v", s.yield))
	}
	if s.defect != "" {
		environment = append(environment, "REJOIN_DEFECT="+s.defect)
	}
	return environment
}

// read reads the report of the suite; nil if it is missing or truncated.
func read(path string) (*types.Report, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var reports []types.Report
	if json.Unmarshal(content, &reports) != nil || len(reports) != 1 {
		return nil, nil
	}
	return &reports[0], nil
}

// outcome returns the result of the spec in the report, or of all specs if spec is empty.
func outcome(report types.Report, spec string) (played, error) {
	ran, failed := 0, 0
	var said string
	for _, r := range report.SpecReports {
		of := "the spec"
		switch {
		case r.Failed() && !r.LeafNodeType.Is(types.NodeTypeIt):
			of = r.LeafNodeType.String()
		case !r.LeafNodeType.Is(types.NodeTypeIt), r.NumAttempts == 0: // a setup node that passed, or not selected
			continue
		case r.State.Is(types.SpecStateSkipped) && spec != "":
			return played{}, fmt.Errorf("the spec skips itself: %s", r.Failure.Message)
		case r.State.Is(types.SpecStateInterrupted):
			return played{}, errors.New("the spec was interrupted")
		}
		ran++
		if !r.Failed() {
			continue
		}
		if spec == "" {
			of = "the spec " + r.FullText()
		}
		if failed++; failed == 1 {
			said = fmt.Sprintf("%s fails (%s), at %s:\n%s", of, r.State, r.FailureLocation(), indented(lines(r.FailureMessage(), 40)))
		}
	}
	switch {
	case ran == 0 && spec != "":
		return played{}, fmt.Errorf("there is no spec %q", spec)
	case ran == 0:
		return played{}, fmt.Errorf("no spec ran: %s", strings.Join(report.SpecialSuiteFailureReasons, ", "))
	case failed > 1:
		said = fmt.Sprintf("%d of %d specs fail; the first: %s", failed, ran, said)
	case failed == 0 && spec == "":
		said = fmt.Sprintf("%d specs pass", ran)
	case failed == 0:
		said = "the spec passes"
	}
	return played{failed: failed > 0, said: said}, nil
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// firstPanic returns where the panic begins in the output of a program.
func firstPanic(said string) int {
	at := len(said)
	for _, word := range []string{"panic: ", "fatal error: "} {
		if i := strings.Index(said, word); i >= 0 {
			at = min(at, i)
		}
	}
	return at
}
