package raftfix

import (
	"io"

	"github.com/hashicorp/raft"
)

// answerInstalled answers an InstallSnapshot whose snapshot is not newer than the applied index, and
// reports whether it has. The answer is correct for any sender, including a former leader.
//
// Bug: Raft installs such a snapshot again and deletes its whole log, including the entries after the
// snapshot, which it has acknowledged to the leader. It still treats them as present, and panics when
// it applies them. Such a snapshot comes from a leader's replication goroutine for a member that was
// removed and added again: it starts from an outdated next index.
func (t *Inbound) answerInstalled(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.InstallSnapshotRequest)
	if !is || request.LastLogIndex > t.node.Applied() {
		return false
	}
	_, err := io.Copy(io.Discard, rpc.Reader)
	rpc.Respond(&raft.InstallSnapshotResponse{RPCHeader: t.node.Header(), Term: request.Term, Success: err == nil}, err)
	return true
}
