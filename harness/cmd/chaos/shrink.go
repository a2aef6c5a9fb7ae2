package main

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/chaos"
)

// shrink shrinks what failed, by s.runs runs at most and for as long as s.shrink. Each
// schedule is run once: where replay is exact that is its verdict, and elsewhere one that
// fails by chance only is not found again. It returns the smallest that failed in the same
// way, and whether time was over first.
func shrink(ctx context.Context, s settings, failed *chaos.Outcome, run func(context.Context, chaos.Schedule) (*chaos.Outcome, error)) (least *chaos.Outcome, cut bool) {
	shrinking, stop := context.WithCancel(ctx)
	defer stop()
	least = failed
	runs := 0
	chaos.Shrink(shrinking, failed.Schedule, space(s), s.shrink, func(ctx context.Context, schedule chaos.Schedule) bool {
		if runs == s.runs {
			stop()
			return false
		}
		runs++
		outcome, err := run(ctx, schedule)
		cut = cut || errors.Is(ctx.Err(), context.DeadlineExceeded)
		if err != nil || outcome.Failure == nil || outcome.Failure.Broken != failed.Failure.Broken {
			return false
		}
		least = outcome
		return true
	})
	return least, cut
}
