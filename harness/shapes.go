package harness

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// The shapes cut links like a network that loses every packet (fault.Drop), and leave all
// other links as they are. Clients reach every node. Mend, MendLinks and Heal undo them.

// Partition cuts each group of nodes off from every other group. Nodes in no group keep their
// links; a node in two groups is an error.
func (c *Cluster) Partition(ctx context.Context, groups ...[]int) error {
	text := fmt.Sprint("partition ", groups)
	if err := apart(groups); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return c.cut(ctx, text, fault.Fault{Kind: fault.KindPartition, Groups: groups}, fault.Drop, fault.Partition(groups...))
}

// apart returns an error for a node that is in two groups.
func apart(groups [][]int) error {
	in := make(map[int]int)
	for i, group := range groups {
		for _, node := range group {
			if other, also := in[node]; also && other != i {
				return fmt.Errorf("node %d is in two groups", node)
			}
			in[node] = i
		}
	}
	return nil
}

// Ring leaves each node only the links to its two neighbours, in the order of their indexes. A
// ring of fewer than 4 nodes would cut nothing, and is an error.
func (c *Cluster) Ring(ctx context.Context) error {
	nodes := c.indexes()
	return c.cut(ctx, fmt.Sprint("ring ", nodes), fault.Fault{Kind: fault.KindRing, Groups: [][]int{nodes}}, fault.Drop, fault.Ring(nodes))
}

// Bridge cuts the nodes on the left off from those on the right; only the nodes of the bridge
// reach both. A node in two of the three groups is an error.
func (c *Cluster) Bridge(ctx context.Context, left, right []int, bridge ...int) error {
	text := fmt.Sprint("bridge ", left, bridge, right)
	if err := apart([][]int{left, right, bridge}); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	f := fault.Fault{Kind: fault.KindBridge, Groups: [][]int{left, bridge, right}}
	return c.cut(ctx, text, f, fault.Drop, fault.Bridge(left, right, bridge...))
}

// IsolateLeader cuts the leader off from all other nodes, both ways, and returns its index. Its
// flag stays up: unlike after TakeNodeOffline, clients reach it.
func (c *Cluster) IsolateLeader(ctx context.Context) (_ int, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return -1, err
	}
	defer leave(&err)
	if _, err := c.linker(); err != nil {
		return -1, fmt.Errorf("isolate the leader: %w", err)
	}
	leader, err := c.Leader(ctx)
	if err != nil {
		return -1, fmt.Errorf("isolate the leader: %w", err)
	}
	var others []int
	for _, i := range c.indexes() {
		if i != leader {
			others = append(others, i)
		}
	}
	f := fault.Fault{Kind: fault.KindIsolateLeader, Node: leader}
	return leader, c.cut(ctx, fmt.Sprintf("isolate the leader %d", leader), f, fault.Drop, fault.Around(leader, others))
}

func (c *Cluster) indexes() []int {
	var indexes []int
	for _, node := range c.Nodes() {
		indexes = append(indexes, node.index)
	}
	return indexes
}
