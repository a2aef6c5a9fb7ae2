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

// client invokes one operation after another.
type client struct {
	running *Running
	number  int // in the journal
	random  *rand.Rand
}

func (r *Running) newClient(number int) *client {
	return &client{running: r, number: number, random: rand.New(rand.NewPCG(r.load.Seed, uint64(number)))}
}

// work invokes operations until working ends, or all are done. Only the end of ctx interrupts one that has
// begun.
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
			// It may still take effect, and a client has only one operation at a time.
			c.number += c.running.load.Clients
		}
		if refused {
			pace.backOff(working)
		}
	}
}

// do sends one operation to an online node, and records its outcome. It tells whether the operation got no
// answer.
func (c *client) do(ctx context.Context, op Operation) (outcome journal.Outcome, refused bool) {
	ctx, cancel := context.WithTimeout(ctx, c.running.load.Deadline)
	defer cancel()
	op.Op.Client = c.number
	if op.Transaction != nil {
		return c.transact(ctx, op)
	}
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
			c.running.note(fmt.Errorf("invalid answer to %s: %w", op.Op, err))
		}
	}
	open.End(journal.OK, steps, err)
	return journal.OK, false
}

// explain returns the outcome of an operation that ended with an error, and whether it got no answer.
func (c *client) explain(op Operation, err error) (outcome journal.Outcome, refused bool) {
	outcome = harness.OutcomeOf(err)
	if outcome != journal.Failed {
		return outcome, true
	}
	if op.Refused != nil && op.Refused(err) {
		return outcome, false
	}
	asked := op.Transaction != nil || op.Op.Level != journal.Local
	if said := (*target.Error)(nil); asked && errors.As(err, &said) && said.Code != "" && !said.Temporary {
		c.running.note(fmt.Errorf("%s was rejected with a permanent error: %w", op.Op, err))
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
