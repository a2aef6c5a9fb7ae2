package embedded

import (
	"context"
	"math"

	"github.com/hashicorp/raft"
)

// resign watches the storage. When it fails, the node transfers its leadership if possible, and is
// then disconnected from the others. Raft does not watch the state machine: its leader would continue
// to commit changes that it cannot answer.
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
