package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// client does one operation after the other.
type client struct {
	running *Running
	number  int // in the journal
	random  *rand.Rand
}

func (r *Running) newClient(number int) *client {
	return &client{running: r, number: number, random: rand.New(rand.NewPCG(r.load.Seed, uint64(number)))}
}

// work does operations until working ends, or all is done. Only the end of ctx cuts
// one off.
func (c *client) work(ctx, working context.Context) {
	pace := newPace(c.running.load.Rate, c.random)
	defer pace.stop()
	for pace.wait(working) && c.running.next() {
		op := c.running.load.Workload.Next(c.random, c.number)
		outcome, refused := c.do(ctx, op)
		c.running.count(outcome)
		if op.Ended != nil {
			op.Ended(outcome)
		}
		if outcome == journal.Unknown {
			// It may still be under way, and a client has but one operation under way.
			c.number += c.running.load.Clients
		}
		if refused {
			pace.backOff(working)
		}
	}
}

// do asks one online node, and writes down what came of it. Refused is what was not
// answered.
func (c *client) do(ctx context.Context, op Operation) (outcome journal.Outcome, refused bool) {
	ctx, cancel := context.WithTimeout(ctx, c.running.load.Deadline)
	defer cancel()
	op.Op.Client = c.number
	cluster := c.running.cluster.Reading(target.Consistency(op.Op.Level))
	open := cluster.Journal().Invoke(op.Op)
	result, err := cluster.ExecuteOnRandom(open.Context(ctx), op.SQL, op.Args...)
	if err != nil {
		outcome, refused = c.explain(op, err)
		open.End(outcome, nil, err)
		return outcome, refused
	}
	var steps []journal.Step
	if op.Read != nil {
		if steps, err = op.Read(result); err != nil {
			c.running.note(fmt.Errorf("the answer to %s cannot be: %w", op.Op, err))
		}
	}
	open.End(journal.OK, steps, err)
	return journal.OK, false
}

// explain tells what became of an operation that met an error, and whether that is
// for want of an answer.
func (c *client) explain(op Operation, err error) (outcome journal.Outcome, refused bool) {
	outcome = harness.OutcomeOf(err)
	if outcome != journal.Failed {
		return outcome, true
	}
	if op.Refused != nil && op.Refused(err) {
		return outcome, false
	}
	if said := (*target.Error)(nil); op.Op.Level != journal.Local && errors.As(err, &said) && said.Code != "" && !said.Temporary {
		c.running.note(fmt.Errorf("%s was refused for ever: %w", op.Op, err))
	}
	return outcome, true
}

func (r *Running) count(outcome journal.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch outcome {
	case journal.OK:
		r.tally.OK++
	case journal.Failed:
		r.tally.Failed++
	default:
		r.tally.Unknown++
	}
}
