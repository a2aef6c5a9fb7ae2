package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/defects"
)

// suite is the suite's test binary.
type suite struct{ dir, binary, root string }

func build(ctx context.Context) (*suite, error) {
	dir, err := os.MkdirTemp("", "rejoin-defects-")
	if err != nil {
		return nil, err
	}
	s := &suite{dir: dir, binary: filepath.Join(dir, "suite.test")}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find the module: %w", err), s.remove())
	}
	s.root = strings.TrimSpace(string(root))
	compile := exec.CommandContext(ctx, "go", "test", "-c", "-o", s.binary, ".")
	compile.Dir = s.root
	if said, err := compile.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("compile the suite: %w\n%s", err, said), s.remove())
	}
	return s, nil
}

func (s *suite) remove() error { return os.RemoveAll(s.dir) }

// verdict is what the suite said of one bug.
type verdict struct {
	defect defects.Defect // its name is empty if there was none
	caught bool
	by     string // the first spec that failed, or what else ended the run
	said   string // the first line of its failure
	took   time.Duration
	specs  int // that ran
}

func (v verdict) String() string {
	name, what := v.defect.Name, "missed"
	switch {
	case name == "" && !v.caught:
		name, what = "(no bug)", fmt.Sprintf("passed, %d specs", v.specs)
	case name == "":
		name, what = "(no bug)", "failed"
	case v.caught:
		what = "caught"
	}
	line := fmt.Sprintf("%-34s %-8s %6.1f s", name, what, v.took.Seconds())
	if v.by != "" {
		line += "  " + v.by
	}
	if v.said != "" {
		line += "\n" + strings.Repeat(" ", 54) + v.said
	}
	return line
}

// run runs the suite with the bug. What ends it in any other way than by a report
// counts as caught, and is named.
func (s *suite) run(ctx context.Context, d defects.Defect, o options) verdict {
	name := d.Name
	if name == "" {
		name = "none"
	}
	report := filepath.Join(s.dir, name+".json")
	ctx, cancel := context.WithTimeout(ctx, o.limit+10*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, s.binary, "-ginkgo.fail-fast", "-ginkgo.no-color", "-test.timeout=0",
		fmt.Sprintf("-ginkgo.seed=%d", o.seed), fmt.Sprintf("-ginkgo.timeout=%v", o.limit), "-ginkgo.json-report="+report)
	command.Dir = s.root
	command.Env = append(os.Environ(), "REJOIN_TARGET=virtual", "REJOIN_JOURNALS=none", "REJOIN_DEFECT="+name, "GODEBUG=asyncpreemptoff=1")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	begun := time.Now()
	err := command.Run()
	v := verdict{defect: d, took: time.Since(begun)}
	if err == nil {
		v.specs = specsIn(report)
		return v
	}
	v.caught = true
	if v.by, v.said = firstFailure(report); v.by == "" {
		v.by, v.said = "the run broke off", lastWords(said.String())
	}
	return v
}

func readReport(path string) (reports []types.Report) {
	content, err := os.ReadFile(path)
	if err == nil {
		_ = json.Unmarshal(content, &reports) // a report that was cut off is none
	}
	return reports
}

func specsIn(path string) (ran int) {
	for _, report := range readReport(path) {
		for _, spec := range report.SpecReports {
			if spec.LeafNodeType.Is(types.NodeTypeIt) && spec.State.Is(types.SpecStatePassed|types.SpecStateFailureStates) {
				ran++
			}
		}
	}
	return ran
}

func firstFailure(path string) (by, said string) {
	for _, report := range readReport(path) {
		for _, spec := range report.SpecReports {
			if spec.State.Is(types.SpecStateFailureStates) {
				by := strings.TrimPrefix(spec.FullText(), "A replicated SQL database ")
				return by, firstLine(spec.FailureMessage())
			}
		}
		if len(report.SpecialSuiteFailureReasons) > 0 {
			return "the suite", report.SpecialSuiteFailureReasons[0]
		}
	}
	return "", ""
}

func firstLine(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// lastWords is why a process ended that could not say so in a report.
func lastWords(text string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return firstLine(line)
		}
	}
	return firstLine(text[max(0, len(text)-200):])
}
