package target

import (
	"context"
	"net"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// What follows are the abilities that a Cluster may have besides Isolate. Each is
// an interface that it implements, or does not; Can tells, by the ability's name, and
// As returns the interface. A cluster that decorates another one has its abilities:
// see Decorator.
// Nodes are named by their index in Nodes, from 0.

// Starter is a Cluster whose nodes can be ended and started again. All its
// methods block until the node runs or does not, as asked.
type Starter interface {
	// Stop asks the node to leave in good order: it hands leadership over, lets
	// requests under way end, and closes. Nothing of it runs when Stop returns.
	Stop(ctx context.Context, node int) error
	// Crash ends the node between two instructions. What it had not synced is
	// lost. It works on a node that is paused, too.
	Crash(ctx context.Context, node int) error
	// Start starts a node that does not run, on what is on its disk, at the
	// address it had. It returns when the node serves; it need not know a leader.
	Start(ctx context.Context, node int) error
}

// Pauser is a Cluster whose nodes can be frozen: no instruction runs, no timer
// fires, and their sockets stay open.
type Pauser interface {
	Pause(ctx context.Context, node int) error
	Resume(ctx context.Context, node int) error
}

// LinkFaulter is a Cluster whose links can be made worse, each direction for itself.
// What Isolate cuts stays cut, whatever the rule of the link.
type LinkFaulter interface {
	// SetLink makes the link from one node to another, or from or to fault.Clients,
	// what the rule says, for connections that exist too. It is in effect when
	// SetLink returns.
	SetLink(ctx context.Context, from, to int, rule fault.Rule) error
	// ResetLink cuts the next message that is sent over the link in half, and
	// resets its connection there.
	ResetLink(ctx context.Context, from, to int) error
	// LinkStats counts what the link has done, and what was done to what it
	// carried: the proof that a fault bit. Counts may begin anew with a node's life.
	LinkStats(ctx context.Context, from, to int) (fault.LinkStats, error)
}

// DiskFaulter is a Cluster whose nodes' disks can go bad.
type DiskFaulter interface {
	// SetDisk makes the node's disk what the faults say, from now on, whether or
	// not the node runs.
	SetDisk(ctx context.Context, node int, faults fault.Disk) error
	// Damage flips one byte of a part of what the node keeps, whether or not it
	// runs, and returns which file that was. A part of the log can also be lost, of a
	// node that does not run: see fault.LogEnd. It is an error if there is none yet.
	Damage(ctx context.Context, node int, part fault.Part) (file string, err error)
}

// ClockSetter is a Cluster whose nodes' clocks can be wrong.
type ClockSetter interface {
	// SetClock sets how far the node's clock is ahead of the true time; behind if
	// negative. A clock that is set again jumps. It outlasts a restart.
	SetClock(ctx context.Context, node int, ahead time.Duration) error
}

// Membership is a Cluster whose nodes can change. What it does needs a quorum of
// the others, and is done when the method returns.
type Membership interface {
	// Add starts a new node with an empty disk and takes it into the cluster: it
	// first only listens, and votes, if it is to, once it has caught up. The new
	// node is the last of Nodes from then on.
	Add(ctx context.Context, voter bool) (Node, error)
	// Remove takes a node out of the cluster, running or not, and ends it for
	// good. It keeps its place in Nodes.
	Remove(ctx context.Context, node int) error
	// Replace gives a node that does not run a new, empty disk. It takes the node
	// out of the cluster, starts it, and takes it in again as Add does: a voter
	// that forgets its votes and its log would break the promises of Raft.
	Replace(ctx context.Context, node int) error
}

// Dialer is a Cluster to whose nodes anybody can connect, and say what he likes. The
// nodes speak the HTTP API that README.md describes, and greet each other on the same port.
type Dialer interface {
	// Dial connects to the node's port from the place of the clients, over the links from
	// there. Nothing is said yet. The caller closes the connection.
	Dial(ctx context.Context, node int) (net.Conn, error)
	// Token is the secret that clients must show, and nodes each other; empty if none.
	Token() string
}

// Listener is a Cluster in which another program can listen at the address of a node that does not run.
type Listener interface {
	// Listen listens at the address of a node that does not run. The caller closes the
	// listener, and what it has accepted, before the node is started.
	Listen(node int) (net.Listener, error)
}

// AddressChanger is a Cluster whose nodes can get another address.
type AddressChanger interface {
	// Move gives a node that does not run another address, and returns it: the one given,
	// which another node must have left, or a new one if it is empty. The node's links are
	// sound from then on. That the node is to be reached there the others must be told.
	Move(ctx context.Context, node int, address string) (string, error)
}

// LogReader is a Cluster that keeps what its nodes say.
type LogReader interface {
	// Log is the end of what the node said, at most that many bytes, in all its
	// lives.
	Log(node int, most int) (string, error)
}

// FileLister is a Cluster that can list what its nodes keep.
type FileLister interface {
	// Files lists the files of the node, whether or not it runs, in order: slash-separated
	// names below its directory. A file that is renamed or removed at that moment may be
	// listed or not.
	Files(ctx context.Context, node int) ([]string, error)
}
