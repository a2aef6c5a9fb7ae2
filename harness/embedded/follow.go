package embedded

import (
	"context"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// follow keeps leaderState up to date: which node leads, and whether this node has caught up with
// it.
func (n *Node) follow() {
	observations := make(chan raft.Observation, 64)
	observer := raft.NewObserver(observations, false, func(o *raft.Observation) bool {
		n.roles.observe(o)
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState, raft.PeerObservation:
			return true
		}
		return false
	})
	n.raft.RegisterObserver(observer)
	n.roles.begin(n.raft)
	n.wg.Go(func() {
		defer n.raft.DeregisterObserver(observer)
		catchUp := func() {}
		defer func() { catchUp() }()
		for {
			if l := n.leader(); n.leaderState.meet(l) {
				catchUp()
				catchUp = n.catchUp(l)
			}
			select {
			case o := <-observations:
				n.observe(o)
			case <-n.raft.LeaderCh():
			case <-n.ctx.Done():
				return
			}
		}
	})
}

func (n *Node) observe(o raft.Observation) {
	switch peer, is := o.Data.(raft.PeerObservation); {
	case is && peer.Removed:
		n.transport.Forget(peer.Peer.ID)
	case is:
		n.transport.Expect(peer.Peer.ID)
	}
}

// leader returns the leader according to Raft, and tells the transport whether this node leads.
//
// A candidate has no leader, although Raft may still name one (raftfix/candidate.go).
func (n *Node) leader() leader {
	address, id := n.raft.LeaderWithID()
	l := leader{id: string(id), address: string(address), term: n.raft.CurrentTerm()}
	own := l.id == n.config.ID
	switch state := n.raft.State(); {
	case state == raft.Leader && own:
		l.self = true
	case state != raft.Follower || own || id == "":
		l = leader{}
	}
	if l.self {
		n.transport.Lead(l.term)
	} else {
		n.transport.Lead(0)
	}
	return l
}

// catchUp waits in a goroutine until this node has applied what the leader has committed by now.
// callOff ends it and waits for the goroutine.
func (n *Node) catchUp(l leader) (callOff func()) {
	if l.id == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(n.ctx)
	done := make(chan struct{})
	n.wg.Go(func() {
		defer close(done)
		retry := time.NewTicker(n.config.ElectionTimeout / 2)
		defer retry.Stop()
		for {
			err := n.catchUpOnce(ctx, l)
			if err == nil {
				n.leaderState.sync(l)
				n.noteLogged()
				return
			}
			n.config.Logger.Debug("not caught up yet", "leader", l.id, "error", err)
			select {
			case <-retry.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); <-done }
}

func (n *Node) catchUpOnce(ctx context.Context, l leader) error {
	if l.self {
		// When an entry of the leader's own term is committed, all earlier entries are too
		// (Raft paper, section 5.4.2).
		_, err := n.propose(ctx, machine.Entry{})
		return err
	}
	// A strong read, so that a deposed leader that does not know it yet is not asked.
	index, err := n.askReadIndex(ctx, l, wire.Strong)
	if err != nil {
		return err
	}
	n.leaderState.aimAt(l, index)
	return n.progress.WaitApplied(ctx, index)
}
