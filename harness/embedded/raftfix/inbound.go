package raftfix

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// Inbound is a transport that passes the RPCs of other nodes to Raft, with workarounds for five bugs
// in how Raft handles them: see heartbeat.go, candidate.go, unknownvoter.go, reinstall.go and
// reachback.go. Each RPC goes through Raft's main loop. All methods are safe for concurrent use.
type Inbound struct {
	Transport
	mends Mends
	node  Node
	done  <-chan struct{}           // closed when the node stops
	raft  atomic.Pointer[raft.Raft] // nil until it runs
	loop  chan raft.RPC             // to Raft's main loop
	// missed holds a heartbeat that was answered while Raft's main loop was busy.
	missed chan raft.RPC
}

// Node is what the workarounds for incoming RPCs need to know about their node. All functions must
// be safe for concurrent use.
type Node struct {
	Header         func() raft.RPCHeader  // of the node's own messages
	FirstIndex     func() (uint64, error) // of the log; 0 if it is empty
	Applied        func() uint64          // the last applied log index
	NewestSnapshot func() uint64          // the last log index in it; 0 if there is no snapshot
}

// NewInbound returns the transport of a node that stops when ctx ends. The caller must call Run.
func NewInbound(ctx context.Context, inner Transport, node Node, mends Mends) *Inbound {
	t := &Inbound{
		Transport: inner, mends: mends, node: node, done: ctx.Done(),
		loop: make(chan raft.RPC), missed: make(chan raft.RPC, 1),
	}
	if mends.Has(Heartbeats) {
		inner.SetHeartbeatHandler(t.hear)
	}
	return t
}

// Run passes RPCs to Raft. It blocks until the node's context ends.
func (t *Inbound) Run() {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(t.redeliver)
	for {
		select {
		case rpc := <-t.Transport.Consumer():
			if !t.mend(rpc) {
				t.Deliver(rpc)
			}
		case <-t.done:
			return
		}
	}
}

// Serve sets the Raft instance, once it runs.
func (t *Inbound) Serve(r *raft.Raft) { t.raft.Store(r) }

// Consumer returns the channel from which Raft's main loop receives RPCs.
func (t *Inbound) Consumer() <-chan raft.RPC { return t.loop }

// Deliver passes an RPC to Raft's main loop. It blocks until the loop has received it or the node
// stops.
func (t *Inbound) Deliver(rpc raft.RPC) {
	select {
	case t.loop <- rpc:
	case <-t.done:
	}
}

// mend changes an RPC that Raft would handle incorrectly, and reports whether it has answered it.
func (t *Inbound) mend(rpc raft.RPC) (answered bool) {
	if t.mends.Has(Reinstalls) && t.answerInstalled(rpc) {
		return true
	}
	if t.mends.Has(Candidates) {
		t.forgetLeader(rpc)
	}
	if t.mends.Has(UnknownVoters) {
		t.admit(rpc)
	}
	if t.mends.Has(ReachBack) {
		t.reachBack(rpc)
	}
	return false
}

// Unanswered returns an RPC whose answer is dropped.
func Unanswered(command any) raft.RPC {
	return raft.RPC{Command: command, RespChan: make(chan raft.RPCResponse, 1)}
}
