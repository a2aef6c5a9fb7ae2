package embedded

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// guardedMachine is the state machine that Raft is given. A snapshot that another
// node sent and that cannot be restored is the end of this node, and not, as Raft
// (1.8.0) would have it by a panic, of the process: the node is failed and silent
// before Raft hears that all is well. While Raft starts it takes the error as it is.
type guardedMachine struct {
	watchedMachine
	guard   *guard
	started *atomic.Bool
}

var _ raft.BatchingFSM = guardedMachine{}

func (m guardedMachine) Restore(source io.ReadCloser) error {
	err := m.watchedMachine.Restore(source)
	if err == nil || !m.started.Load() {
		return err
	}
	m.guard.fail(err)
	return nil
}
