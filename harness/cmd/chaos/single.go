package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// single runs the schedule of the seed alone, and writes its journal.
func single(ctx context.Context, s settings, w *chaos.Worker, out io.Writer) (found bool, err error) {
	outcome, err := w.Keep(ctx, chaos.Draw(s.seed, space(s)))
	if err != nil {
		return false, fmt.Errorf("seed %d: %w", s.seed, err)
	}
	if s.journal != "" {
		if outcome, err = witnessed(ctx, w, outcome); err != nil {
			return false, err
		}
		if err := save(s.journal, s, outcome); err != nil {
			return false, err
		}
	}
	if outcome.Failure != nil {
		fmt.Fprintf(out, "FAILED seed %d: %s\n", s.seed, outcome.Failure)
		return true, nil
	}
	fmt.Fprintf(out, "seed %d passed: %d operations ok in %v of cluster time\n", s.seed, outcome.Tally.OK, outcome.Passed)
	return false, nil
}

// witnessed is the outcome with its events. A process that died took them along, so its
// schedule is run again.
func witnessed(ctx context.Context, w *chaos.Worker, o *chaos.Outcome) (*chaos.Outcome, error) {
	if o.Failure == nil || o.Failure.Broken != chaos.Process || len(o.Events) > 0 {
		return o, nil
	}
	again, err := w.Follow(ctx, o.Schedule)
	if err != nil {
		return nil, fmt.Errorf("seed %d, again: %w", o.Schedule.Seed, err)
	}
	return again, nil
}

// keep writes the journal of a schedule that failed, and returns where; nowhere if there
// is no folder for it.
func (s settings) keep(ctx context.Context, w *chaos.Worker, failed *chaos.Outcome) (path string, err error) {
	if s.journals == "" {
		return "", nil
	}
	if failed, err = witnessed(ctx, w, failed); err != nil {
		return "", err
	}
	path = filepath.Join(s.journals, fmt.Sprintf("chaos-%s-%d.jsonl", s.target, failed.Schedule.Seed))
	if err := os.MkdirAll(s.journals, 0o777); err != nil {
		return "", fmt.Errorf("keep the journal of seed %d: %w", failed.Schedule.Seed, err)
	}
	return path, save(path, s, failed)
}

// save writes the journal of a schedule, which ends with what became of it.
func save(path string, s settings, o *chaos.Outcome) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the journal of seed %d: %w", o.Schedule.Seed, err)
		}
	}()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	header := journal.Header{Seed: o.Schedule.Seed, Target: s.target, Nodes: o.Schedule.Nodes}
	return errors.Join(journal.Save(file, header, append(o.Events, end(o))), file.Close())
}

// end is what became of a schedule, as an event like the end of a spec.
func end(o *chaos.Outcome) journal.Event {
	e := journal.Event{Kind: journal.Spec, Node: journal.Nobody, Spec: &journal.SpecBoundary{State: journal.Passed}}
	for _, other := range o.Events {
		if other.End().After(e.At) {
			e.At = other.End()
		}
	}
	if o.Failure != nil {
		e.Spec.State, e.Err = "failed", o.Failure.Error()
	}
	return e
}

// lines are the commands that run what failed again.
func (s settings) lines(seed uint64, journal string) string {
	if s.target != inVirtualTime {
		return s.again(seed)
	}
	schedule := again.Schedule{Seed: seed, Without: s.withoutNames(), Journal: journal, Interleave: s.interleave, Yield: s.yield, Defect: s.defect}
	lines := []string{schedule.Line(), s.again(seed) + "   # shrinks it, too"}
	if doubt := again.Doubt(); doubt != "" {
		lines = append(lines, doubt)
	}
	return strings.Join(lines, "\n  ")
}
