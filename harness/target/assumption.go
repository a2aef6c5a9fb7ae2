package target

import "slices"

// Assumption is a sentence that is true of some databases only. A Cluster declares those
// that are true of its database: see Declarer. A spec that relies on one skips itself, with
// this sentence, where it is not declared.
type Assumption string

// The assumptions. What specs rely on without one is in the documentation of Cluster, Node
// and SQL.
const (
	// SQLite is about the SQL of clients.
	SQLite Assumption = "statements have the dialect, types, functions and messages of SQLite"
	// Namespaces are created by CREATE NAMESPACE; DROP NAMESPACE of one that is not empty
	// needs CASCADE.
	Namespaces Assumption = "a table belongs to a namespace, which is dropped with its tables only by CASCADE"
	// SystemTables are the tables rejoin_* of the embedded database.
	SystemTables Assumption = "namespaces and applied requests are kept in the system tables of the embedded database"
	// RefusesLocal keeps replicas equal.
	RefusesLocal Assumption = "a statement that acts on one node alone, such as ATTACH, is refused"
	// SameEverywhere keeps replicas equal.
	SameEverywhere Assumption = "random values and the present time are the same on every node, and time never runs backwards"

	// OrderedKeys is about AUTOINCREMENT, at one node and at several.
	OrderedKeys Assumption = "automatic keys follow each other in the order in which requests take effect"

	// HoldsWrites lets a client without retries write while a leader is elected.
	HoldsWrites Assumption = "a node without a leader holds a write and sends it to the next leader"
	// OwnWrites is the consistency of Local after a write at the same node.
	OwnWrites Assumption = "a node that has acknowledged a write shows it in local reads"
	// KeepsAnswers is about requests with an ID on a Deduplicator. Without it a request that is sent again may fail with
	// ErrAnswerGone.
	KeepsAnswers Assumption = "a request that is sent again under its ID has its first answer, rows included"
	// Streams is about answers that are longer than a buffer.
	Streams Assumption = "rows are streamed: the first arrive while the node still reads"
	// ReadsAlone is about Local reads of clients.
	ReadsAlone Assumption = "a node without a leader answers local reads, with all that it had shown before"

	// ShowsCommitted is about Local reads while others write.
	ShowsCommitted Assumption = "what a local read shows is shown by every strong read after it"
	// ShowsStored lets a slow disk make a node lag.
	ShowsStored Assumption = "a node shows a change only once it is on the disk of that node"
	// AnyQuorum is how consensus commits.
	AnyQuorum Assumption = "a change needs the acknowledgement of any quorum, so that one slow node delays none"
	// ReplacesHung is about a leader that cannot store anything, and still talks to others.
	ReplacesHung Assumption = "a leader whose disk hangs is replaced by another node"

	// KeepsTerm lets a spec see that a leader was not disturbed: a term that also counts members which come and go does not tell.
	KeepsTerm Assumption = "a term lasts until another leader is elected"
	// StepsDown bounds how long an isolated leader believes in itself.
	StepsDown Assumption = "a leader without a quorum steps down within its election timeout"
	// PreVote is the extension of Raft of that name.
	PreVote Assumption = "a node that hears no leader does not depose one that has a quorum"
	// Learners are members that do not vote.
	Learners Assumption = "a member may have no vote, and is given one only after it has caught up"
	// Compacts is about snapshots and the log behind them.
	Compacts Assumption = "a node takes a snapshot every few hundred entries, and sends it to nodes that need older entries"
	// Drains is about Starter.Stop.
	Drains Assumption = "a node that stops completes requests under way, refuses new ones, and transfers its leadership"
	// FailStop is about DiskFaulter.
	FailStop Assumption = "a node whose storage fails or is damaged serves nothing, and its status names the file"

	// HTTPAPI is what specs say to Dialer.
	HTTPAPI Assumption = "nodes serve the HTTP API of the embedded database, and prove to each other that they know the token"
	// EmbeddedFiles are what specs look for in FileLister.
	EmbeddedFiles Assumption = "the files of a node have the names of the embedded database"
)

// Assumptions returns all assumptions, in the order of their documentation.
func Assumptions() []Assumption {
	return []Assumption{
		SQLite, Namespaces, SystemTables, RefusesLocal, SameEverywhere, OrderedKeys,
		HoldsWrites, OwnWrites, KeepsAnswers, Streams, ReadsAlone, ShowsCommitted, ShowsStored, AnyQuorum, ReplacesHung,
		KeepsTerm, StepsDown, PreVote, Learners, Compacts, Drains, FailStop,
		HTTPAPI, EmbeddedFiles,
	}
}

// Declarer is a Cluster that declares assumptions. A Cluster that is none declares nothing.
type Declarer interface {
	// Declares returns the assumptions that are true of the cluster's database. It is
	// always the same list, and does not block.
	Declares() []Assumption
}

// Holds tells whether the cluster, or the one that it decorates, declares the assumption.
func Holds(c Cluster, a Assumption) bool {
	d, declares := As[Declarer](c)
	return declares && slices.Contains(d.Declares(), a)
}
