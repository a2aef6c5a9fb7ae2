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
// Fault: after a failed call Raft's leader waits before the next, 10 ms and doubling up to 10 s,
// whether or not the follower is back by then, and no public function wakes it. So calls block
// here. Heartbeats, which Raft sends on a goroutine of their own and at most half an election
// timeout apart, do fail, and show when the node is back.
//
// Blocked calls return an error as soon as their answer is of no use: when this node no longer
// leads the term they are from, when the peer is removed or has another address, and when the
// transport is closed. The peer's address is the one that heartbeats go to, for which Raft asks
// each time.
type Blocking struct {
	transport
	fail    bool // calls fail as on any transport: the mend is off
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
	changed chan struct{}      // closed and replaced when the peer is reached again, or waiting is over
}

var (
	errGaveUp = errors.New("the call is no longer of use")
	errMoved  = errors.New("the peer has another address now")
	// errWaited makes Raft look for its newest snapshot again: the one it holds may have grown
	// old while the peer was away.
	errWaited = errors.New("the peer was away: the snapshot is chosen anew")
)

// NewBlocking returns the transport, with the mends Backoff and CommitNotices if they are in the
// set.
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

// Lead sets which term this node leads; 0 if none. What is known of the peers belongs to an
// earlier term and may be out of date, so it is forgotten.
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

// End ends all waits for good. It must come before Raft's Shutdown, which waits for its calls.
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

// Committed says that the log is committed up to index, and that the peer waits to hear it. It
// blocks while the peer is told (commitnotice.go).
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

// Expect lets calls wait for a peer that was added, also if it was removed before.
func (b *Blocking) Expect(id raft.ServerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.gone, id)
}

// aim notes the current address of a peer. Calls to another address end their wait.
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

// loseContact notes that a call did not reach the peer, and tells whether the call is to wait:
// if it is of the term this node leads, and to a peer that was not removed.
func (b *Blocking) loseContact(id raft.ServerID, term uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail || b.closed || b.term != term || b.gone[id] {
		return false
	}
	b.peerLocked(id).lost = true
	return true
}

// await blocks until the peer can be reached as far as is known.
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
	case b.term != term: // a call of an earlier term, which came late
		return nil, errGaveUp
	}
	return peer.changed, nil
}

func (r *reachability) announceLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// IsHeartbeat tells heartbeats from all other calls, which carry a previous entry or a commit index.
func IsHeartbeat(args *raft.AppendEntriesRequest) bool {
	return args.PrevLogEntry == 0 && args.PrevLogTerm == 0 && args.LeaderCommitIndex == 0 && len(args.Entries) == 0
}

// unreachable tells an error of the network from an answer that is an error.
func unreachable(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}
