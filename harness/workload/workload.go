package workload

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Workload is a data type and the operations that clients invoke on it, so that a journal of them can be
// judged. It is for one cluster. Its methods are safe for concurrent use.
type Workload interface {
	// Name is the name of the workload in schedules.
	Name() string
	// Setup creates the tables of the workload, in a namespace of its own. It blocks until that is done or
	// ctx ends, and may be called again.
	Setup(ctx context.Context, c *harness.Cluster) error
	// Next returns the next operation of a client. Its choices come from r.
	Next(r *rand.Rand, client int) Operation
	// Final reads everything from the local state of every node, and records the reads as final. The
	// cluster must be healed, and no client may be running.
	Final(ctx context.Context, c *harness.Cluster) error
}

// Ordered tells whether a workload takes automatic keys for the order of its transactions: see target.OrderedKeys.
func Ordered(w Workload) bool {
	switch w.(type) {
	case *lists, *twinLists:
		return true
	}
	return false
}

// Operation is one request of a client, and how to read its answer; or one interactive transaction.
type Operation struct {
	Op   journal.Op // without its client and outcome
	SQL  string
	Args []any
	// Read takes the answer, and returns the steps with what they read, or nil for the steps of Op. It may
	// be nil.
	Read func(harness.Result) ([]journal.Step, error)
	// Transaction, if it is set, takes the place of SQL, Args and Read: it executes the statements of an interactive
	// transaction at the level Isolation, and returns the steps with what they read. The transaction is committed
	// if there is no error, and rolled back if there is one.
	Transaction func(context.Context, *harness.Transaction) ([]journal.Step, error)
	Isolation   target.Isolation
	// Refused tells whether an error is an expected answer, such as that of a constraint. Nil is for
	// none.
	Refused func(error) bool
	// Ended is called with the outcome of the operation. It may be nil.
	Ended func(journal.Outcome)
}

// Workloads returns all workloads, each in a namespace that begins with ns. ns must be in lower case and begin
// with a letter.
func Workloads(ns string) []Workload {
	return []Workload{
		Register(ns+"_register", 4),
		Set(ns + "_set"),
		Lists(ns + "_lists"),
		Bank(ns + "_bank"),
		Counter(ns + "_counter"),
		Unique(ns + "_unique"),
		DDL(ns + "_ddl"),
		TwinLists(ns + "_pairs"),
	}
}
