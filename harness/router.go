package harness

import (
	"context"
	"math/rand/v2"
)

// Router chooses the nodes that a request goes to. Its methods are called with the
// nodes whose flags are up, in order; they must not keep them.
type Router interface {
	// One is the node for a request that any may answer; ErrNoNodesOnline if there is
	// none. It is not to block.
	One(ctx context.Context, online []*Node, chance *rand.Rand) (*Node, error)
	// All are the nodes for a request that goes to all.
	All(online []*Node) []*Node
}

// Routing is who chooses nodes; unless said, one by chance, and all.
func Routing(r Router) Option { return func(o *options) { o.router = r } }

// ByChance chooses any node, and all.
type ByChance struct{}

// One is any of the nodes.
func (ByChance) One(_ context.Context, online []*Node, chance *rand.Rand) (*Node, error) {
	if len(online) == 0 {
		return nil, ErrNoNodesOnline
	}
	return online[chance.IntN(len(online))], nil
}

// All is all of them.
func (ByChance) All(online []*Node) []*Node { return online }
