package harness

import (
	"context"
	"math/rand/v2"
	"sync"
)

// Router chooses the nodes that a request goes to. Its methods are called with the nodes
// whose flags are up, in order; they must not keep them. They are safe for concurrent use.
type Router interface {
	// One returns the node for a request that any may answer; ErrNoNodesOnline if there is
	// none. It does not block.
	One(ctx context.Context, online []*Node) (*Node, error)
	// All returns the nodes for a request that goes to all.
	All(online []*Node) []*Node
}

// Routing sets what chooses nodes: what route returns, which is given the default, one node
// at random, and all. It is called once, at boot. Planted bugs use it.
func Routing(route func(Router) Router) Option { return func(o *options) { o.route = route } }

// randomRouter chooses one node at random, and all.
type randomRouter struct {
	mu     sync.Mutex
	random *rand.Rand
}

func newRandomRouter(seed uint64) *randomRouter {
	return &randomRouter{random: rand.New(rand.NewPCG(seed, seed))}
}

func (r *randomRouter) One(_ context.Context, online []*Node) (*Node, error) {
	if len(online) == 0 {
		return nil, ErrNoNodesOnline
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return online[rand.New(rand.NewPCG(r.random.Uint64(), r.random.Uint64())).IntN(len(online))], nil
}

func (*randomRouter) All(online []*Node) []*Node { return online }
