package defects

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/target"
)

// planted are the wrong parts of the nodes of a cluster; nil for the right ones.
type planted struct {
	status func(target.Status) target.Status
	client func(target.Node) target.SQL
}

// plant returns the target with the bug in all nodes.
func (p planted) plant(t target.Target) (target.Target, error) {
	return target.Decorate(t, func(c target.Cluster) (target.Cluster, error) { return p.in(c), nil }), nil
}

// in returns the cluster with the bug in all nodes. Its abilities do not change.
func (p planted) in(c target.Cluster) target.Cluster {
	decorated := plantedCluster{c, p}
	if members, can := target.As[target.Membership](c); can {
		return plantedMembers{decorated, members}
	}
	return decorated
}

type plantedCluster struct {
	target.Cluster
	p planted
}

var _ target.Decorator = plantedCluster{}

func (c plantedCluster) Unwrap() target.Cluster { return c.Cluster }

func (c plantedCluster) Nodes() []target.Node {
	var nodes []target.Node
	for _, n := range c.Cluster.Nodes() {
		nodes = append(nodes, plantedNode{n, c.p})
	}
	return nodes
}

// plantedMembers is a cluster with Membership: nodes that are added have the bug too.
type plantedMembers struct {
	plantedCluster
	target.Membership
}

func (c plantedMembers) Add(ctx context.Context, voter bool) (target.Node, error) {
	node, err := c.Membership.Add(ctx, voter)
	if err != nil {
		return nil, err
	}
	return plantedNode{node, c.p}, nil
}

type plantedNode struct {
	target.Node
	p planted
}

func (n plantedNode) Client() target.SQL {
	if n.p.client == nil {
		return n.Node.Client()
	}
	return n.p.client(n.Node)
}

func (n plantedNode) Status(ctx context.Context) (target.Status, error) {
	status, err := n.Node.Status(ctx)
	if err == nil && n.p.status != nil {
		status = n.p.status(status)
	}
	return status, err
}

// sqlFunc is a function as a target.SQL.
type sqlFunc func(ctx context.Context, request target.Request) (target.Rows, error)

func (f sqlFunc) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	return f(ctx, request)
}
