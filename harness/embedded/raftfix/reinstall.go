package raftfix

import (
	"io"

	"github.com/hashicorp/raft"
)

// answerInstalled answers for a snapshot that is no newer than what the node has applied, and
// tells whether it has. The answer is true for every sender, also for a leader of the past.
//
// Fault: Raft installs such a snapshot again and drops its whole log with it: also the entries
// after the snapshot, which it has told its leader are safe. It still counts them as its own,
// and panics when it applies them. The snapshot is sent by a leader's goroutine that replicated
// to a member which was removed and added again, and so starts at an old end of the log.
func (t *Inbound) answerInstalled(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.InstallSnapshotRequest)
	if !is || request.LastLogIndex > t.node.Applied() {
		return false
	}
	_, err := io.Copy(io.Discard, rpc.Reader)
	rpc.Respond(&raft.InstallSnapshotResponse{RPCHeader: t.node.Header(), Term: request.Term, Success: err == nil}, err)
	return true
}
