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

// Seams are decorators between a node's parts: to watch, to measure, or to plant a fault. Each is
// given what is there and returns what takes its place, for one life of the node; nil leaves it as
// it is.
type Seams struct {
	// Stores is between Raft and what outlives the node.
	Stores func(Stores) Stores
	// Machine is between Raft and the state machine.
	Machine func(raft.BatchingFSM) raft.BatchingFSM
	// Progress is between the state machine and requests that wait until it has come to an
	// entry.
	Progress func(Progress) Progress
	// Leadership is between reads and what tells whether this node may answer as the leader.
	Leadership func(Leadership) Leadership
	// Silence is between storage that fails and what then cuts the node off from the others,
	// which it must have done when it returns.
	Silence func(cutOff func()) func()
	// Raft is which faults of hashicorp/raft and raft-wal are mended: all of them, or those that
	// it returns.
	Raft func(raftfix.Mends) raftfix.Mends
	// Transport is between Raft and its messages to the other nodes.
	Transport func(Transport) Transport
	// Accepted is between the node and each connection that it accepts, of clients and of
	// other nodes.
	Accepted func(net.Conn) net.Conn
	// Handler is between the HTTP API and its callers, clients and other nodes.
	Handler func(http.Handler) http.Handler
}

// Life is one life of a node, from a start to the end after it.
type Life struct {
	ID   string
	Dir  string           // Config.Dir
	Disk *disk.Disk       // where log and snapshots are; the node has it open once Stores is asked for
	Now  func() time.Time // Config.Now, which may be wrong
}

// Progress is how far the state machine has come, for callers that wait for it. Its methods may be called
// by many goroutines at once.
type Progress interface {
	// Applied is the log index of the last entry that was applied.
	Applied() uint64
	// WaitApplied blocks until the entry at that log index is applied. It returns an error
	// if ctx ends first, or the state machine has failed or is closed.
	WaitApplied(ctx context.Context, index uint64) error
}

// Leadership is what a node must know of itself before it answers as the leader. Its methods
// may be called by many goroutines at once.
type Leadership interface {
	// Leads is the term that this node leads as far as it knows; 0 if it leads none.
	Leads() (term uint64)
	// Settle blocks until the node has applied an entry of the term that it leads, and with it
	// all that was committed before. It returns an error if ctx ends first, or it does not lead.
	Settle(ctx context.Context) (term uint64, err error)
	// Confirm blocks until a quorum has confirmed that this node leads the term, by answers to
	// calls that were sent after Confirm was called. It returns an error if ctx ends first,
	// or it no longer leads the term.
	Confirm(ctx context.Context, term uint64) error
}

// Transport carries Raft's messages.
type Transport = raftfix.Transport

// seams are those of a new life.
func (c Config) seams() Seams {
	if c.Seams == nil {
		return Seams{}
	}
	return c.Seams(Life{ID: c.ID, Dir: c.Dir, Disk: c.Disk, Now: c.Now})
}

// decorated is what takes the place of a part at a seam.
func decorated[T any](there T, decorate func(T) T) T {
	if decorate == nil {
		return there
	}
	return decorate(there)
}
