package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// replayed runs what the settings ask for, compares, and returns the exit code. The error
// is why that could not be.
func replayed(ctx context.Context, s settings, out, progress io.Writer) (_ int, err error) {
	var expected *saved
	if s.journal != "" {
		if expected, err = load(s.journal); err != nil {
			return 0, err
		}
		if s, err = s.of(expected); err != nil {
			return 0, err
		}
	}
	toolchain, err := replay.Prepare(ctx)
	switch {
	case err != nil:
		return 0, err
	case !toolchain.Exact && !s.inexact:
		return 0, fmt.Errorf("replay is not exact, and so proves nothing: %s (-inexact runs all the same)", toolchain.Why)
	case !toolchain.Exact:
		fmt.Fprintln(progress, "replay: not exact:", toolchain.Why)
	}
	dir, err := rundir.New("", "replay-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, dir.Remove()) }()
	fmt.Fprintf(progress, "replay: building with %s\n", toolchain.Version)
	p, err := build(ctx, toolchain, s, dir.Path())
	if err != nil {
		return 0, err
	}
	runs := 2
	if expected != nil {
		runs = 1
	}
	var all []played
	for n := range runs {
		one, err := p.play(ctx, filepath.Join(dir.Path(), fmt.Sprint("run", n)))
		if err != nil {
			return 0, err
		}
		all = append(all, one)
		fmt.Fprintf(progress, "replay: run %d of %d %s\n", n+1, runs, one.became())
	}
	return judge(s, all, expected, out)
}

// judge says what became of the runs, and returns the exit code.
func judge(s settings, all []played, expected *saved, out io.Writer) (int, error) {
	first, last := all[0], all[len(all)-1]
	fmt.Fprintln(out, strings.TrimRight(first.said, "\n"))
	if last.failed != first.failed {
		fmt.Fprintln(out, "then, once more:", strings.TrimRight(last.said, "\n"))
	}
	both := last.against(first)
	if expected != nil {
		both = last.beside(expected)
	}
	same, err := both.write(out, s.context)
	if err != nil {
		return 0, err
	}
	result := code(first.failed || last.failed, same, expected)
	switch {
	case result == bad && !first.failed && !last.failed:
		fmt.Fprintln(out, "so the journal is other than expected, though nothing failed")
	case result == good && !same:
		fmt.Fprintln(out, "so the failure is gone")
	}
	return result, nil
}

// of are the settings for a run that is compared with the journal.
func (s settings) of(j *saved) (settings, error) {
	text := j.spec()
	switch {
	case s.chaos && text != "":
		return s, fmt.Errorf("%s is the journal of a spec, %q: it is not replayed by -chaos", s.journal, text)
	case s.chaos:
		return s, nil
	case text == "":
		return s, fmt.Errorf("%s does not say which spec it is of: for a schedule of cmd/chaos give -chaos", s.journal)
	case s.spec == "":
		s.spec = text
	case s.spec != text:
		return s, fmt.Errorf("%s is of another spec: %q", s.journal, text)
	}
	return s, nil
}

func (p played) became() string {
	if p.failed {
		return "failed"
	}
	return "passed"
}
