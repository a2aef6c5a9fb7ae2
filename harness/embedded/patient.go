package embedded

import (
	"errors"
	"io"
	"net"
	"sync"

	"github.com/hashicorp/raft"
)

// patient is Raft's transport, without the wait that Raft adds to it.
//
// After a failed call Raft's leader waits before the next, 10 ms and doubling
// up to 10 s, whether or not the follower is back by then, and nothing public
// wakes it. So a call to a node that cannot be reached does not fail here: it
// waits. Heartbeats, which Raft sends on a goroutine of their own and at most
// half an election timeout apart, do fail, and tell when the node is back.
//
// Waiting calls end in error as soon as their answer is of no use any more:
// when this node no longer leads the term they are from, when the peer is
// removed or has another address, and when the transport is closed. The peer's
// address is the one that heartbeats go to, for which Raft asks anew each time.
type patient struct {
	transport
	notices *notices

	mu     sync.Mutex
	term   uint64 // the term this node leads, 0 if it does not
	peers  map[raft.ServerID]*reachability
	gone   map[raft.ServerID]bool // peers that were removed in this term
	closed bool
}

// transport is Transport, as a field that is not exported.
type transport interface{ Transport }

type reachability struct {
	lost    bool
	target  raft.ServerAddress // of the last heartbeat; empty if there was none
	changed chan struct{}      // closed and replaced when the peer is reached again, or waiting is over
}

var (
	errGaveUp = errors.New("the call is no longer of use")
	errMoved  = errors.New("the peer has another address now")
)

func newPatient(inner transport) *patient {
	return &patient{
		transport: inner,
		notices:   &notices{send: inner.AppendEntries, peers: make(map[raft.ServerID]*noticed)},
		peers:     make(map[raft.ServerID]*reachability),
		gone:      make(map[raft.ServerID]bool),
	}
}

// AppendEntries blocks while the peer cannot be reached.
func (p *patient) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if isHeartbeat(args) {
		p.aim(id, target, args.Term)
		err := p.transport.AppendEntries(id, target, args, resp)
		if err == nil {
			p.reached(id)
		}
		return err
	}
	for {
		if _, err := p.await(id, target, args.Term); err != nil {
			return err
		}
		*resp = raft.AppendEntriesResponse{}
		err := p.transport.AppendEntries(id, target, args, resp)
		if !unreachable(err) {
			if err == nil && resp.Success {
				p.notices.replicated(id, target, args)
			}
			return err
		}
		if !p.loseContact(id, args.Term) {
			return err
		}
	}
}

// errWaited makes Raft look for its newest snapshot again: the one at hand may
// have grown old while the peer was away.
var errWaited = errors.New("the peer was away: the snapshot is chosen anew")

// InstallSnapshot blocks while the peer cannot be reached, and then fails once.
func (p *patient) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	waited, err := p.await(id, target, args.Term)
	if err != nil {
		return err
	}
	if waited {
		return errWaited
	}
	err = p.transport.InstallSnapshot(id, target, args, resp, data)
	if unreachable(err) {
		p.loseContact(id, args.Term)
	}
	return err
}

// lead says which term this node leads from now on; 0 if none. What was known
// of the peers is of an earlier term and may be long out of date.
func (p *patient) lead(term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.term == term {
		return
	}
	p.term = term
	p.endWaitsLocked()
	p.notices.reset()
}

// end ends all waits for good, since Raft stops only after its calls have ended.
func (p *patient) end() {
	p.mu.Lock()
	p.closed = true
	p.endWaitsLocked()
	p.mu.Unlock()
}

func (p *patient) endWaitsLocked() {
	for _, peer := range p.peers {
		peer.announceLocked()
	}
	clear(p.peers)
	clear(p.gone)
}

// Close closes the transport within, too.
func (p *patient) Close() error {
	p.end()
	return p.transport.Close()
}

// forget ends the waiting for a peer that was removed. Raft then makes one more call, which
// does not wait.
func (p *patient) forget(id raft.ServerID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone[id] = true
	if peer := p.peers[id]; peer != nil {
		delete(p.peers, id)
		peer.announceLocked()
	}
	p.notices.forget(id)
}

// expect lets calls wait for a peer that was added, also if it was removed before.
func (p *patient) expect(id raft.ServerID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.gone, id)
}

// aim notes the address that a peer has now. Calls to another one end their wait.
func (p *patient) aim(id raft.ServerID, target raft.ServerAddress, term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.term != term {
		return
	}
	if peer := p.peerLocked(id); peer.target != target {
		peer.target = target
		peer.announceLocked()
	}
}

func (p *patient) peerLocked(id raft.ServerID) *reachability {
	if p.peers[id] == nil {
		p.peers[id] = &reachability{changed: make(chan struct{})}
	}
	return p.peers[id]
}

func (p *patient) reached(id raft.ServerID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer := p.peers[id]; peer != nil && peer.lost {
		peer.lost = false
		peer.announceLocked()
	}
}

// loseContact notes that a call did not reach the peer, and tells whether it is
// of the term this node leads, and to a peer that was not removed: any other is not worth
// a wait.
func (p *patient) loseContact(id raft.ServerID, term uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.term != term || p.gone[id] {
		return false
	}
	p.peerLocked(id).lost = true
	return true
}

// await returns once the peer can be reached as far as is known.
func (p *patient) await(id raft.ServerID, target raft.ServerAddress, term uint64) (waited bool, err error) {
	for {
		changed, err := p.watch(id, target, term, waited)
		if changed == nil || err != nil {
			return waited, err
		}
		waited = true
		<-changed
	}
}

// watch returns what to wait for, or nil if there is nothing to wait for.
func (p *patient) watch(id raft.ServerID, target raft.ServerAddress, term uint64, waited bool) (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[id]
	switch {
	case peer == nil && waited:
		return nil, errGaveUp
	case peer != nil && peer.target != "" && peer.target != target:
		return nil, errMoved
	case peer == nil || !peer.lost:
		return nil, nil
	case p.term != term: // a call of an earlier term, which came late
		return nil, errGaveUp
	}
	return peer.changed, nil
}

func (r *reachability) announceLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// isHeartbeat recognises the calls that Raft makes only to be heard.
func isHeartbeat(args *raft.AppendEntriesRequest) bool {
	return args.PrevLogEntry == 0 && args.PrevLogTerm == 0 && args.LeaderCommitIndex == 0 && len(args.Entries) == 0
}

// unreachable tells an error of the network from an answer that is an error.
func unreachable(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}
