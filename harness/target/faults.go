package target

import (
	"context"
	"net"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// The interfaces in this file are abilities that a Cluster may have besides Isolate. A Cluster
// has one by implementing it; Can tests for it by name, and As returns it. See Decorator for
// clusters around clusters.
//
// Nodes are indexes in Cluster.Nodes, from 0. All methods must be safe for concurrent use. A
// method blocks until its effect is in force, unless its documentation says otherwise; when ctx
// ends it returns an error, and the effect is unknown. An error is a sentence with the node, the
// action and the cause. Faults outlast the node: a link, disk or clock stays faulty while its
// node is down and after it starts again.

// Isolating is a Cluster that may not be able to isolate nodes. A Cluster that is none can.
type Isolating interface {
	// Isolates tells whether Isolate and Rejoin work. It is always the same, and does not block. If it is false, they
	// return an error that wraps errors.ErrUnsupported, and change nothing.
	Isolates() bool
}

// Starter is a Cluster whose nodes can be stopped, crashed and started.
type Starter interface {
	// Stop shuts a running node down gracefully. It blocks until nothing of the node runs.
	// A database may transfer leadership and complete requests first: see Drains. When ctx
	// ends, the node is ended without waiting for its clients.
	Stop(ctx context.Context, node int) error
	// Crash ends a running or paused node without notice. What the node has not synced to its
	// disk is lost.
	Crash(ctx context.Context, node int) error
	// Start starts a node that does not run, with its disk and its address. It blocks until the
	// node serves requests; the node need not know a leader. The error of a node that fails to
	// start contains its reason.
	Start(ctx context.Context, node int) error
}

// Pauser is a Cluster whose nodes can be paused: no instruction runs, no timer fires, and
// connections stay open.
type Pauser interface {
	// Pause pauses a running node. Pausing it again has no effect.
	Pause(ctx context.Context, node int) error
	// Resume resumes a paused node. Resuming it again has no effect.
	Resume(ctx context.Context, node int) error
}

// LinkFaulter is a Cluster whose directed links can be faulty. A link goes from one node to
// another; either end, but not both, may be fault.Clients for all clients.
type LinkFaulter interface {
	// SetLink replaces the rule of a link, for existing connections too. The zero Rule is a
	// sound link. A link that Isolate cuts stays cut under any rule.
	SetLink(ctx context.Context, from, to int, rule fault.Rule) error
	// ResetLink cuts the next message on the link in half and resets its connection. It
	// returns before that message.
	ResetLink(ctx context.Context, from, to int) error
	// LinkStats counts the messages of the link, and what its rule did to them: the proof that
	// a fault had an effect. Counters may start again at 0 with the process of the node.
	LinkStats(ctx context.Context, from, to int) (fault.LinkStats, error)
}

// PacketCarrier is a LinkFaulter whose links may carry packets, as those of package hosts. Its links take rules with Duplicate
// and Reorder, which others reject with fault.ErrPackets.
type PacketCarrier interface {
	// CarriesPackets tells whether they do. It is always the same, and does not block.
	CarriesPackets() bool
}

// DiskFaulter is a Cluster whose nodes' disks can be faulty.
type DiskFaulter interface {
	// SetDisk replaces the faults of a node's disk, whether or not the node runs. The zero
	// Disk is a sound disk.
	SetDisk(ctx context.Context, node int, faults fault.Disk) error
	// Damage damages a part of what the node keeps, and returns the name of the file. Most
	// parts have one byte flipped, whether or not the node runs; flipping it again repairs it.
	// Some parts are removed or truncated, and the node must not run: see fault.LogEnd. It is
	// an error if the part does not exist.
	Damage(ctx context.Context, node int, part fault.Part) (file string, err error)
}

// ClockSetter is a Cluster whose nodes' clocks can be skewed.
type ClockSetter interface {
	// SetClock sets how far the clock of a node is ahead of the true time; negative is behind.
	// Setting it again makes the clock jump. Timers are not affected.
	SetClock(ctx context.Context, node int, ahead time.Duration) error
}

// Membership is a Cluster whose members can change. Each change needs a quorum of the other
// members, and is committed when its method returns. An error may leave the change undone or
// done; the harness makes one change at a time.
type Membership interface {
	// Add starts a node with an empty disk and adds it to the cluster. A voter may vote only
	// once it has caught up. The node is the last of Nodes afterwards.
	Add(ctx context.Context, voter bool) (Node, error)
	// Remove removes a node from the cluster, whether or not it runs, and ends it. It keeps its
	// index in Nodes.
	Remove(ctx context.Context, node int) error
	// Replace gives a node that does not run an empty disk, removes it from the cluster, starts
	// it and adds it again like Add. It must not remain a member meanwhile: a voter without its
	// votes and log violates the safety of Raft.
	Replace(ctx context.Context, node int) error
}

// Dialer is a Cluster to whose nodes raw connections can be made. What is said on them depends
// on the database: see HTTPAPI.
type Dialer interface {
	// Dial connects to a node as a client does, over the links of clients. It sends nothing.
	// The caller closes the connection.
	Dial(ctx context.Context, node int) (net.Conn, error)
	// Token is the secret that clients and nodes authenticate with; empty if there is none. It
	// does not block.
	Token() string
}

// Enclosed is a Cluster that may have a network of its own: only Dialer.Dial reaches its nodes, and
// no socket that is opened otherwise.
type Enclosed interface {
	// Enclosed tells whether that is so.
	Enclosed() bool
}

// Encloses tells whether the cluster has a network of its own.
func Encloses(c Cluster) bool {
	e, may := As[Enclosed](c)
	return may && e.Enclosed()
}

// Listener is a Cluster in which a spec can listen at the address of a node that does not run.
type Listener interface {
	// Listen listens at the address of a node. It does not block. The caller closes the
	// listener and all connections before the node is started.
	Listen(node int) (net.Listener, error)
}

// AddressChanger is a Cluster whose nodes can change their addresses.
type AddressChanger interface {
	// Move changes the address of a node that does not run, and returns the new one. An empty
	// address is a new one; any other must have been left by another node. The links of the
	// node are sound afterwards. The other members do not learn the address from this method.
	Move(ctx context.Context, node int, address string) (string, error)
}

// LogReader is a Cluster that keeps the log output of its nodes.
type LogReader interface {
	// Log returns the end of the log output of a node, at most that many bytes, of all its
	// processes so far. It does not block on the node.
	Log(node int, most int) (string, error)
}

// FileLister is a Cluster that can list the files of its nodes.
type FileLister interface {
	// Files returns the files of a node in lexical order, whether or not it runs: slash-separated
	// paths below its directory. A file that is created, renamed or removed meanwhile may be
	// missing or present.
	Files(ctx context.Context, node int) ([]string, error)
}
