package check

import (
	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// level is an isolation level: which cycles of dependencies it forbids.
type level struct {
	strength int           // a stronger level forbids everything that a weaker one forbids
	shape    digraph.Shape // of the cycles that are forbidden
	realTime bool          // whether edges of real time count
}

var (
	readCommitted        = level{strength: 1, shape: digraph.Without}
	snapshotIsolation    = level{strength: 2, shape: digraph.Separate}
	serializable         = level{strength: 3, shape: digraph.Anyhow}
	strictlySerializable = level{strength: 4, shape: digraph.Anyhow, realTime: true}
)

// kinds returns the kinds of edges in forbidden cycles.
func (l level) kinds() digraph.Kind {
	if l.realTime {
		return l.shape.Kinds() | digraph.RT
	}
	return l.shape.Kinds()
}

// broken tells whether the graph has a cycle that the level forbids. It is exact:
// snapshot isolation forbids exactly the cycles without adjacent anti-dependencies
// (Cerone and Gotsman, "Analysing Snapshot Isolation", J. ACM 2018).
func (l level) broken(g *digraph.Graph) bool {
	if l.shape == digraph.Separate {
		g = g.Apart()
	}
	return g.Components(l.kinds()).Count > 0
}

// pass is one search for cycles.
type pass struct {
	shape    digraph.Shape
	realTime bool
}

// passes returns the searches in a graph that breaks the level, the worst anomalies first.
func (l level) passes() (all []pass) {
	for shape := digraph.Without; shape <= l.shape; shape++ {
		all = append(all, pass{shape, false})
	}
	for shape := digraph.Without; shape <= l.shape && l.realTime; shape++ {
		all = append(all, pass{shape, true})
	}
	return all
}

// The rules of transactions, each for lists (journal.List) and for registers (journal.Registers).
var (
	readCommittedRule = Rule{"read committed",
		"No transaction reads what is not committed, and no two overwrite each other.", readCommitted.judge}
	snapshotIsolationRule = Rule{"snapshot isolation",
		"Every transaction reads one snapshot, and no two that overlap write the same key.", snapshotIsolation.judge}
	repeatableReadRule = Rule{"repeatable read",
		"What a transaction has read does not change until it commits.", serializable.judge}
	serializableRule = Rule{"serializable",
		"Transactions have an order that explains what they read.", serializable.judge}
	strictlySerializableRule = Rule{"strictly serializable",
		"Transactions have an order that explains what they read and fits real time.", strictlySerializable.judge}
)

func (l level) judge(h history, v *Verdict) {
	judgeLists(h, l, v)
	if v.Refused == nil {
		judgeRegisters(h, l, v)
	}
}

// ReadCommitted judges transactions by Adya's level PL-2: no aborted, intermediate or
// cyclic read, no dirty write.
//
// This and the levels below judge lists and registers of transactions. Violations have
// the names of Adya ("Weak Consistency", PhD thesis, MIT 1999), and of Kingsbury and
// Alvaro ("Elle: Inferring Isolation Anomalies from Experimental Observations",
// VLDB 2020):
//
//	G0                   dirty write: transactions overwrite each other in a cycle
//	G1a                  aborted read: a write of a failed transaction was read
//	G1b                  intermediate read: a write was read that its transaction overwrote
//	G1c                  cyclic information flow
//	G-single             read skew, or lost update: a cycle with one anti-dependency
//	G-nonadjacent        long fork, and other cycles without adjacent anti-dependencies
//	G2-item              write skew: a cycle with adjacent anti-dependencies
//	…-realtime           the same, with an edge of real time in the cycle
//	internal             a transaction does not read what it wrote itself
//	duplicate            a list holds a value twice
//	incompatible orders  a list was read in two orders that contradict each other
//	out of nothing       a value was read that no transaction wrote
//
// A transaction of unknown outcome counts as committed, as a whole, if one of its writes was read.
// Otherwise it may not have happened. Reading a write of a failed transaction is an aborted read. Of
// an Unread operation only the writes count.
//
// Reported cycles are short, and no two share an anti-dependency, so one wrong read shows in one
// cycle. At most 20 are listed of each kind for each set of transactions that depend on each other.
// Time and memory are linear in the history for lists. For registers the version orders are searched
// for, and the verdict is ErrUndecided after a fixed number of steps.
func ReadCommitted(events []journal.Event) error { return readCommittedRule.Judge(events).Err() }

// SnapshotIsolation judges transactions by Adya's level PL-SI without real time: a snapshot may be
// older than the beginning of the transaction.
func SnapshotIsolation(events []journal.Event) error {
	return snapshotIsolationRule.Judge(events).Err()
}

// RepeatableRead judges transactions by Adya's level PL-2.99. It differs from Serializable only for
// predicate reads, which a history does not have: their verdicts are the same.
func RepeatableRead(events []journal.Event) error { return repeatableReadRule.Judge(events).Err() }

// Serializable judges transactions by Adya's level PL-3. Reads of every consistency level count,
// because a stale state is a state of the same order.
func Serializable(events []journal.Event) error { return serializableRule.Judge(events).Err() }

// StrictlySerializable is Serializable with an order that fits real time: a transaction that ended
// before another began comes before it. Final operations come after all others. Read-only
// transactions below journal.Strong may see a stale state.
func StrictlySerializable(events []journal.Event) error {
	return strictlySerializableRule.Judge(events).Err()
}
