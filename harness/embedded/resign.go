package embedded

import (
	"context"
	"math"

	"github.com/hashicorp/raft"
)

// resign watches the storage. A node whose storage has failed gives leadership
// away, if it has it and can, and is then cut off from the others: Raft does not
// mind the state machine, and its leader would go on committing changes that it
// cannot answer. The others do without the node.
func (n *Node) resign() {
	n.wg.Go(func() {
		err := n.storage.machine.WaitApplied(n.ctx, math.MaxUint64)
		if n.ctx.Err() != nil {
			return
		}
		n.config.Logger.Error("the storage has failed", "error", err)
		if n.raft.State() == raft.Leader && !n.stream.silenced.Load() {
			ctx, cancel := context.WithTimeout(n.ctx, n.config.ElectionTimeout)
			defer cancel()
			n.handOver(ctx)
		}
		n.silence()
	})
}
