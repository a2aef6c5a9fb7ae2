package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/defects"
)

// search tries interleavings in turn until a spec about the bug fails. It confirms the failure (see confirm). With
// options.all it returns the verdict of all specs in that interleaving.
func (s *suite) search(ctx context.Context, d defects.Defect, o options) (verdict, error) {
	if !s.toolchain.Exact {
		return verdict{defect: d, unasked: "replay is not exact, so goroutines cannot be made to yield: " + s.toolchain.Why}, nil
	}
	begun := time.Now()
	var found verdict
	for order := uint64(1); order <= o.orders && ctx.Err() == nil && !found.caught(); order++ {
		v, err := s.run(ctx, trial{defect: d, seed: o.seed, interleave: order, yield: o.yield, labels: d.About, limit: o.limit})
		if err != nil {
			return v, err
		}
		found = v
		found.runs, found.took = int(order), time.Since(begun)
	}
	if !found.caught() {
		return found, nil
	}
	if err := s.confirm(ctx, found, o.again); err != nil {
		return found, err
	}
	if !o.all {
		return found, nil
	}
	t := found.trial
	t.labels, t.all = "", true
	v, err := s.run(ctx, t)
	v.runs, v.took = found.runs, time.Since(begun)
	return v, err
}

// confirm runs the failed spec again by itself: it must fail the same way every time, and pass without the bug.
func (s *suite) confirm(ctx context.Context, found verdict, times int) error {
	best, t := found.best(), found.trial
	t.spec, t.labels = best.text, ""
	if t.spec == "" { // the run aborted: repeat all of it
		t.labels = found.trial.labels
	}
	for i := range times {
		v, err := s.run(ctx, t)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !v.caught():
			return fmt.Errorf("%s was caught with interleaving %d, but not when run again (%d): %s",
				found.defect.Name, t.interleave, i+1, best.said)
		case v.best().whole != best.whole:
			return fmt.Errorf("%s was caught with interleaving %d, but failed differently when run again (%d):\n%s\nand then\n%s",
				found.defect.Name, t.interleave, i+1, best.whole, v.best().whole)
		}
	}
	t.defect = defects.None
	sound, err := s.run(ctx, t)
	switch {
	case err != nil:
		return err
	case sound.caught():
		return fmt.Errorf("the spec that caught %s with interleaving %d fails without the bug: %s",
			found.defect.Name, t.interleave, sound.best().whole)
	case sound.specs == 0:
		return fmt.Errorf("the spec that caught %s with interleaving %d did not run without the bug", found.defect.Name, t.interleave)
	}
	return nil
}
