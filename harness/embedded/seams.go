package embedded

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// Seams are decorators of a node's parts, to observe them, to measure them, or to plant bugs. Each
// receives a part and returns its replacement for one life of the node; nil changes nothing.
type Seams struct {
	// Stores is between Raft and the durable stores.
	Stores func(Stores) Stores
	// Machine is between Raft and the state machine.
	Machine func(raft.BatchingFSM) raft.BatchingFSM
	// Progress is between the state machine and requests that wait until it has applied an entry.
	Progress func(Progress) Progress
	// Leadership is between reads and the check that this node is the leader.
	Leadership func(Leadership) Leadership
	// Silence is between a failure of the storage and the function that then disconnects the node.
	// The node must be disconnected when it returns.
	Silence func(cutOff func()) func()
	// Raft selects which faults of hashicorp/raft and raft-wal are mended; default all.
	Raft func(raftfix.Mends) raftfix.Mends
	// Transport is between Raft and the network.
	Transport func(Transport) Transport
	// Accepted is around each connection that the node accepts, from clients and other nodes.
	Accepted func(net.Conn) net.Conn
	// Handler is around the HTTP API for clients and other nodes.
	Handler func(http.Handler) http.Handler
}

// Life is one life of a node, from a start to its end.
type Life struct {
	ID   string
	Dir  string           // Config.Dir
	Disk *disk.Disk       // holds log and snapshots; open when Stores is called
	Now  func() time.Time // Config.Now
}

// Progress is the applied index of the state machine, for callers that wait for it. Implementations
// must be safe for concurrent use.
type Progress interface {
	// Applied returns the log index of the last applied entry.
	Applied() uint64
	// WaitApplied blocks until the entry at that log index is applied. It returns an error if ctx
	// ends first, or the state machine has failed or is closed.
	WaitApplied(ctx context.Context, index uint64) error
}

// Leadership is what a node must verify before it answers as the leader. Implementations must be safe
// for concurrent use.
type Leadership interface {
	// Leads returns the term that this node leads, as far as it knows; 0 if none.
	Leads() (term uint64)
	// Settle blocks until the node has applied an entry of the term that it leads, and so everything
	// that was committed before. It returns an error if ctx ends first, or it does not lead.
	Settle(ctx context.Context) (term uint64, err error)
	// Confirm blocks until a quorum has confirmed that this node leads the term, in answers to calls
	// that were sent after Confirm was called. It returns an error if ctx ends first, or it no
	// longer leads the term.
	Confirm(ctx context.Context, term uint64) error
}

// Transport carries Raft's messages.
type Transport = raftfix.Transport

// seams returns the seams of a new life.
func (c Config) seams() Seams {
	if c.Seams == nil {
		return Seams{}
	}
	return c.Seams(Life{ID: c.ID, Dir: c.Dir, Disk: c.Disk, Now: c.Now})
}

// decorated returns a part, decorated if there is a decorator.
func decorated[T any](there T, decorate func(T) T) T {
	if decorate == nil {
		return there
	}
	return decorate(there)
}
