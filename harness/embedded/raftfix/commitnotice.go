package raftfix

import (
	"sync"

	"github.com/hashicorp/raft"
)

// commitNotices notify a follower immediately that the change it forwarded is committed.
//
// Bug: Raft reports a commit to a follower with the next call, up to twice the CommitTimeout later,
// and until then the follower cannot answer its client. Workaround: a notice, an AppendEntries
// without entries as Raft would send it. It is safe: the previous entry is one that the follower has
// confirmed in this term, so its log matches the leader's up to there, and the commit index does not
// exceed it. The commit index is never 0, which would make the notice a heartbeat.
type commitNotices struct {
	send sendAppend
	off  bool // the workaround is off

	mu    sync.Mutex
	peers map[raft.ServerID]*noticed
}

type sendAppend func(raft.ServerID, raft.ServerAddress, *raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error

func newCommitNotices(send sendAppend) *commitNotices {
	return &commitNotices{send: send, peers: make(map[raft.ServerID]*noticed)}
}

// noticed is the state of one follower in one term.
type noticed struct {
	target  raft.ServerAddress
	from    raft.AppendEntriesRequest // the leader's header and term
	index   uint64                    // the last entry that the follower has confirmed
	term    uint64                    // its term
	commit  uint64                    // the commit index that it knows
	wanted  uint64                    // the commit index that it waits for
	sending bool
}

// replicated records that the follower has confirmed a call of Raft, and sends a notice if it waits.
func (n *commitNotices) replicated(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest) {
	n.mu.Lock()
	peer := n.peers[id]
	if peer == nil || peer.from.Term != args.Term {
		peer = &noticed{}
		n.peers[id] = peer
	}
	peer.target = target
	peer.from = raft.AppendEntriesRequest{RPCHeader: args.RPCHeader, Term: args.Term}
	peer.index, peer.term = args.PrevLogEntry, args.PrevLogTerm
	if last := len(args.Entries) - 1; last >= 0 {
		peer.index, peer.term = args.Entries[last].Index, args.Entries[last].Term
	}
	peer.commit = max(peer.commit, min(args.LeaderCommitIndex, peer.index))
	n.mu.Unlock()
	n.tell(id)
}

// committed records that the follower waits for the committed index. It blocks while the notice is
// sent, unless another goroutine is sending one.
func (n *commitNotices) committed(id raft.ServerID, index uint64) {
	n.mu.Lock()
	peer := n.peers[id]
	if peer != nil {
		peer.wanted = max(peer.wanted, index)
	}
	n.mu.Unlock()
	if peer != nil {
		n.tell(id)
	}
}

// tell sends notices until the follower knows the commit index that it waits for. If a notice fails,
// Raft's next call replaces it.
func (n *commitNotices) tell(id raft.ServerID) {
	for {
		peer, target, request := n.next(id)
		if request == nil {
			return
		}
		var response raft.AppendEntriesResponse
		err := n.send(id, target, request, &response)
		n.mu.Lock()
		peer.sending = false
		if err != nil || !response.Success {
			peer.wanted = 0
		} else {
			peer.commit = max(peer.commit, request.LeaderCommitIndex)
		}
		n.mu.Unlock()
	}
}

// next returns the next notice to send, or nil.
func (n *commitNotices) next(id raft.ServerID) (*noticed, raft.ServerAddress, *raft.AppendEntriesRequest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	peer := n.peers[id]
	if n.off || peer == nil || peer.sending || peer.wanted <= peer.commit || peer.wanted > peer.index {
		return nil, "", nil
	}
	peer.sending = true
	request := peer.from
	request.PrevLogEntry, request.PrevLogTerm = peer.index, peer.term
	request.LeaderCommitIndex = peer.wanted
	return peer, peer.target, &request
}

// reset forgets all followers, at a change of term or leadership.
func (n *commitNotices) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.peers)
}

func (n *commitNotices) forget(id raft.ServerID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.peers, id)
}
