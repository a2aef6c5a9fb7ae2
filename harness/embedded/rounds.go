package embedded

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// rounds confirms that the other members still follow this leader, with heartbeats that are sent
// after the confirmation was requested (Ongaro, "Consensus: Bridging Theory and Practice", 2014,
// section 6.4).
//
// VerifyLeader of Raft (1.8.0) also counts answers to heartbeats that were sent before the request.
// Such an answer may have been in a socket buffer while the leader was paused or isolated and another
// leader was elected.
//
// Each member has at most one call in flight. Requests that arrive meanwhile share the next call.
type rounds struct {
	node *Node

	mu        sync.Mutex
	asked     uint64        // the number of the newest round
	voters    []raft.Server // of that round
	members   map[raft.ServerID]*follower
	confirmed follower      // the newest round that a quorum has confirmed, and its term
	watchers  int           // callers that are notified of every answer
	changed   chan struct{} // closed and replaced when a newer round is confirmed, or for watchers
}

// follower is the last answer of one member.
type follower struct {
	asking bool
	term   uint64 // term of the last call that was answered
	round  uint64 // the newest round when that call was sent
}

func newRounds(n *Node) *rounds {
	return &rounds{node: n, members: make(map[raft.ServerID]*follower), changed: make(chan struct{})}
}

// confirm blocks until a quorum of the voters has confirmed that this node, l, leads its term. It
// counts only answers to calls that were sent after confirm was called. It returns an error when ctx
// ends first, or the node no longer leads.
func (r *rounds) confirm(ctx context.Context, l leader) error {
	for round := r.begin(); ; {
		confirmed, changed := r.askVoters(l.term, round)
		if confirmed {
			return nil
		}
		err := r.wait(ctx, changed)
		if now, _, _ := r.node.leaderState.look(); err == nil && now != l {
			err = errNotLeading
		}
		if err != nil {
			return fmt.Errorf("no quorum has confirmed that node %s leads term %d: %w", l.id, l.term, err)
		}
	}
}

// askVoters returns whether a quorum has confirmed the term in that round or a later one. If not, it
// starts calls to the voters, and returns a channel that is closed when a newer round is confirmed.
func (r *rounds) askVoters(term, round uint64) (confirmed bool, changed <-chan struct{}) {
	r.mu.Lock()
	if r.confirmed.term == term && r.confirmed.round >= round {
		r.mu.Unlock()
		return true, nil
	}
	r.mu.Unlock()
	voters := votersOf(r.node.configuration())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.voters = voters
	r.confirmLocked(term, false)
	if r.confirmed.term == term && r.confirmed.round >= round {
		return true, nil
	}
	r.askLocked(voters, term)
	return false, r.changed
}

// confirmLocked updates the newest round in which a quorum of the voters has confirmed the term.
func (r *rounds) confirmLocked(term uint64, answered bool) {
	newest := make([]uint64, len(r.voters))
	for i, voter := range r.voters {
		if r.node.is(voter.ID) {
			newest[i] = r.asked
		} else if f := r.members[voter.ID]; f != nil && f.term == term {
			newest[i] = f.round
		}
	}
	slices.Sort(newest)
	round := uint64(0)
	if quorum := len(newest)/2 + 1; len(newest) > 0 {
		round = newest[len(newest)-quorum]
	}
	advanced := round > 0 && (r.confirmed.term != term || r.confirmed.round < round)
	if advanced {
		r.confirmed.term, r.confirmed.round = term, round
	}
	if advanced || answered && r.watchers > 0 {
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

func (r *rounds) followsLocked(id raft.ServerID, term, round uint64) bool {
	f := r.members[id]
	return r.node.is(id) || f != nil && f.term == term && f.round >= round
}

// reached returns the members, including this node, that confirm within patience that this node leads
// the term. It returns as soon as there are enough.
func (r *rounds) reached(ctx context.Context, members []raft.Server, enough int,
	term uint64, patience time.Duration) map[raft.ServerID]bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer r.watch()()
	for round := r.begin(); ; {
		following, changed := r.following(members, term, round)
		if len(following) >= enough {
			return following
		}
		r.ask(members, term)
		if r.wait(ctx, changed) != nil {
			return following
		}
	}
}

// watch makes every answer close changed, until end is called.
func (r *rounds) watch() (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.watchers--
	}
}

func (r *rounds) begin() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.asked
}

// following returns the members that have confirmed the term in that round or a later one, and a
// channel that is closed when there may be more.
func (r *rounds) following(members []raft.Server, term, round uint64) (map[raft.ServerID]bool, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	following := make(map[raft.ServerID]bool, len(members))
	for _, member := range members {
		if r.followsLocked(member.ID, term, round) {
			following[member.ID] = true
		}
	}
	return following, r.changed
}

// wait blocks until changed is closed, at most for a quarter of an election timeout, after which
// members without an answer are called again.
func (r *rounds) wait(ctx context.Context, changed <-chan struct{}) error {
	moment := time.NewTimer(r.node.config.ElectionTimeout / 4)
	defer moment.Stop()
	select {
	case <-changed:
	case <-moment.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.node.ctx.Done():
		return context.Cause(r.node.ctx)
	}
	return nil
}

// ask calls every other member that has not been called in the newest round.
func (r *rounds) ask(members []raft.Server, term uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.askLocked(members, term)
}

func (r *rounds) askLocked(members []raft.Server, term uint64) {
	for _, member := range members {
		if r.node.is(member.ID) {
			continue
		}
		f := r.members[member.ID]
		if f == nil {
			f = &follower{}
			r.members[member.ID] = f
		}
		if !f.asking && (f.term != term || f.round < r.asked) {
			f.asking = true
			r.node.futures.Go(func() { r.call(member, f, term) })
		}
	}
}

// call calls a member until it has answered in the newest round, or a call fails.
func (r *rounds) call(member raft.Server, f *follower, term uint64) {
	for {
		r.mu.Lock()
		round := r.asked
		r.mu.Unlock()
		follows := follows(r.node.transport, member, &raft.AppendEntriesRequest{RPCHeader: r.node.header(), Term: term})
		r.mu.Lock()
		if follows {
			f.term, f.round = term, round
			r.confirmLocked(term, true)
		}
		again := follows && f.round < r.asked
		f.asking = again
		r.mu.Unlock()
		if !again {
			return
		}
	}
}

// follows sends a heartbeat and returns whether the member follows its sender in its term.
func follows(t raft.Transport, member raft.Server, heartbeat *raft.AppendEntriesRequest) bool {
	var response raft.AppendEntriesResponse
	err := t.AppendEntries(member.ID, member.Address, heartbeat, &response)
	return err == nil && response.Success && response.Term == heartbeat.Term
}

func (n *Node) is(id raft.ServerID) bool { return string(id) == n.config.ID }

// configuration returns the newest configuration in the log.
func (n *Node) configuration() raft.Configuration { return n.raft.GetConfiguration().Configuration() }

func votersOf(configuration raft.Configuration) (voters []raft.Server) {
	for _, member := range configuration.Servers {
		if member.Suffrage == raft.Voter {
			voters = append(voters, member)
		}
	}
	return voters
}
