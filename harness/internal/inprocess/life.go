package inprocess

import "context"

// Stop has the node leave in good order.
func (c *Cluster) Stop(ctx context.Context, node int) error { return c.node(node).stop(ctx) }

// Crash cuts the node off from everything at once: no message leaves it any more,
// and no byte reaches its disk. What is left of it in memory then comes to its end
// without being heard.
func (c *Cluster) Crash(ctx context.Context, node int) error { return c.node(node).crash(ctx) }

// Start starts a node on what is on its disk. Its first peers it knows from its
// log; had it lost that, it must not found another cluster.
func (c *Cluster) Start(_ context.Context, node int) error { return c.node(node).start(nil) }
