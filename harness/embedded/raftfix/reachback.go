package raftfix

import (
	"slices"

	"github.com/hashicorp/raft"
)

// reachBack removes from a request the entries that this node has in its snapshot but no longer in
// its log. The remaining entries directly follow the snapshot. It limits the commit index to the last
// entry of the request, because the log may differ from the leader's after that entry.
//
// Bug: Raft rejects entries that start at or before the end of its snapshot, because its log does not
// reach back that far. The leader then decrements its next index one by one to the beginning of its
// own log, sends its snapshot again, and repeats this indefinitely. Entries in a snapshot are
// committed, so every leader's log has them and they cannot conflict.
func (t *Inbound) reachBack(rpc raft.RPC) {
	request, is := rpc.Command.(*raft.AppendEntriesRequest)
	if !is || request.PrevLogEntry == 0 {
		return
	}
	end := t.node.NewestSnapshot()
	if first, err := t.node.FirstIndex(); err != nil || first > 0 {
		end = min(end, first-1)
	}
	if request.PrevLogEntry > end {
		return
	}
	last := request.PrevLogEntry
	if n := len(request.Entries); n > 0 {
		last = request.Entries[n-1].Index
	}
	request.LeaderCommitIndex = min(request.LeaderCommitIndex, last)
	request.PrevLogEntry, request.PrevLogTerm = 0, 0
	request.Entries = slices.DeleteFunc(request.Entries, func(entry *raft.Log) bool { return entry.Index <= end })
}
