package raftfix

import (
	"sync"

	"github.com/hashicorp/raft"
)

// commitNotices tell a follower at once that the change it forwarded is committed.
//
// Fault: Raft tells a follower of a commit with the next call, up to twice the CommitTimeout
// later, and until then the follower cannot answer its client. Mend: a notice, which is what Raft
// would send: an AppendEntries without entries. It is safe because it claims no more than is
// known. The previous entry is one the follower has confirmed in this term, so that its log agrees
// with the leader's up to there, and the commit index is not beyond it. It is never 0, which would
// make the notice a heartbeat.
type commitNotices struct {
	send sendAppend
	off  bool // the mend is off

	mu    sync.Mutex
	peers map[raft.ServerID]*noticed
}

type sendAppend func(raft.ServerID, raft.ServerAddress, *raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error

func newCommitNotices(send sendAppend) *commitNotices {
	return &commitNotices{send: send, peers: make(map[raft.ServerID]*noticed)}
}

// noticed is what one follower has, knows and waits for, in one term.
type noticed struct {
	target  raft.ServerAddress
	from    raft.AppendEntriesRequest // who the leader is, and its term
	index   uint64                    // the last entry the follower has confirmed,
	term    uint64                    // and its term
	commit  uint64                    // what it has been told is committed
	wanted  uint64                    // what it waits for; it is committed
	sending bool
}

// replicated notes that the follower has confirmed a call of Raft's, and tells it what it
// waits for.
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

// committed notes that index is committed and that the follower waits for it. It blocks while
// the follower is told, unless that is under way already.
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

// tell sends notices until the follower knows what it waits for. A notice that fails is left
// to Raft's next call.
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

// next is the notice that is due, or nil.
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

// reset forgets all followers: another term begins, or none.
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
