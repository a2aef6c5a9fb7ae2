package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/process/child"
	"github.com/rejoin-db/rejoin/harness/target"
)

const removed = "removed"

// Add starts a new node and takes it into the cluster; first it only listens, and
// if it is to vote, it does once it has caught up. If that fails, nothing of the
// node is left, but perhaps its name among the members that do not vote.
func (c *Cluster) Add(ctx context.Context, voter bool) (_ target.Node, err error) {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := c.newNode(voter)
	if err != nil {
		return nil, fmt.Errorf("add a node: %w", err)
	}
	c.mu.Lock()
	c.joining = n
	for _, other := range c.nodes {
		other.untold.hosts = append(other.untold.hosts, n.host())
	}
	everybody := c.everybodyLocked()
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.joining = nil
		if err == nil {
			c.nodes = append(c.nodes, n)
		}
		c.mu.Unlock()
		if err != nil {
			err = errors.Join(fmt.Errorf("add node %s: %w", n.id, err), c.discard(n))
		}
	}()
	if err := c.tell(ctx, everybody); err != nil {
		return nil, err
	}
	if err := n.startInTurn(ctx); err != nil {
		return nil, err
	}
	if err := c.takeIn(ctx, n); err != nil {
		return nil, err
	}
	return n, nil
}

// Remove takes the node out of the cluster and kills it.
func (c *Cluster) Remove(ctx context.Context, node int) error {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return err
	}
	defer leave()
	n, err := c.node(node)
	if err != nil {
		return err
	}
	if err := c.takeOut(ctx, n); err != nil {
		return err
	}
	if err := n.turn.take(ctx); err != nil {
		return fmt.Errorf("end node %s: %w", n.id, err)
	}
	defer n.turn.release()
	if err := n.crash(ctx, removed); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.removed, n.reason = true, removed
	c.wiring.Forget(n.id)
	return nil
}

// Replace takes a node that does not run out of the cluster, empties its disk,
// starts it and takes it in again, with the name and the address that it had.
func (c *Cluster) Replace(ctx context.Context, node int) error {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return err
	}
	defer leave()
	n, err := c.node(node)
	if err != nil {
		return err
	}
	c.mu.Lock()
	state, gone := n.state, n.removed
	c.mu.Unlock()
	switch {
	case gone:
		return fmt.Errorf("replace node %s: it was removed for good", n.id)
	case state != down:
		return fmt.Errorf("replace node %s: it runs", n.id)
	}
	if err := c.takeOut(ctx, n); err != nil {
		return fmt.Errorf("replace node %s: %w", n.id, err)
	}
	if err := errors.Join(os.RemoveAll(n.dir), os.Mkdir(n.dir, 0o700)); err != nil {
		return fmt.Errorf("empty the disk of node %s: %w", n.id, err)
	}
	if err := n.startInTurn(ctx); err != nil {
		return err
	}
	return c.takeIn(ctx, n)
}

// changeMembers lets one change of the members be made at a time, until leave.
func (c *Cluster) changeMembers(outer context.Context) (ctx context.Context, leave func(), err error) {
	ctx, cancel := c.bound(outer)
	if err := c.members.take(ctx); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("wait for another change of the members: %w", err)
	}
	return ctx, func() { c.members.release(); cancel() }, nil
}

func (n *node) startInTurn(ctx context.Context) error {
	if err := n.turn.take(ctx); err != nil {
		return fmt.Errorf("start node %s: %w", n.id, err)
	}
	defer n.turn.release()
	return n.start(ctx)
}

// takeIn makes a running node a member, and a voter, if it is to be one, when it
// has applied what was committed at its first asking.
func (c *Cluster) takeIn(ctx context.Context, n *node) error {
	member := embedded.Member{ID: n.id, Address: n.reservation.Addr()}
	var mark uint64
	err := c.onLeader(ctx, func(ctx context.Context, leader *child.Client) (err error) {
		if err = leader.Inside.AddMember(ctx, member); err == nil {
			var health embedded.Health
			health, err = leader.Health(ctx)
			mark = health.CommitIndex
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take node %s in: %w", n.id, err)
	}
	if err := n.awaitApplied(ctx, mark); err != nil {
		return err
	}
	c.mu.Lock()
	member.Voter = n.voter
	c.mu.Unlock()
	if !member.Voter {
		return nil
	}
	err = c.onLeader(ctx, func(ctx context.Context, leader *child.Client) error { return leader.Inside.AddMember(ctx, member) })
	if err != nil {
		return fmt.Errorf("let node %s vote: %w", n.id, err)
	}
	return nil
}

func (c *Cluster) takeOut(ctx context.Context, n *node) error {
	err := c.onLeader(ctx, func(ctx context.Context, leader *child.Client) error { return leader.Inside.RemoveMember(ctx, n.id) })
	if err != nil {
		return fmt.Errorf("take node %s out: %w", n.id, err)
	}
	return nil
}

// discard takes back what newNode made. Nothing refers to the name again.
func (c *Cluster) discard(n *node) error {
	n.turn.seize()
	err := n.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wiring.Forget(n.id)
	n.removed = true
	return err
}

// lookAgain is how long to wait between two looks at a node: a local question
// takes it a tenth of that.
const lookAgain = 5 * time.Millisecond

// onLeader asks the leader, whoever that is, until it has done what it is asked.
func (c *Cluster) onLeader(ctx context.Context, ask func(context.Context, *child.Client) error) error {
	last := errors.New("no node that runs says that it leads")
	return poll(ctx, func() (bool, error) {
		leader := c.leader(ctx)
		if leader == nil {
			return false, last
		}
		if err := ask(ctx, leader); err != nil {
			last = err
			return false, last
		}
		return true, nil
	})
}

// leader is the node that says it leads, in the highest term if there are more;
// nil if there is none.
func (c *Cluster) leader(ctx context.Context) *child.Client {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c.mu.Lock()
	nodes := c.nodes
	c.mu.Unlock()
	var mu sync.Mutex
	var found *child.Client
	var highest uint64
	var wg sync.WaitGroup
	for _, n := range nodes {
		life, err := n.running()
		if err != nil {
			continue
		}
		wg.Go(func() {
			health, err := life.control.Health(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && health.Role == "leader" && health.Term > highest {
				found, highest = life.control, health.Term
			}
		})
	}
	wg.Wait()
	return found
}

// awaitApplied waits until the node is online and has applied so much of the log.
func (n *node) awaitApplied(ctx context.Context, index uint64) error {
	return poll(ctx, func() (bool, error) {
		status, err := n.Status(ctx)
		switch {
		case err != nil:
			return false, err
		case status.State == target.Offline || status.State == target.Failed:
			return true, fmt.Errorf("node %s is %s: %s", n.id, status.State, status.Reason)
		case status.State == target.Online && status.AppliedIndex >= index:
			return true, nil
		}
		return false, fmt.Errorf("node %s is %s and has applied %d of %d", n.id, status.State, status.AppliedIndex, index)
	})
}

// poll looks until that comes to an end; the error of a look that does not is
// what the end of ctx is explained with.
func poll(ctx context.Context, look func() (end bool, err error)) error {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		end, err := look()
		if end {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
	}
}
