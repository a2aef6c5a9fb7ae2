package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// witnessed returns the outcome with its events. The events of a process that died are lost, so its
// schedule is run again.
func witnessed(ctx context.Context, w player, o *Outcome) (*Outcome, error) {
	if o.Failure == nil || o.Failure.Broken != Process || len(o.Events) > 0 {
		return o, nil
	}
	followed, err := w.play(ctx, request{Schedule: o.Schedule, Follow: true})
	switch {
	case err != nil:
		return nil, fmt.Errorf("run seed %d again for its journal: %w", o.Schedule.Seed, err)
	case followed.Failure == nil: // it failed by chance
		return o, nil
	}
	return followed, nil
}

// keep saves the journal of a schedule that failed, and returns the file; none if there is no folder for
// it.
func (h Hunt) keep(ctx context.Context, w player, failed *Outcome) (path string, err error) {
	if h.Journals == "" {
		return "", nil
	}
	if failed, err = witnessed(ctx, w, failed); err != nil {
		return "", err
	}
	path = filepath.Join(h.Journals, fmt.Sprintf("chaos-%s-%d.jsonl", h.Name, failed.Schedule.Seed))
	if err := os.MkdirAll(h.Journals, 0o777); err != nil {
		return "", fmt.Errorf("keep the journal of seed %d: %w", failed.Schedule.Seed, err)
	}
	return path, h.save(path, failed)
}

// save writes the journal of a schedule, which ends with its result.
func (h Hunt) save(path string, o *Outcome) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the journal of seed %d: %w", o.Schedule.Seed, err)
		}
	}()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	header := journal.HeaderOf(o.Events)
	header.Seed, header.Target, header.Nodes = o.Schedule.Seed, h.Name, o.Schedule.Nodes
	return errors.Join(journal.Save(file, header, append(o.Events, result(o))), file.Close())
}

// result is the result of a schedule, as an event like the end of a spec.
func result(o *Outcome) journal.Event {
	e := journal.Event{Kind: journal.Spec, Node: journal.None, Spec: &journal.SpecBoundary{State: journal.Passed}}
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
