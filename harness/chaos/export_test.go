package chaos

import "context"

// What the tests see of the inside.
var (
	Imports      = imports
	NewSummary   = newSummary
	Unclaimed    = unclaimed
	Timeline     = timeline
	PrintFailure = printFailure
	NewFound     = newFound
)

func (s *summary) Add(o *Outcome) { s.add(o) }
func (s *summary) Report() string { return s.report() }

// playerFunc is a player that is a function.
type playerFunc func(context.Context, Schedule) (*Outcome, error)

func (f playerFunc) play(ctx context.Context, r request) (*Outcome, error) { return f(ctx, r.Schedule) }
func (playerFunc) supported(context.Context) (*supported, error)           { return &supported{}, nil }
func (playerFunc) Close() error                                            { return nil }

// ShrinkOutcome shrinks what failed, by runs of that function.
func ShrinkOutcome(ctx context.Context, h Hunt, failed *Outcome, run func(context.Context, Schedule) (*Outcome, error)) (*Outcome, bool) {
	return h.shrink(ctx, failed, playerFunc(run), nil)
}

// PlayHere runs a schedule as a worker does.
func PlayHere(ctx context.Context, h Hunt, s Schedule) (*Outcome, error) {
	return h.filled().play(ctx, s, nil)
}

// SpaceOf is the space that a hunt draws from.
func SpaceOf(ctx context.Context, h Hunt) (Space, error) {
	h = h.filled()
	return h.space(ctx, inProcess{hunt: h})
}

// inProcess asks the target in this process.
type inProcess struct {
	playerFunc
	hunt Hunt
}

func (p inProcess) supported(ctx context.Context) (*supported, error) { return p.hunt.supported(ctx) }
