package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/promises"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrInvariant is wrapped by what VerifyInvariants finds.
var ErrInvariant = promises.ErrBroken

// InvariantError says which promise of a cluster was broken, where users know it by a name. It wraps ErrInvariant.
type InvariantError struct {
	Promise target.Promise
	Text    string // a sentence
}

func (e *InvariantError) Error() string { return ErrInvariant.Error() + ": " + e.Text }
func (e *InvariantError) Unwrap() error { return ErrInvariant }

// VerifyInvariants checks on a healed cluster without traffic what every cluster promises at
// all times. No two nodes led in one term, as far as any node ever reported, also before a
// restart. No node has forgotten its vote. Every acknowledged change is on every node. All
// nodes hold the same data at the same log index, and agree on the members.
//
// It blocks until all nodes have applied the same entries, or ctx ends. What the target cannot
// tell (target.Deduplicator, target.Digester) is not checked. A node that is offline is an
// error. A broken promise wraps ErrInvariant, and is an *InvariantError where it has a name.
func (c *Cluster) VerifyInvariants(ctx context.Context) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	end := c.journal.Begin(journal.Check, journal.None, "invariants")
	unhealed := c.verifyHealed()
	err = c.verifyLeaders(ctx)
	if unhealed != nil {
		err = join(err, unhealed)
	} else {
		// Digests wait for nodes that are behind, so they go first; not every target has them.
		err = join(err, c.verifyDigests(ctx), c.verifyAcknowledged(ctx), c.verifyMembers(ctx))
	}
	end(err)
	return err
}

// verifyHealed returns an error for each node that is offline: it cannot be compared.
func (c *Cluster) verifyHealed() error {
	var errs []error
	for _, node := range c.Nodes() {
		if mode, lost := c.Lost(node.index); lost {
			errs = append(errs, fmt.Errorf("%s is offline (%s), so its data cannot be compared", node, mode))
		}
	}
	return join(errs...)
}

func (c *Cluster) verifyLeaders(ctx context.Context) error {
	var errs []error
	for _, o := range c.observe(ctx, singleProbeTimeout) { // notes the terms
		errs = append(errs, o.Err)
	}
	return join(append(errs, c.promises.Broken()...)...)
}

// verifyMembers compares the members that each node knows with those that the cluster has.
func (c *Cluster) verifyMembers(ctx context.Context) error {
	observed := c.observe(ctx, singleProbeTimeout)
	var want []target.Peer
	for _, o := range observed {
		if o.Err != nil {
			return nil // verifyLeaders reports it
		}
		want = append(want, target.Peer{ID: o.Node.ID(), Address: o.Status.Address, Voter: o.Node.Votes()})
	}
	var errs []error
	for _, o := range observed {
		if len(o.Status.Peers) > 0 && !sameMembers(o.Status.Peers, want) {
			errs = append(errs, fmt.Errorf("%w: %s lists the members %v, the cluster has %v", ErrInvariant, o.Node, o.Status.Peers, want))
		}
	}
	return join(errs...)
}

func sameMembers(a, b []target.Peer) bool {
	byID := func(a, b target.Peer) int { return strings.Compare(a.ID, b.ID) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byID), slices.SortedFunc(slices.Values(b), byID))
}

// remembered is how many of the latest acknowledged requests every node remembers.
func remembered(c target.Cluster) int {
	deduplicator, ok := target.As[target.Deduplicator](c)
	if !ok {
		return 0
	}
	return deduplicator.Memory() / 2 // nodes remember by log index, and not every entry is a request
}

func (c *Cluster) verifyAcknowledged(ctx context.Context) error {
	deduplicator, ok := target.As[target.Deduplicator](c.cluster)
	if !ok {
		return nil
	}
	poll := newPoll()
	defer poll.stop()
	for {
		uneven := c.compareIndexes(ctx) // before the nodes are asked: what is missing on an even cluster stays missing
		err := c.lacksAcknowledged(ctx, deduplicator)
		if err == nil || uneven == "" {
			return err
		}
		select {
		case <-poll.next():
		case <-ctx.Done():
			return err
		}
	}
}

func (c *Cluster) lacksAcknowledged(ctx context.Context, deduplicator target.Deduplicator) error {
	for _, node := range c.Nodes() {
		ids, err := deduplicator.Remembered(ctx, node.index)
		if err != nil {
			return node.failed("ask for applied requests", err)
		}
		if missing := c.promises.Missing(ids); len(missing) > 0 {
			return &InvariantError{target.Durability,
				fmt.Sprintf("%s lacks %d acknowledged changes, the first is %s", node, len(missing), missing[0])}
		}
	}
	return nil
}

func (c *Cluster) verifyDigests(ctx context.Context) error {
	digester, ok := target.As[target.Digester](c.cluster)
	if !ok {
		return nil
	}
	poll := newPoll()
	defer poll.stop()
	for {
		uneven, err := c.compareDigests(ctx, digester)
		if err != nil || uneven == "" {
			return err
		}
		select {
		case <-poll.next():
		case <-ctx.Done():
			return fmt.Errorf("wait until all nodes have applied the same entries: %s: %w", uneven, context.Cause(ctx))
		}
	}
}

// compareDigests returns an error if the nodes hold different data. If they are not at one log
// index it says which are not, and proves nothing.
func (c *Cluster) compareDigests(ctx context.Context, digester target.Digester) (uneven string, _ error) {
	if uneven := c.compareIndexes(ctx); uneven != "" {
		return uneven, nil
	}
	var firstIndex uint64
	var firstSum string
	var first *Node
	for _, node := range c.Nodes() {
		index, sum, err := digester.Digest(ctx, node.index)
		c.noteDigest(node.index, index, sum, err)
		switch {
		case err != nil:
			return "", node.failed("digest", err)
		case first == nil:
			first, firstIndex, firstSum = node, index, sum
		case index != firstIndex:
			return fmt.Sprintf("%s is at index %d, %s at %d", first, firstIndex, node, index), nil
		case sum != firstSum:
			return "", &InvariantError{target.Convergence,
				fmt.Sprintf("%s and %s hold different data at log index %d", first, node, index)}
		}
	}
	return "", nil
}

// compareIndexes says which nodes are not at one log index; it costs less than a digest. The
// digest reports why a node cannot be asked.
func (c *Cluster) compareIndexes(ctx context.Context) (uneven string) {
	observed := c.Observe(ctx)
	for _, o := range observed {
		if o.Err != nil {
			return ""
		}
	}
	for _, o := range observed {
		if o.Status.AppliedIndex != observed[0].Status.AppliedIndex {
			return fmt.Sprintf("%s is at index %d, %s at %d", observed[0].Node, observed[0].Status.AppliedIndex, o.Node, o.Status.AppliedIndex)
		}
	}
	return ""
}
