package embedded

import (
	"math"
	"time"

	"github.com/hashicorp/raft"
)

// resign watches the storage, and gives leadership away whenever a node leads
// whose storage has failed. Raft does not mind the state machine: its leader
// would go on committing changes that it cannot answer, and hold up a cluster
// that could do without it.
func (n *Node) resign() {
	n.wg.Go(func() {
		err := n.storage.machine.WaitApplied(n.ctx, math.MaxUint64)
		if n.ctx.Err() != nil {
			return
		}
		n.config.Logger.Error("the storage has failed", "error", err)
		look := time.NewTicker(n.config.ElectionTimeout)
		defer look.Stop()
		for {
			if n.raft.State() == raft.Leader {
				n.handOver(n.ctx)
			}
			select {
			case <-look.C:
			case <-n.ctx.Done():
				return
			}
		}
	})
}
