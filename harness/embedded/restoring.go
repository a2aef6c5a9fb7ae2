package embedded

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// failStopMachine makes the node fail when a snapshot of another node cannot be restored. The node has
// failed and is disconnected before Raft is told, incorrectly, that the restore succeeded. While Raft
// starts, it receives the error instead.
type failStopMachine struct {
	raft.BatchingFSM
	failStop *failStop
	started  *atomic.Bool
}

func (m failStopMachine) Restore(source io.ReadCloser) error {
	err := m.BatchingFSM.Restore(source)
	if err == nil || !m.started.Load() {
		return err
	}
	m.failStop.fail(err)
	return nil
}
