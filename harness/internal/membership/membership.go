// Package membership takes embedded nodes into a running cluster and out of it,
// through whichever of the members can: what the targets that can do so share.
package membership

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is a member, or one that is to be, asked past every fault.
type Node interface {
	ID() string
	Status(ctx context.Context) (target.Status, error)
	AddMember(ctx context.Context, m embedded.Member) error
	RemoveMember(ctx context.Context, id string) error
}

// Add takes a node that runs into the cluster, through any of the members that
// knows a leader. The node first only listens. If it is to vote, it does once it
// has applied what was committed when it came, so that it is at no time one that
// a quorum has to wait for. Add blocks until the node itself knows what it is, or
// ctx ends.
func Add(ctx context.Context, through []Node, node Node, address string, voter bool) error {
	m := embedded.Member{ID: node.ID(), Address: address}
	if err := ask(ctx, through, func(n Node) error { return n.AddMember(ctx, m) }); err != nil {
		return fmt.Errorf("take node %s into the cluster: %w", m.ID, err)
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
		return fmt.Errorf("let node %s vote: %w", m.ID, err)
	}
	return await(ctx, node, "a voter by its own log", func(s target.Status) bool { return s.Voter })
}

// Remove takes a node out of the cluster, running or not, through any of the
// other members that knows a leader. It blocks until that is committed.
func Remove(ctx context.Context, through []Node, id string) error {
	if err := ask(ctx, through, func(n Node) error { return n.RemoveMember(ctx, id) }); err != nil {
		return fmt.Errorf("take node %s out of the cluster: %w", id, err)
	}
	return nil
}

// rest is how long nobody is asked when nobody could do it.
const rest = 5 * time.Millisecond

var errNoMember = errors.New("no member is left that could make the change")

// ask asks one member after the other until one has done it, or has refused it for good.
// Those that are not online cannot, and are not asked.
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
			return fmt.Errorf("none of %d members could: %w: %w", len(members), errors.Join(errs...), context.Cause(ctx))
		}
	}
}

// await blocks until the node shows what is waited for.
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
			seen := fmt.Sprintf("state %s, applied index %d, leader %q, voter %t", status.State, status.AppliedIndex, status.Leader, status.Voter)
			if err != nil {
				seen = err.Error()
			}
			return fmt.Errorf("wait for node %s to be %s: last seen %s: %w", node.ID(), what, seen, context.Cause(ctx))
		}
	}
}

// highest is the highest commit index that a member knows of.
func highest(ctx context.Context, members []Node) (index uint64) {
	for _, n := range members {
		if status, err := n.Status(ctx); err == nil {
			index = max(index, status.CommitIndex)
		}
	}
	return index
}
