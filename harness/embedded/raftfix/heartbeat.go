package raftfix

import "github.com/hashicorp/raft"

// SetHeartbeatHandler ignores Raft's own handler.
//
// Bug: Raft handles heartbeats on the transport's goroutine, concurrently with its main loop, and
// changes its state there without synchronization. A node that has just started an election can
// fall back to the previous term, in which it can then lead a second time; or it stays a candidate
// with a leader set.
func (t *Inbound) SetHeartbeatHandler(handler func(raft.RPC)) {
	if !t.mends.Has(Heartbeats) {
		t.Transport.SetHeartbeatHandler(handler)
	}
}

// hear handles a heartbeat. The main loop may be busy for a long time, with a snapshot or a slow
// disk. In that case a heartbeat of the current leader is answered here, and delivered to the loop
// as soon as it is free.
func (t *Inbound) hear(rpc raft.RPC) {
	select {
	case t.loop <- rpc:
		return
	default:
	}
	if !t.follows(rpc) {
		t.Deliver(rpc)
		return
	}
	r := t.raft.Load()
	rpc.Respond(&raft.AppendEntriesResponse{RPCHeader: t.node.Header(), Term: r.CurrentTerm(), LastLog: r.LastIndex(), Success: true}, nil)
	select {
	case t.missed <- Unanswered(rpc.Command):
	default: // one pending heartbeat is enough
	}
}

// follows reports whether the sender is the leader of this node's current term. The node has not
// voted in a later term, so the leader may count the answer.
func (t *Inbound) follows(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.AppendEntriesRequest)
	r := t.raft.Load()
	if !is || r == nil || r.State() != raft.Follower {
		return false
	}
	_, leader := r.LeaderWithID()
	return leader == raft.ServerID(request.ID) && r.CurrentTerm() == request.Term
}

// redeliver passes to Raft the heartbeats that were answered while it was busy.
func (t *Inbound) redeliver() {
	for {
		select {
		case rpc := <-t.missed:
			t.Deliver(rpc)
		case <-t.done:
			return
		}
	}
}
