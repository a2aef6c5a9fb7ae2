package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrInvariant is wrapped by what VerifyInvariants finds.
var ErrInvariant = errors.New("a promise of the cluster is broken")

// Heal brings back every node that is offline and blocks until all nodes are
// online.
func (c *Cluster) Heal(ctx context.Context) error {
	var errs []error
	for i := range c.nodes {
		up, err := c.IsNodeOnline(i)
		if err == nil && !up {
			err = c.BringNodeOnline(ctx, i)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return c.WaitForAllOnline(ctx)
}

// VerifyInvariants checks on a healed, quiet cluster what every cluster promises
// at all times: no two nodes led in one term, every acknowledged change is on
// every node, and all nodes hold the same down to the last value. It blocks
// until the nodes are equally far, or ctx ends. What the target cannot tell
// (target.Rememberer, target.Digester) is not checked.
func (c *Cluster) VerifyInvariants(ctx context.Context) error {
	end := c.journal.Begin(journal.Check, journal.Nobody, "invariants")
	err := errors.Join(c.verifyLeaders(ctx), c.verifyDigests(ctx), c.verifyAcknowledged(ctx)) // digests wait for stragglers, so they go first
	end(err)
	return err
}

func (c *Cluster) verifyLeaders(ctx context.Context) error {
	leaders := make(map[uint64]*Node)
	for _, node := range c.nodes {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		for _, term := range status.LedTerms {
			if other := leaders[term]; other != nil {
				return fmt.Errorf("%w: %s and %s both led in term %d", ErrInvariant, other, node, term)
			}
			leaders[term] = node
		}
	}
	return nil
}

func (c *Cluster) verifyAcknowledged(ctx context.Context) error {
	rememberer, ok := c.cluster.(target.Rememberer)
	if !ok {
		return nil
	}
	for i, node := range c.nodes {
		ids, err := rememberer.Remembered(ctx, i)
		if err != nil {
			return node.failed("ask for applied requests", err)
		}
		if missing := c.acknowledged.missing(ids); len(missing) > 0 {
			return fmt.Errorf("%w: %s lacks %d acknowledged changes, the first is %s", ErrInvariant, node, len(missing), missing[0])
		}
	}
	return nil
}

func (c *Cluster) verifyDigests(ctx context.Context) error {
	digester, ok := c.cluster.(target.Digester)
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
	for i, node := range c.nodes {
		index, sum, err := digester.Digest(ctx, i)
		switch {
		case err != nil:
			return "", node.failed("digest", err)
		case i == 0:
			firstIndex, firstSum = index, sum
		case index != firstIndex:
			return fmt.Sprintf("%s is at index %d, %s at %d", c.nodes[0], firstIndex, node, index), nil
		case sum != firstSum:
			return "", fmt.Errorf("%w: %s and %s hold different data at log index %d", ErrInvariant, c.nodes[0], node, index)
		}
	}
	return "", nil
}

// compareIndexes is a look that costs less than a digest. Why a node cannot be
// asked, the digest will tell.
func (c *Cluster) compareIndexes(ctx context.Context) (uneven string) {
	var first uint64
	for i, node := range c.nodes {
		status, err := node.Status(ctx)
		switch {
		case err != nil:
			return ""
		case i == 0:
			first = status.AppliedIndex
		case status.AppliedIndex != first:
			return fmt.Sprintf("%s is at index %d, %s at %d", c.nodes[0], first, node, status.AppliedIndex)
		}
	}
	return ""
}
