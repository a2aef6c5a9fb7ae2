package raftfix

import (
	"slices"

	"github.com/hashicorp/raft"
)

// reachBack removes from a request the entries that are in this node's snapshot and no longer
// in its log: the rest then follows on what is there. The request may report no commit beyond
// its own entries, because what the log holds after them need not be the leader's.
//
// Fault: Raft refuses entries that begin at or before the end of its snapshot, because its log
// does not reach back that far. The leader then goes back entry by entry to the beginning of
// its own log, sends its snapshot again, and so on without end. What is in a snapshot is in
// every leader's log, so there is no conflict to find.
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
