package described

import "time"

// Target describes a database and a cluster of it.
type Target struct {
	// Declares are the assumptions that are true of the database, by the names of Assumptions, such as "own-writes".
	Declares []string
	// Pace is how fast the database is; see specs.Pace.
	Pace Pace
	// Dialect translates the suite's SQL, which is SQLite's with namespaces: plain (the default: it is passed on as it is),
	// prefixes (SQLite's SQL without namespaces), postgresql, mysql or mariadb. See package dialect.
	Dialect string
	// Setup are statements that every Boot executes at one of the nodes, after those of the dialect. They must bear being
	// executed again.
	Setup []string
	// Programs are the programs of a node that the harness starts on hosts. Either Programs or Nodes are given.
	Programs *Programs
	// Nodes are the nodes of a cluster that runs already.
	Nodes []Node
	// Commands drive the nodes.
	Commands Commands
	// HTTP is how nodes answer SQL over HTTP. Either HTTP or Driver is given.
	HTTP *HTTP
	// Driver is how nodes answer SQL through a driver of database/sql.
	Driver *Driver
	// Status is how a node tells its health.
	Status Status
}

// Pace is how fast a database is. A zero value is the default of the specs.
type Pace struct {
	Election, Failover, Write, Wait, Spec time.Duration
}

// Node is a node of a cluster that runs already.
type Node struct {
	// Name is the node's ID, as the database names its leader.
	Name string
	// Address is host:port of the clients' endpoint.
	Address string
	// Inside is host:port of an endpoint that the command cut leaves alone; default Address.
	Inside string
	// Host is the machine that the node runs on, for commands.
	Host string
	// Values are more values for templates: {{.Values.pod}}.
	Values map[string]string
}

// Commands are command lines, each of them a template of Subject. A line is split into words at spaces; quotes keep
// words together. No shell reads it, unless the command is one: sh -c '…'. A command is done when it has ended; its
// exit code must be 0. What is empty, the target cannot do.
type Commands struct {
	// Timeout bounds each command; default 1m. A command that takes longer is killed.
	Timeout time.Duration
	// Reset makes the cluster as new, with {{.Size}} nodes. Boot runs it once, for all nodes. Without it the cluster
	// keeps what earlier specs wrote.
	Reset string
	// Stop ends a node gracefully, Start starts it again, and Kill ends it without notice. Start must return when the
	// node's program runs; the target then waits until the node answers. All three are given, or none.
	Stop, Start, Kill string
	// Pause freezes a node, and Resume ends that. Both are given, or none.
	Pause, Resume string
	// Cut cuts a node from the other nodes, in both directions, and Heal ends that. Both are given, or none. The target
	// itself cuts the node from the clients of the harness.
	Cut, Heal string
	// Log writes the end of a node's log to its standard output.
	Log string
	// Version sets the version that a node which does not run starts with next: {{.Version}}, one of Versions.
	Version string
	// Versions are the versions that Version knows, oldest first. Reset makes nodes of the last.
	Versions []string
}

// Subject is what templates of commands see: a node, and the cluster around it. For Reset, the fields of the node are
// empty and Index is -1.
type Subject struct {
	Node
	Index   int    // of the node, from 0
	Size    int    // of the cluster
	Nodes   []Node // of the cluster
	Others  []Node // Nodes without the node
	Version string // for the command Version
}

// Driver is a driver of database/sql.
type Driver struct {
	// Name is the name under which the driver registered itself, such as "pgx".
	Name string
	// DSN is a template of Node for the data source. Address is the address to connect to.
	DSN string
	// Rules say what an error means, by Code (SQLSTATE) and Contains. The outcome is that of a commit that ended with the
	// error: what fails before was not applied.
	Rules []Rule
}

// Status is how a node tells its health. The fields State to Voter are templates over the answers to Ask.
type Status struct {
	// Ask are the questions. A node that does not answer one of them is offline.
	Ask []Ask
	// State is one of connecting, syncing, online, leaving and failed; default online.
	State string
	// Role is leader, follower, or another word of the database; Leader is the name of the leader, or its address, or
	// empty.
	Role, Leader string
	// Term, Commit and Applied are numbers; each is 0 if the database has no such thing.
	Term, Commit, Applied string
	// Snapshot is the log index of the newest snapshot, Restores how many snapshots it has restored since it started, and
	// Entries how many entries its log holds. Specs about snapshots need them: see target.Compacts.
	Snapshot, Restores, Entries string
	// Reason says why the node is not online.
	Reason string
}

// Ask is one question to a node. The answer to an HTTP call is a JSON document. The answer to a statement is an object
// with the columns of its first row.
type Ask struct {
	// Name is the key of the answer in the templates of Status. Without a name the keys of the answer are given as they
	// are: {{.role}}.
	Name string
	// Call is an HTTP call; its templates see Node.
	Call *Call
	// SQL is a statement, which is run inside the node with consistency local.
	SQL string
}
