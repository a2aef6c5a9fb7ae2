package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// settle heals the cluster after the last fault, and checks it.
func (p *play) settle(ctx context.Context, o Options) (Broken, error) {
	if err := p.within(ctx, o.Patience, p.cluster.Heal); err != nil {
		return Liveness, fmt.Errorf("the cluster is not healthy %v after the end of the schedule: %w", o.Patience, err)
	}
	if err := p.within(ctx, o.Patience, p.serve); err != nil {
		return Liveness, fmt.Errorf("not every node takes writes %v after the cluster became healthy: %w", o.Patience, err)
	}
	if err := p.within(ctx, o.Patience, p.succeed); err != nil {
		return Nothing, err
	}
	for i, load := range p.loads {
		if err := p.within(ctx, o.Patience, load.Finish); err != nil {
			return Safety, fmt.Errorf("workload %s: %w", p.schedule.Workloads[i], err)
		}
	}
	if err := p.expect(p.within(ctx, o.Patience, p.cluster.VerifyInvariants)); err != nil {
		return brokenBy(err), err
	}
	if lost := p.cluster.Journal().Dropped(journal.Resource, journal.Shown, journal.Role, journal.Note); lost > 0 {
		return Nothing, fmt.Errorf("the journal lost %d events, so the run cannot be judged", lost)
	}
	if o.Judge == nil {
		return "", nil
	}
	return Safety, p.expect(o.Judge(p.cluster.Journal().Events()))
}

// brokenBy is what an error of VerifyInvariants breaks.
func brokenBy(err error) Broken {
	if errors.Is(err, harness.ErrInvariant) {
		return Safety
	}
	return Liveness
}

// within gives do that much time.
func (p *play) within(ctx context.Context, patience time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx)
}

// succeed blocks until one operation of each workload has succeeded: a workload that was refused during
// all faults has shown nothing yet.
func (p *play) succeed(ctx context.Context) error {
	ticker := time.NewTicker(retryAfter)
	defer ticker.Stop()
	for i, load := range p.loads {
		for load.Tally().OK == 0 {
			var why error
			select {
			case <-ticker.C:
				continue
			case <-load.Done():
				why = errors.New("its clients are done")
			case <-ctx.Done():
				why = context.Cause(ctx)
			}
			if tally := load.Tally(); tally.OK == 0 {
				return fmt.Errorf("no operation of workload %s succeeded (%v): %w", p.schedule.Workloads[i], tally, why)
			}
		}
	}
	return nil
}

// serve proves that a write succeeds on every node.
func (p *play) serve(ctx context.Context) error {
	nodes := p.cluster.Nodes()
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() { errs[i] = p.write(ctx, node) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// retryAfter is how long a client waits after a failed write.
const retryAfter = 100 * time.Millisecond

// write blocks until a write on the node succeeds or ctx ends.
func (p *play) write(ctx context.Context, node *harness.Node) error {
	const insert = "CREATE TABLE IF NOT EXISTS chaos_alive (node INTEGER, at INTEGER); INSERT INTO chaos_alive VALUES (?, ?)"
	pause := time.NewTimer(retryAfter)
	defer pause.Stop()
	for {
		_, err := node.Execute(ctx, insert, node.Index(), time.Since(p.begun).Milliseconds())
		if err == nil {
			return nil
		}
		pause.Reset(retryAfter)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return err
		}
	}
}
