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

// settle heals the cluster once trouble is over, and looks what is broken.
func (p *play) settle(ctx context.Context, o Options) (Broken, error) {
	if err := p.within(ctx, o.Patience, p.cluster.Heal); err != nil {
		return Liveness, fmt.Errorf("the cluster is not whole again %v after trouble was over: %w", o.Patience, err)
	}
	if err := p.within(ctx, o.Patience, p.serve); err != nil {
		return Liveness, fmt.Errorf("not every node takes writes %v after the cluster was whole again: %w", o.Patience, err)
	}
	if err := p.within(ctx, o.Patience, p.succeed); err != nil {
		return Nothing, err
	}
	for i, load := range p.loads {
		if err := p.within(ctx, o.Patience, load.Finish); err != nil {
			return Safety, fmt.Errorf("workload %s: %w", p.schedule.Workloads[i], err)
		}
	}
	if err := p.within(ctx, o.Patience, p.cluster.VerifyInvariants); err != nil {
		return kindOf(err), err
	}
	if lost := p.cluster.Journal().Dropped(journal.Resource, journal.Shown, journal.Role, journal.Note); lost > 0 {
		return Nothing, fmt.Errorf("the journal lost %d events, so nobody can judge what happened", lost)
	}
	if o.Judge == nil {
		return "", nil
	}
	return Safety, o.Judge(p.cluster.Journal().Events())
}

// kindOf is what an error of VerifyInvariants breaks.
func kindOf(err error) Broken {
	if errors.Is(err, harness.ErrInvariant) {
		return Safety
	}
	return Liveness
}

func (p *play) within(ctx context.Context, patience time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx)
}

// succeed blocks until some operation of each load has succeeded: a load that was
// refused for as long as there was trouble has shown nothing yet.
func (p *play) succeed(ctx context.Context) error {
	look := time.NewTicker(again)
	defer look.Stop()
	for i, load := range p.loads {
		for load.Tally().OK == 0 {
			var why error
			select {
			case <-look.C:
				continue
			case <-load.Done():
				why = errors.New("its clients are done")
			case <-ctx.Done():
				why = context.Cause(ctx)
			}
			if tally := load.Tally(); tally.OK == 0 {
				return fmt.Errorf("workload %s proves nothing (%v): %w", p.schedule.Workloads[i], tally, why)
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

// again is how long nobody is asked after a write has failed.
const again = 100 * time.Millisecond

func (p *play) write(ctx context.Context, node *harness.Node) error {
	const table = "chaos_alive"
	pause := time.NewTimer(again)
	defer pause.Stop()
	for {
		_, err := node.Execute(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (node INTEGER, at INTEGER); INSERT INTO "+table+" VALUES (?, ?)",
			node.Index(), time.Since(p.begun).Milliseconds())
		if err == nil {
			return nil
		}
		pause.Reset(again)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return err
		}
	}
}
