package raftfix

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// Restoring returns a state machine whose Restore fails the node instead of returning an error,
// once Raft has started. fail must fail and silence the node before it returns.
//
// Fault: Raft answers a snapshot that another node sent and that cannot be restored by a panic,
// which ends the process with all its nodes. While Raft starts it returns the error.
func Restoring(inner raft.BatchingFSM, started *atomic.Bool, fail func(error)) raft.BatchingFSM {
	return restoringFSM{inner, started, fail}
}

type restoringFSM struct {
	raft.BatchingFSM
	started *atomic.Bool
	fail    func(error)
}

func (m restoringFSM) Restore(source io.ReadCloser) error {
	err := m.BatchingFSM.Restore(source)
	if err == nil || !m.started.Load() {
		return err
	}
	m.fail(err)
	return nil
}
