package raftfix

import "github.com/hashicorp/raft"

// admit replaces the ID of a candidate that is not a voter in this node's configuration with the ID
// of a known voter.
//
// Bug: Raft refuses its vote to a candidate that is not a voter in its own configuration. A node that
// lags behind a membership change does not know the new member; if its vote is needed for a quorum,
// no leader is ever elected. A server must grant votes independently of its own configuration
// (Ongaro, "Consensus: Bridging Theory and Practice", 2014, section 4.1). Raft records the vote under
// the candidate's address, which stays unchanged.
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
