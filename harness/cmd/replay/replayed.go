package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// replayed runs what the settings select, compares, and returns the exit code. An error means that the result is
// inconclusive.
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
		return 0, fmt.Errorf("replay is not exact: %s (-inexact runs anyway)", toolchain.Why)
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
	all, err := p.playAll(ctx, dir.Path(), progress)
	if err != nil {
		return 0, err
	}
	if s.where {
		if err := partings(all, out); err != nil {
			return 0, err
		}
	}
	return judge(s, all, expected, out)
}

// often returns the number of runs.
func (s settings) often() int {
	switch {
	case s.runs > 0:
		return s.runs
	case s.journal != "" && !s.where:
		return 1
	}
	return 2
}

// playAll runs the program as often as the settings say, several runs concurrently.
func (p *program) playAll(ctx context.Context, dir string, progress io.Writer) ([]played, error) {
	all := make([]played, p.settings.often())
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.settings.parallel)
	for n := range all {
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if all[n], err = p.play(ctx, filepath.Join(dir, fmt.Sprint("run", n))); err != nil {
				return err
			}
			fmt.Fprintf(progress, "replay: run %d of %d %s\n", n+1, len(all), all[n].became())
			return nil
		})
	}
	return all, group.Wait()
}

// judge prints the results of the runs, and returns the exit code.
func judge(s settings, all []played, expected *saved, out io.Writer) (int, error) {
	first, failed := all[0], all[0].failed
	fmt.Fprintln(out, strings.TrimRight(first.said, "\n"))
	for n, one := range all {
		failed = failed || one.failed
		if one.failed != first.failed {
			fmt.Fprintf(out, "but in run %d: %s\n", n+1, strings.TrimRight(one.said, "\n"))
		}
	}
	same, err := compared(all, expected, out, s.context)
	if err != nil {
		return 0, err
	}
	result := code(failed, same, expected)
	switch {
	case result == bad && !failed:
		fmt.Fprintln(out, "the journal differs from the expected one, but nothing failed")
	case result == good && !same:
		fmt.Fprintln(out, "the failure does not occur")
	}
	return result, nil
}

// compared prints how the runs compare with the expected journal, or with the first run. It reports whether all are
// the same.
func compared(all []played, expected *saved, out io.Writer, context int) (bool, error) {
	var every []sides
	for n, one := range all {
		switch {
		case expected != nil:
			every = append(every, one.beside(expected))
		case n > 0:
			every = append(every, one.against(all[0]))
		}
	}
	differ := 0
	for n, one := range every {
		if len(every) > 1 {
			one.got = fmt.Sprintf("run %d", n+len(all)-len(every)+1)
		}
		var text strings.Builder
		same, err := one.write(&text, context)
		switch {
		case err != nil:
			return false, err
		case !same:
			differ++
		case n < len(every)-1: // the last one prints the result for all
			continue
		}
		fmt.Fprint(out, text.String())
	}
	if len(every) > 1 {
		fmt.Fprintf(out, "%d of %d runs are the same\n", len(all)-differ, len(all))
	}
	return differ == 0, nil
}

// of returns the settings for a run that is compared with the journal.
func (s settings) of(j *saved) (settings, error) {
	text := j.spec()
	switch {
	case s.chaos && text != "":
		return s, fmt.Errorf("%s is the journal of a spec, %q: -chaos does not replay specs", s.journal, text)
	case s.chaos:
		return s, nil
	case text == "":
		return s, fmt.Errorf("%s does not name a spec: for a schedule of cmd/chaos, use -chaos", s.journal)
	case s.spec == "":
		s.spec = text
	case s.spec != text:
		return s, fmt.Errorf("%s is the journal of a different spec: %q", s.journal, text)
	}
	return s, nil
}

func (p played) became() string {
	if p.failed {
		return "failed"
	}
	return "passed"
}
