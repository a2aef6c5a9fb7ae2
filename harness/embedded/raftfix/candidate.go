package raftfix

import "github.com/hashicorp/raft"

// forgetLeader makes a candidate that names a leader a follower, before a request for its vote.
//
// Fault: a candidate comes to name a leader by a snapshot that this term's leader sends, or by
// a heartbeat during an election that TimeoutNow began. Raft leaves it a candidate, and a node
// that names a leader refuses its vote to all others. If that leader is lost, no leader may
// ever be elected. As a follower it drops the leader after the election timeout.
func (t *Inbound) forgetLeader(rpc raft.RPC) {
	switch rpc.Command.(type) {
	case *raft.RequestVoteRequest, *raft.RequestPreVoteRequest:
	default:
		return
	}
	r := t.raft.Load()
	if r == nil || r.State() != raft.Candidate {
		return
	}
	address, leader := r.LeaderWithID()
	if leader == "" {
		return
	}
	t.Deliver(Unanswered(&raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(leader), Addr: []byte(address)},
		Term:      r.CurrentTerm(),
	}))
}
