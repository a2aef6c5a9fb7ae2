package process

import (
	"context"
	"net"
	"os"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// place is where the nodes of a cluster run, and what connects them with each other and with their clients. There are
// two: loopback and onHosts. All else of a cluster is the same in both.
type place interface {
	// rules are those of the links that this process rules.
	rules
	// alone reports whether this process alone applies the rules of the link. If not, both of its ends do.
	alone(link network.Link) bool
	// clients dials from the clients' host.
	clients() client.Dialer
	// homes makes the homes of new nodes. A name is used once.
	homes(ctx context.Context, names []string) ([]home, error)
	// close removes the place. All homes are closed.
	close() error
}

// rules are the rules of links, which network.Network and hosts.Network apply.
type rules interface {
	SetRule(from, to string, r fault.Rule) error
	Rule(from, to string) (fault.Rule, error)
	ResetLink(from, to string) error
	Armed(from, to string) (bool, error)
	Stats(from, to string) (fault.LinkStats, error)
}

// home is what a node has in all its lives: an address, and a directory.
type home interface {
	// addr returns the node's host:port.
	addr() string
	// dir returns the directory for the node's files. It exists.
	dir() string
	// refresh makes this process see what the node has written to its directory, and the node what this process has changed
	// there.
	refresh(ctx context.Context) error
	// disk is the disk in which the directory is, or nil if its faults are left to the node.
	disk() diskBelow
	// start starts the node's program. The home has no other process.
	start(ctx context.Context, p program) (body, error)
	// listen listens at the address, in place of a node that is down.
	listen(ctx context.Context) (net.Listener, error)
	// close gives the address back. The home has no process.
	close() error
}

// diskBelow is a disk whose faults the node does not know.
type diskBelow interface {
	SetDisk(ctx context.Context, faults fault.Disk) error
	Disk() fault.Disk
	// HurryDisk ends delays of syncs until end is called.
	HurryDisk(ctx context.Context) (end func(), err error)
}

// program is what a home starts. The files stay open.
type program struct {
	path        string
	environment []string
	stdin       *os.File
	output      *os.File // stdout and stderr
	ready       *os.File // file descriptor 3
}

// body is a process of a node.
type body interface {
	pid() int
	// terminate sends SIGTERM. It does nothing if the process has ended.
	terminate() error
	// freeze stops all threads, and returns when they have stopped; thaw resumes them. thaw does nothing if the process
	// has ended.
	freeze(ctx context.Context) error
	thaw(ctx context.Context) error
	// kill kills it. It does nothing if the process has ended.
	kill(ctx context.Context) error
	// crash kills it, and the home's disk loses what it lied about.
	crash(ctx context.Context) error
	// wait blocks until the process has ended. exit is nil for exit code 0; left is not nil if it has left processes
	// behind. It is called once.
	wait() (exit, left error)
}
