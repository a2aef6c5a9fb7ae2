package nemesis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// Injection is one fault that a Nemesis injects. It is safe for concurrent use.
type Injection struct {
	nemesis *Nemesis
	cluster *harness.Cluster
	kind    Kind
	lasts   time.Duration
	links   []fault.Link // those whose counts are evidence
	before  Evidence
	undo    Undo
	struck  atomic.Bool // its node crashed while it installed a snapshot

	mu    sync.Mutex
	fault fault.Fault

	undoing sync.Once
	effect  Effect
	err     error
}

func newInjection(n *Nemesis, k Kind, f fault.Fault, lasts time.Duration) *Injection {
	if !k.namesNode() {
		f.Node = fault.NoNode
	}
	if k.Rule != nil && f.Rule == nil {
		rule := k.Rule(f)
		f.Rule = &rule
	}
	return &Injection{nemesis: n, cluster: n.cluster, kind: k, lasts: lasts, links: f.Links, fault: f}
}

// Fault returns the fault as it is in force: with the links, the rule, the disk faults and the node
// that its kind has chosen.
func (in *Injection) Fault() fault.Fault {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fault
}

// choose adds what was chosen at the injection to the fault.
func (in *Injection) choose(set func(*fault.Fault)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	set(&in.fault)
}

// Effect tells what the evidence shows of the fault so far. It blocks until all nodes have answered,
// for a second at most.
func (in *Injection) Effect(ctx context.Context) Effect {
	return in.kind.effect(in.before, in.observe(ctx))
}

// Undo undoes the fault, and returns the effect that it had before. It blocks until that is done or
// ctx ends. If it fails, what the fault claims stays claimed, and Heal of the cluster must follow. A
// second call returns what the first returned.
func (in *Injection) Undo(ctx context.Context) (Effect, error) {
	in.undoing.Do(func() {
		in.effect = in.Effect(ctx)
		in.err = in.undo(ctx)
		in.nemesis.end(in, true)
		if in.err != nil {
			in.err = fmt.Errorf("undo %s: %w", in.kind.Describe(in.Fault()), in.err)
			return
		}
		in.nemesis.release(in)
	})
	return in.effect, in.err
}

// ends are the nodes that the fault is about, or the ends of its links.
func (in *Injection) ends() (ends []int) {
	switch f := in.Fault(); in.kind.On {
	case Node, Disk, Clock, Member:
		ends = []int{f.Node}
	case Link, Links:
		ends = []int{f.Links[0].From, f.Links[0].To}
	case Leader, Network:
		for _, node := range in.cluster.Nodes() {
			ends = append(ends, node.Index())
		}
	case Cluster: // no single node
	}
	return ends
}

// explain adds the reason to an error of the injection, if the reason is another fault. ends are the
// nodes that the fault was about when the injection began.
func (in *Injection) explain(err error, ends []int) error {
	switch {
	case errors.Is(err, ErrInTheWay):
		return err
	case in.isAway(err, ends):
		return fmt.Errorf("%w: %w", ErrInTheWay, err)
	case in.kind.LacksQuorum != nil && in.kind.LacksQuorum(err) && in.nemesis.isTroubled(in):
		return fmt.Errorf("%w: %w", ErrNoQuorum, err)
	}
	return err
}

// isAway tells whether the error comes from a node that another fault has taken offline or removed,
// or is removing.
func (in *Injection) isAway(err error, nodes []int) bool {
	return errors.Is(err, harness.ErrAlreadyOffline) || isRemoved(err) || in.nemesis.anyLeaving(nodes)
}

// isRemoved tells whether the error comes from a node that is no member, or is being removed.
func isRemoved(err error) bool {
	var gone *harness.RemovedError
	return errors.As(err, &gone) || errors.Is(err, harness.ErrBeingRemoved)
}

// unlessRemoved drops an error about nodes of which one is removed or being removed: nothing of it is
// left to undo.
func (in *Injection) unlessRemoved(err error, nodes ...int) error {
	if isRemoved(err) || in.nemesis.anyLeaving(nodes) {
		return nil
	}
	return err
}

// wait blocks for d, and tells whether it has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// later runs the second step of a fault after half of its time, in a goroutine. The returned function
// ends the wait, blocks until the step has ended, and returns its error. The step is given two
// contexts: the end of waiting ends only what it waits for.
func (in *Injection) later(ctx context.Context, step func(ctx, waiting context.Context) error) (end func() error) {
	done := make(chan error)
	waiting, stop := context.WithCancel(ctx)
	go func() {
		if !wait(waiting, in.lasts/2) {
			done <- nil
			return
		}
		done <- step(ctx, waiting)
	}()
	return func() error {
		stop()
		return <-done
	}
}
