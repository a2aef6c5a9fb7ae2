package chaos

import (
	"context"
	"errors"
	"io"

	"github.com/rejoin-db/rejoin/harness/chaos/internal/worker"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// player plays schedules for a hunt. It is for one goroutine at a time.
type player interface {
	play(ctx context.Context, r request) (*Outcome, error)
	supported(ctx context.Context) (*supported, error)
	Close() error
}

// request is a schedule that is to be played.
type request struct {
	Schedule
	Follow bool `json:"follow,omitempty"` // reply with each event as it happens, so that a process that dies leaves them
	Keep   bool `json:"keep,omitempty"`   // reply with the events also of a schedule that passed
	Probe  bool `json:"probe,omitempty"`  // reply with what the target supports; there is no schedule
}

// reply is an event of a schedule, or its outcome or error, which is the last.
type reply struct {
	Event     *journal.Event `json:"event,omitempty"`
	Outcome   *Outcome       `json:"outcome,omitempty"`
	Supported *supported     `json:"supported,omitempty"`
	Err       string         `json:"error,omitempty"`
}

func (h Hunt) newPlayer() player {
	if h.Worker == nil {
		return here{h}
	}
	return there{worker.New[request, reply](h.Worker)}
}

// here plays schedules in this process.
type here struct{ hunt Hunt }

func (p here) play(ctx context.Context, r request) (*Outcome, error) {
	return p.hunt.play(ctx, r.Schedule, nil)
}

func (p here) supported(ctx context.Context) (*supported, error) { return p.hunt.supported(ctx) }

func (here) Close() error { return nil }

// play runs a schedule where the target's clusters live.
func (h Hunt) play(ctx context.Context, s Schedule, follow func(journal.Event)) (outcome *Outcome, err error) {
	o := h.Options
	o.Follow = follow
	if h.In == nil {
		return Run(ctx, h.Target, s, o)
	}
	broken := h.In(ctx, s.Seed, func(ctx context.Context) { outcome, err = Run(ctx, h.Target, s, o) })
	if broken == nil || ctx.Err() != nil {
		return outcome, err
	}
	return &Outcome{Schedule: s, Failure: &Failure{Broken: Process, Reason: broken.Error()}}, nil
}

// there plays schedules in a process of their own.
type there struct {
	worker *worker.Worker[request, reply]
}

func (p there) Close() error { return p.worker.Close() }

func (p there) supported(ctx context.Context) (*supported, error) {
	var last reply
	err := p.worker.Ask(ctx, request{Probe: true}, func(a reply) bool {
		last = a
		return true
	})
	switch {
	case err != nil:
		return nil, err
	case last.Err != "":
		return nil, errors.New(last.Err)
	case last.Supported == nil:
		return nil, errors.New("the worker replied without what the target supports")
	}
	return last.Supported, nil
}

func (p there) play(ctx context.Context, r request) (*Outcome, error) {
	var events []journal.Event
	var last reply
	err := p.worker.Ask(ctx, r, func(a reply) bool {
		if a.Event != nil {
			events = append(events, *a.Event)
			return false
		}
		last = a
		return true
	})
	if died := (*worker.DiedError)(nil); errors.As(err, &died) {
		return &Outcome{Schedule: r.Schedule, Failure: &Failure{Process, died.Error()}, Events: events}, nil
	}
	switch {
	case err != nil:
		return nil, err
	case last.Err != "":
		return last.Outcome, errors.New(last.Err)
	case last.Outcome == nil:
		return nil, errors.New("the worker replied without an outcome")
	}
	if r.Follow {
		last.Outcome.Events = events
	}
	return last.Outcome, nil
}

// Serve is what a Worker's process does: it reads schedules, plays each, and writes the outcomes, until in
// ends. The error is the reason why it could not read or write.
func (h Hunt) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	h = h.filled()
	return worker.Serve(ctx, in, out, func(ctx context.Context, r request, say func(reply) error) {
		if r.Probe {
			can, err := h.supported(ctx)
			last := reply{Supported: can}
			if err != nil {
				last.Err = err.Error()
			}
			_ = say(last) // the program that asked is gone if it fails
			return
		}
		var follow func(journal.Event)
		if r.Follow {
			follow = func(e journal.Event) { _ = say(reply{Event: &e}) } // the last reply shows whether it failed
		}
		outcome, err := h.play(ctx, r.Schedule, follow)
		last := reply{Outcome: outcome}
		if err != nil {
			last.Err = err.Error()
		}
		if outcome != nil && (outcome.Failure == nil && !r.Keep || r.Follow) {
			outcome.Events = nil
		}
		_ = say(last)
	})
}
