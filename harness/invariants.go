package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrInvariant is wrapped by what VerifyInvariants finds.
var ErrInvariant = errors.New("a promise of the cluster is broken")

// VerifyInvariants checks on a healed, quiet cluster what every cluster promises
// at all times: no two nodes led in one term, as far as any node ever told, also
// before it was started again; none has forgotten its vote; every acknowledged change is on every node; and all
// nodes hold the same down to the last value. It blocks until the nodes are
// equally far, or ctx ends. What the target cannot tell (target.Rememberer,
// target.Digester) is not checked; that a node is offline is an error.
func (c *Cluster) VerifyInvariants(ctx context.Context) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	end := c.journal.Begin(journal.Check, journal.Nobody, "invariants")
	unhealed := c.verifyHealed()
	err = c.verifyLeaders(ctx)
	if unhealed != nil {
		err = errors.Join(err, unhealed)
	} else {
		err = errors.Join(err, c.verifyDigests(ctx), c.verifyAcknowledged(ctx), c.verifyMembers(ctx)) // digests wait for stragglers, so they go first
	}
	end(err)
	return err
}

// verifyHealed says which nodes cannot be compared with the others.
func (c *Cluster) verifyHealed() error {
	var errs []error
	for _, node := range c.Nodes() {
		if mode, lost := c.Lost(node.index); lost {
			errs = append(errs, fmt.Errorf("%s is offline (%s), so what it holds cannot be compared", node, mode))
		}
	}
	return errors.Join(errs...)
}

func (c *Cluster) verifyLeaders(ctx context.Context) error {
	var errs []error
	for _, l := range c.look(ctx, longestOnly) { // which notes the terms
		errs = append(errs, l.Err)
	}
	return errors.Join(append(errs, c.promises.Broken()...)...)
}

// verifyMembers compares the members that each node knows with those that the cluster has.
func (c *Cluster) verifyMembers(ctx context.Context) error {
	looks := c.look(ctx, longestOnly)
	var want []target.Peer
	for _, l := range looks {
		if l.Err != nil {
			return nil // which verifyLeaders has said
		}
		want = append(want, target.Peer{ID: l.Node.ID(), Address: l.Status.Address, Voter: l.Node.Votes()})
	}
	var errs []error
	for _, l := range looks {
		if len(l.Status.Peers) > 0 && !sameMembers(l.Status.Peers, want) {
			errs = append(errs, fmt.Errorf("%w: the members by %s are %v, and the cluster's are %v", ErrInvariant, l.Node, l.Status.Peers, want))
		}
	}
	return errors.Join(errs...)
}

func sameMembers(a, b []target.Peer) bool {
	byID := func(a, b target.Peer) int { return strings.Compare(a.ID, b.ID) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byID), slices.SortedFunc(slices.Values(b), byID))
}

func (c *Cluster) verifyAcknowledged(ctx context.Context) error {
	rememberer, ok := target.As[target.Rememberer](c.cluster)
	if !ok {
		return nil
	}
	for _, node := range c.Nodes() {
		ids, err := rememberer.Remembered(ctx, node.index)
		if err != nil {
			return node.failed("ask for applied requests", err)
		}
		if missing := c.promises.Missing(ids); len(missing) > 0 {
			return fmt.Errorf("%w: %s lacks %d acknowledged changes, the first is %s", ErrInvariant, node, len(missing), missing[0])
		}
	}
	return nil
}

func (c *Cluster) verifyDigests(ctx context.Context) error {
	digester, ok := target.As[target.Digester](c.cluster)
	if !ok {
		return nil
	}
	looks := newLooks()
	defer looks.stop()
	for {
		uneven, err := c.compareDigests(ctx, digester)
		if err != nil || uneven == "" {
			return err
		}
		select {
		case <-looks.again():
		case <-ctx.Done():
			return fmt.Errorf("wait until all nodes have applied the same entries: %s: %w", uneven, context.Cause(ctx))
		}
	}
}

// compareDigests says which nodes are not at one index, or "" if all are.
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
			return "", fmt.Errorf("%w: %s and %s hold different data at log index %d", ErrInvariant, first, node, index)
		}
	}
	return "", nil
}

// compareIndexes is a look that costs less than a digest. Why a node cannot be
// asked, the digest will tell.
func (c *Cluster) compareIndexes(ctx context.Context) (uneven string) {
	looks := c.Look(ctx)
	for _, l := range looks {
		if l.Err != nil {
			return ""
		}
	}
	for _, l := range looks {
		if l.Status.AppliedIndex != looks[0].Status.AppliedIndex {
			return fmt.Sprintf("%s is at index %d, %s at %d", looks[0].Node, looks[0].Status.AppliedIndex, l.Node, l.Status.AppliedIndex)
		}
	}
	return ""
}
