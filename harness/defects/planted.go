package defects

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// planted is a target whose nodes show and answer something else.
type planted struct {
	target.Target
	status func(target.Status) target.Status // nil for as it is
	client func(target.Node) target.SQL      // nil for as it is
}

// plant keeps what the target can do.
func plant(t target.Target, p planted) target.Target {
	p.Target = t
	if _, can := t.(seeded); can {
		return plantedInTime{p}
	}
	return p
}

type seeded interface {
	target.Seeder
	target.Pacer
}

// plantedInTime is one that can be seeded and paced.
type plantedInTime struct{ planted }

func (p plantedInTime) Seeded(seed uint64) target.Target {
	return plant(p.Target.(seeded).Seeded(seed), p.planted)
}

func (p plantedInTime) AtPace(election time.Duration) target.Target {
	return plant(p.Target.(seeded).AtPace(election), p.planted)
}

// everything is what clusters of embedded nodes in this process can.
type everything interface {
	target.Cluster
	target.Digester
	target.Rememberer
	target.Starter
	target.Linker
	target.Disker
	target.Skewer
	target.Membership
}

func (p planted) Boot(ctx context.Context, size int) (target.Cluster, error) {
	booted, err := p.Target.Boot(ctx, size)
	if err != nil {
		return nil, err
	}
	all, can := booted.(everything)
	if !can {
		return booted, nil
	}
	c := plantedCluster{all, p}
	if clock, has := booted.(target.Clock); has {
		return plantedClusterInTime{c, clock}, nil
	}
	return c, nil
}

type plantedCluster struct {
	everything
	p planted
}

type plantedClusterInTime struct {
	plantedCluster
	target.Clock
}

func (c plantedCluster) Nodes() []target.Node {
	nodes := c.everything.Nodes()
	for i, n := range nodes {
		nodes[i] = plantedNode{n, c.p}
	}
	return nodes
}

func (c plantedCluster) Add(ctx context.Context, voter bool) (target.Node, error) {
	node, err := c.everything.Add(ctx, voter)
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

// sqlFunc is a place where statements are run by a function.
type sqlFunc func(ctx context.Context, request target.Request) (target.Rows, error)

func (f sqlFunc) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	return f(ctx, request)
}
