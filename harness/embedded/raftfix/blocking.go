package raftfix

import (
	"errors"
	"io"
	"net"
	"sync"

	"github.com/hashicorp/raft"
)

// Blocking is a transport on which calls to a node that cannot be reached block instead of
// failing. All methods are safe for concurrent use.
//
// Bug: after a failed call Raft's leader backs off, from 10 ms doubling up to 10 s, even if the
// follower is reachable again, and no public function ends the back-off. So calls block here.
// Heartbeats, which Raft sends from a separate goroutine at most half an election timeout apart, do
// fail, and show when the node is reachable again.
//
// Blocked calls return an error as soon as they are obsolete: when this node no longer leads their
// term, when the peer is removed or has a new address, and when the transport is closed. The current
// address is that of the heartbeats, which Raft looks up each time.
type Blocking struct {
	transport
	fail    bool // calls fail instead of blocking: the workaround is off
	notices *commitNotices

	mu     sync.Mutex
	term   uint64 // the term this node leads, 0 if it does not
	peers  map[raft.ServerID]*reachability
	gone   map[raft.ServerID]bool // peers that were removed in this term
	closed bool
}

type reachability struct {
	lost    bool
	target  raft.ServerAddress // of the last heartbeat; empty if there was none
	changed chan struct{}      // closed and replaced when the peer is reached again, or waits end
}

var (
	errGaveUp = errors.New("the call is obsolete")
	errMoved  = errors.New("the peer has a new address")
	// errWaited makes Raft look up its newest snapshot again: the one that it was about to send may
	// be outdated.
	errWaited = errors.New("the peer was unreachable: send the newest snapshot instead")
)

// NewBlocking returns the transport, with the workarounds Backoff and CommitNotices if they are in
// the set.
func NewBlocking(inner Transport, mends Mends) *Blocking {
	b := &Blocking{
		transport: inner,
		fail:      !mends.Has(Backoff),
		peers:     make(map[raft.ServerID]*reachability),
		gone:      make(map[raft.ServerID]bool),
	}
	b.notices = newCommitNotices(inner.AppendEntries)
	b.notices.off = !mends.Has(CommitNotices)
	return b
}

// AppendEntries blocks while the peer cannot be reached.
func (b *Blocking) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if IsHeartbeat(args) {
		b.aim(id, target, args.Term)
		err := b.transport.AppendEntries(id, target, args, resp)
		if err == nil {
			b.reached(id)
		}
		return err
	}
	for {
		if _, err := b.await(id, target, args.Term); err != nil {
			return err
		}
		*resp = raft.AppendEntriesResponse{}
		err := b.transport.AppendEntries(id, target, args, resp)
		if !unreachable(err) {
			if err == nil && resp.Success {
				b.notices.replicated(id, target, args)
			}
			return err
		}
		if !b.loseContact(id, args.Term) {
			return err
		}
	}
}

// InstallSnapshot blocks while the peer cannot be reached, and then fails once.
func (b *Blocking) InstallSnapshot(id raft.ServerID, target raft.ServerAddress,
	args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	waited, err := b.await(id, target, args.Term)
	if err != nil {
		return err
	}
	if waited {
		return errWaited
	}
	err = b.transport.InstallSnapshot(id, target, args, resp, data)
	if unreachable(err) {
		b.loseContact(id, args.Term)
	}
	return err
}

// Lead sets the term that this node leads; 0 if none. A change clears the state of all peers.
func (b *Blocking) Lead(term uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.term == term {
		return
	}
	b.term = term
	b.endWaitsLocked()
	b.notices.reset()
}

// End ends all waits permanently. Call it before Raft's Shutdown, which waits for its calls.
func (b *Blocking) End() {
	b.mu.Lock()
	b.closed = true
	b.endWaitsLocked()
	b.mu.Unlock()
}

func (b *Blocking) endWaitsLocked() {
	for _, peer := range b.peers {
		peer.announceLocked()
	}
	clear(b.peers)
	clear(b.gone)
}

// Committed notifies a waiting peer that the log is committed up to index. It blocks during the call
// (commitnotice.go).
func (b *Blocking) Committed(id raft.ServerID, index uint64) { b.notices.committed(id, index) }

// Close ends all waits and closes the transport below.
func (b *Blocking) Close() error {
	b.End()
	return b.transport.Close()
}

// Forget ends the waits for a peer that was removed. Raft then makes one more call to it, which
// does not wait.
func (b *Blocking) Forget(id raft.ServerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone[id] = true
	if peer := b.peers[id]; peer != nil {
		delete(b.peers, id)
		peer.announceLocked()
	}
	b.notices.forget(id)
}

// Expect makes calls wait for a peer that was added again.
func (b *Blocking) Expect(id raft.ServerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.gone, id)
}

// aim sets the current address of a peer. It ends waits of calls to another address.
func (b *Blocking) aim(id raft.ServerID, target raft.ServerAddress, term uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.term != term {
		return
	}
	if peer := b.peerLocked(id); peer.target != target {
		peer.target = target
		peer.announceLocked()
	}
}

func (b *Blocking) peerLocked(id raft.ServerID) *reachability {
	if b.peers[id] == nil {
		b.peers[id] = &reachability{changed: make(chan struct{})}
	}
	return b.peers[id]
}

func (b *Blocking) reached(id raft.ServerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if peer := b.peers[id]; peer != nil && peer.lost {
		peer.lost = false
		peer.announceLocked()
	}
}

// loseContact records that a call did not reach the peer, and returns whether the call must wait: it
// belongs to the term that this node leads, and the peer was not removed.
func (b *Blocking) loseContact(id raft.ServerID, term uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail || b.closed || b.term != term || b.gone[id] {
		return false
	}
	b.peerLocked(id).lost = true
	return true
}

// await blocks while the peer is known to be unreachable.
func (b *Blocking) await(id raft.ServerID, target raft.ServerAddress, term uint64) (waited bool, err error) {
	for {
		changed, err := b.watch(id, target, term, waited)
		if changed == nil || err != nil {
			return waited, err
		}
		waited = true
		<-changed
	}
}

// watch returns what to wait for, or nil if there is nothing to wait for.
func (b *Blocking) watch(id raft.ServerID, target raft.ServerAddress, term uint64,
	waited bool) (<-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	peer := b.peers[id]
	switch {
	case peer == nil && waited:
		return nil, errGaveUp
	case peer != nil && peer.target != "" && peer.target != target:
		return nil, errMoved
	case peer == nil || !peer.lost:
		return nil, nil
	case b.term != term: // a late call of an earlier term
		return nil, errGaveUp
	}
	return peer.changed, nil
}

func (r *reachability) announceLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// IsHeartbeat returns whether a call is a heartbeat: all others have a previous entry or a commit index.
func IsHeartbeat(args *raft.AppendEntriesRequest) bool {
	return args.PrevLogEntry == 0 && args.PrevLogTerm == 0 && args.LeaderCommitIndex == 0 && len(args.Entries) == 0
}

// unreachable returns whether the error is a network error, not an error that the peer answered.
func unreachable(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}
