package proc

import (
	"context"
	"os"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Database is everything that the kit must know about a database. Texts that are called templates are in the language of
// text/template, and are filled with a View of the node. Functions must be safe for concurrent use, respect their context,
// and return errors that are sentences.
type Database struct {
	// Name is the name of the target, such as "rqlite".
	Name string
	// Vars are values of the adapter's own for templates: {{.Vars.binary}}.
	Vars map[string]string

	// Files are written before each start: templates of their content by templates of their paths, below the node's folder.
	Files map[string]string
	// Disk is a template of the path of a folder that is copied to an empty disk, with its owners, before Prepare and the first
	// start: a database that was made once, for all nodes. It saves each node its initdb. Filled with nothing, it is none.
	Disk string
	// Alike has all nodes of a cluster begin with one disk, where Options.Kept is set: the one that the node of a cluster of one
	// has left. It saves a database that knows the position of its disk the state transfers of a new cluster.
	Alike bool
	// Prepare are programs that run to their end, one after the other, before the first start of a node on an empty disk.
	Prepare []Program
	// Programs are the programs of a node, started in this order and stopped in the opposite one.
	Programs []Program
	// Address is a template of the address at which a node serves its clients, such as "{{.Host}}:5432". Every node has an
	// address of its own, so that ports are constants. Ports from 32768 on may be taken by connections.
	Address string
	// Order is how the nodes of a new cluster start.
	Order Order
	// Ready returns nil once a node serves requests; nil is Status without an error. It is asked again until then.
	Ready func(ctx context.Context, node *Node) error
	// Formed runs once after all nodes of a new cluster are ready, for example to wait for members and to make tables; nil
	// does nothing. An error ends the boot. The context ends if a program of a node ends.
	Formed func(ctx context.Context, nodes []*Node) error

	// SQL returns how requests reach the database of a node. It is called twice for each node, before it starts: for its
	// clients, whose Dial goes over links that may be faulty, and for Inside, whose Dial begins on the node's own host. It
	// does not connect. A result that is an io.Closer is closed with the cluster. If it is a *sqldb.DB with levels, the
	// cluster has interactive transactions.
	SQL func(node *Node) (target.SQL, error)
	// Status asks a node that runs for its own view. ID, Address and, while it is empty, State are filled in. nil is a
	// database that answers SELECT 1 or not.
	Status func(ctx context.Context, node *Node) (target.Status, error)
	// Declares are the assumptions that are true of the database.
	Declares []target.Assumption
	// Claims are what its makers claim: see target.Claimer.
	Claims []target.Claim

	// What follows is optional: an ability is missing if its field is zero.

	// Members changes the members.
	Members *Members
	// Versions are the versions of the database, oldest first: nodes boot with the last.
	Versions []Version
	// Remembered returns the IDs of requests that a node has applied, for target.Deduplicator: see package dedupe. Memory
	// is how many of the latest requests a node remembers at least; 0 is all.
	Remembered func(ctx context.Context, node *Node, inside target.SQL) (map[string]bool, error)
	Memory     int
	// Digest hashes a node's data, for target.Digester.
	Digest func(ctx context.Context, node *Node, inside target.SQL) (index uint64, sum string, err error)
	// Alarms are words in logs that tell of a bug; nil is target.DefaultAlarms.
	Alarms *target.Alarms
	// CutsPower has Crash cut the power of the node's host: what was not synced is lost where the machine can make disks
	// fail, and connections hang in place of being reset. A crash else kills the programs, and their disk loses nothing.
	CutsPower bool
	// Clocks tells that all programs get the time from the C library as a shared one, so that their clocks can be set.
	Clocks bool
	// Parts are patterns, as of filepath.Glob, of the files below a node's folder that hold a part of its data. A part is
	// damaged by a flipped byte in the largest of its files.
	Parts map[fault.Part]string
}

// Program is a program of a node.
type Program struct {
	// Path is a template of the program's path; a name without a slash is looked up in PATH.
	Path string
	// Args are templates of its arguments. One that is filled with nothing is left out.
	Args []string
	// Env are templates of KEY=value, besides the environment of this process.
	Env []string
	// Dir is a template of the folder in which it starts; empty is the node's own.
	Dir string
	// Signal asks the program to stop; nil is SIGTERM. StopPath, if not empty, is a template of a program that stops it,
	// with StopArgs, in place of the signal.
	Signal   os.Signal
	StopPath string
	StopArgs []string
	// Ready returns nil once the next program may start; nil does not wait.
	Ready func(ctx context.Context, node *Node) error
}

// Order is how the nodes of a new cluster start.
type Order int

const (
	// Together starts all nodes at once.
	Together Order = iota
	// FirstAlone starts the first node, and when it is ready all others at once.
	FirstAlone
	// OneByOne starts each node when the one before it is ready.
	OneByOne
)

// Members is how a database changes its members. The functions are called with a member that runs, and with the next one if
// they fail, until the context ends.
type Members struct {
	// Join makes a node, which runs with View.Joining, a member, and returns when it is one and has caught up; nil is a
	// database whose nodes join by their command line. voter is false for a learner.
	Join func(ctx context.Context, member, node *Node, voter bool) error
	// Leave takes a node out of the members, whether or not it runs.
	Leave func(ctx context.Context, member, node *Node) error
}

// Version is a version of a database.
type Version struct {
	Name string
	// Vars replace Database.Vars of the same names, such as the path of the program.
	Vars map[string]string
}
