package inprocess

import "context"

// Stop makes the node leave gracefully.
func (c *Cluster) Stop(ctx context.Context, node int) error { return c.node(node).stop(ctx) }

// Crash cuts the node off from everything at once: it can send no more messages, and write no more bytes to its disk.
// The rest of it in memory then ends unnoticed.
func (c *Cluster) Crash(ctx context.Context, node int) error { return c.node(node).crash(ctx) }

// Start starts a node on the content of its disk, without initial peers: it knows those from its log. A node that has
// lost its log must not bootstrap a new cluster.
func (c *Cluster) Start(_ context.Context, node int) error { return c.node(node).start(nil) }
