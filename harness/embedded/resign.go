package embedded

import (
	"context"
	"math"

	"github.com/hashicorp/raft"
)

// resign watches the storage. A node whose storage has failed transfers leadership, if it leads
// and can, and is then cut off from the others: Raft does not watch the state machine, and its
// leader would go on committing changes that it cannot answer.
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
