package embedded

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// failStopMachine fails the node when a snapshot that another node sent cannot be restored: the
// node is failed and silent before Raft is told that all is well. While Raft starts, it is told
// the error.
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
