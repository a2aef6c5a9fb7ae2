package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// module is a Go module whose suite has findings. Its name is that of its folder, and of its target.
type module struct{ name, dir string }

func (m module) String() string { return m.name }

// modules returns the modules in the folders of dir, in the order of their names.
func modules(dir string) (all []module, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "findings_test.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		own := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(own, "go.mod")); err == nil {
			all = append(all, module{filepath.Base(own), own})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no folder of %s has a go.mod and a findings_test.go: run the command in the folder of Rejoin's module", dir)
	}
	return all, nil
}

// patience is how long an interrupted suite may take to close its cluster.
const patience = 30 * time.Second

// show runs the findings of the module, says on out how far they are, and returns what they have shown.
func (m module) show(ctx context.Context, focus string, seed int64, out io.Writer) (o outcome, err error) {
	own, err := rundir.New("", "findings-")
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, own.Remove()) }()
	fmt.Fprintf(out, "%s: building its suite\n", m.name)
	binary, report := filepath.Join(own.Path(), "suite.test"), filepath.Join(own.Path(), "report.json")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	build.Dir = m.dir
	if said, err := build.CombinedOutput(); err != nil {
		return outcome{module: m.name, broken: words(fmt.Sprintf("its suite cannot be built: %v: %s", err, said))}, nil
	}
	args := []string{"-ginkgo.v", "-ginkgo.no-color", "-ginkgo.json-report=" + report}
	if focus != "" {
		args = append(args, "-ginkgo.focus="+focus)
	}
	if seed != 0 {
		args = append(args, fmt.Sprintf("-ginkgo.seed=%d", seed))
	}
	suite := exec.CommandContext(ctx, binary, append([]string{"-test.timeout=0"}, args...)...)
	suite.Dir = m.dir
	suite.Env = append(os.Environ(), "REJOIN_TARGET="+m.name, "REJOIN_LABEL_FILTER="+findings.Label)
	suite.Cancel = func() error { return suite.Process.Signal(os.Interrupt) }
	suite.WaitDelay = patience
	said, err := suite.StdoutPipe()
	if err != nil {
		return o, err
	}
	suite.Stderr = suite.Stdout
	if err := suite.Start(); err != nil {
		return o, fmt.Errorf("run the suite of %s: %w", m.name, err)
	}
	last := follow(m.name, said, out)
	ended := suite.Wait()
	if ctx.Err() != nil {
		return o, errors.New("interrupted")
	}
	o, err = read(report, m.name, time.Now())
	if errors.Is(err, os.ErrNotExist) {
		return outcome{module: m.name, broken: words(fmt.Sprintf("its suite did not run: %v: %s", ended, strings.Join(last, "; ")))}, nil
	}
	return o, err
}

// willRun is the line in which Ginkgo says how many specs it runs.
var willRun = regexp.MustCompile(`^Will run (\d+) of \d+ specs`)

// follow hands on the lines that say how far a suite is, until it ends, and returns the last lines of any kind.
func follow(name string, said io.Reader, out io.Writer) (last []string) {
	const most = 5
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	total, number := "?", 0
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		last = append(last, line)
		last = last[max(0, len(last)-most):]
		if found := willRun.FindStringSubmatch(line); found != nil {
			total = found[1]
		}
		text, marked := strings.CutPrefix(line, findings.Mark)
		switch step, is := strings.CutPrefix(line, "STEP: "); {
		case is:
			step, _, _ = strings.Cut(step, " @ ") // the time
			fmt.Fprintf(out, "%s:       %s\n", name, step)
		case marked && (strings.HasPrefix(text, "seen: ") || text == "not seen"):
			fmt.Fprintf(out, "%s:       %s\n", name, text)
		case marked:
			number++
			fmt.Fprintf(out, "%s: %d/%s %s\n", name, number, total, text)
		}
	}
	_, _ = io.Copy(io.Discard, said) // a line that is too long ends the scanner, and must not block the suite
	return slices.Clip(last)
}
