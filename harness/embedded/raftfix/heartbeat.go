package raftfix

import "github.com/hashicorp/raft"

// SetHeartbeatHandler ignores Raft's own handler.
//
// Fault: Raft handles heartbeats on the transport's goroutine, beside its main loop, and
// changes its state there without synchronization. A node that has just begun an election is
// taken back to the earlier term, in which it can then lead a second time; or it stays a
// candidate that names a leader.
func (t *Inbound) SetHeartbeatHandler(handler func(raft.RPC)) {
	if !t.mends.Has(Heartbeats) {
		t.Transport.SetHeartbeatHandler(handler)
	}
}

// hear takes a heartbeat. The main loop may be busy for long, with a snapshot or a slow disk.
// Then the heartbeat of the leader that this node follows is answered without it, and
// delivered as soon as the loop is free.
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
	default: // one is enough
	}
}

// follows tells whether the sender leads this node's own term. A node that is still in a term
// has voted in no later one, so the leader may count the answer.
func (t *Inbound) follows(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.AppendEntriesRequest)
	r := t.raft.Load()
	if !is || r == nil || r.State() != raft.Follower {
		return false
	}
	_, leader := r.LeaderWithID()
	return leader == raft.ServerID(request.ID) && r.CurrentTerm() == request.Term
}

// redeliver hands Raft the heartbeats that were answered while it was busy.
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
