package raftfix

import "github.com/hashicorp/raft"

// forgetLeader turns a candidate that names a leader into a follower before it handles a vote request.
//
// Bug: a candidate sets its leader when it receives a snapshot from this term's leader, or a
// heartbeat during an election that TimeoutNow started. Raft keeps it a candidate, and a node with a
// leader refuses its vote to all others. If that leader is lost, it may be that no leader is ever
// elected. A follower forgets its leader after the election timeout.
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
