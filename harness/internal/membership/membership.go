// Package membership adds embedded nodes to a running cluster and removes them, through any member that can. Several
// targets share it.
package membership

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is a current or future member. Its methods reach it directly, so that faults of the network do not affect them.
type Node interface {
	ID() string
	Status(ctx context.Context) (target.Status, error)
	AddMember(ctx context.Context, m embedded.Member) error
	RemoveMember(ctx context.Context, id string) error
}

// Add adds a running node to the cluster, through any of the members that knows a leader. The node is a nonvoter first.
// If voter is true, it becomes a voter once it has applied the entries that were committed when it was added, so that a
// quorum never waits for it to catch up. Add blocks until the node itself knows its role, or ctx ends.
func Add(ctx context.Context, through []Node, node Node, address string, voter bool) error {
	m := embedded.Member{ID: node.ID(), Address: address}
	if err := ask(ctx, through, func(n Node) error { return n.AddMember(ctx, m) }); err != nil {
		return fmt.Errorf("add member %s: %w", m.ID, err)
	}
	committed := highest(ctx, through)
	err := await(ctx, node, fmt.Sprintf("online, with log index %d applied", committed), func(s target.Status) bool {
		return s.State == target.Online && s.AppliedIndex >= committed
	})
	if err != nil || !voter {
		return err
	}
	m.Voter = true
	if err := ask(ctx, through, func(n Node) error { return n.AddMember(ctx, m) }); err != nil {
		return fmt.Errorf("make member %s a voter: %w", m.ID, err)
	}
	return await(ctx, node, "a voter by its own log", func(s target.Status) bool { return s.Voter })
}

// Remove removes a node, running or not, from the cluster, through any of the other members that knows a leader. It
// blocks until that is committed, or ctx ends.
func Remove(ctx context.Context, through []Node, id string) error {
	if err := ask(ctx, through, func(n Node) error { return n.RemoveMember(ctx, id) }); err != nil {
		return fmt.Errorf("remove member %s: %w", id, err)
	}
	return nil
}

// rest is the pause between two rounds.
const rest = 5 * time.Millisecond

var errNoMember = errors.New("no member is left to make the change")

// ask tries the members in turn until one has made the change or has refused it permanently. It skips members that are
// not online.
func ask(ctx context.Context, members []Node, do func(Node) error) error {
	if len(members) == 0 {
		return errNoMember
	}
	pause := time.NewTimer(rest)
	defer pause.Stop()
	for {
		var errs []error
		for _, n := range members {
			status, err := n.Status(ctx)
			switch {
			case err != nil:
			case status.State != target.Online || status.Leader == "":
				err = fmt.Errorf("node %s is %s, leader %q", n.ID(), status.State, status.Leader)
			default:
				if err = do(n); err == nil || embedded.RefusedForGood(err) {
					return err
				}
			}
			errs = append(errs, err)
		}
		pause.Reset(rest)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("none of %d members could make the change: %w: %w", len(members), errors.Join(errs...), context.Cause(ctx))
		}
	}
}

// await blocks until the status of the node meets the condition.
func await(ctx context.Context, node Node, what string, is func(target.Status) bool) error {
	pause := time.NewTimer(rest)
	defer pause.Stop()
	for {
		status, err := node.Status(ctx)
		if err == nil && is(status) {
			return nil
		}
		pause.Reset(rest)
		select {
		case <-pause.C:
		case <-ctx.Done():
			seen := fmt.Sprintf("state %s, applied index %d, leader %q, voter %t",
				status.State, status.AppliedIndex, status.Leader, status.Voter)
			if err != nil {
				seen = err.Error()
			}
			return fmt.Errorf("wait for node %s to be %s: last seen %s: %w", node.ID(), what, seen, context.Cause(ctx))
		}
	}
}

// highest returns the highest commit index of the members.
func highest(ctx context.Context, members []Node) (index uint64) {
	for _, n := range members {
		if status, err := n.Status(ctx); err == nil {
			index = max(index, status.CommitIndex)
		}
	}
	return index
}
