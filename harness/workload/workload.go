package workload

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Workload is what clients do to a cluster, so that it can be judged. It is for one
// cluster. Its methods are safe for concurrent use.
type Workload interface {
	// Name is what the workload is called in schedules.
	Name() string
	// Setup makes what the workload needs, in a namespace of its own. It blocks until
	// that is done or ctx ends, and may be called again.
	Setup(ctx context.Context, c *harness.Cluster) error
	// Next is what a client does next. Its choices come from r.
	Next(r *rand.Rand, client int) Operation
	// Final reads everything, once on every node and of that node's own state, and
	// writes it down as final. The cluster is healed and at rest.
	Final(ctx context.Context, c *harness.Cluster) error
}

// Operation is one request of a client, and how to read what it came to.
type Operation struct {
	Op   journal.Op // but for its client and outcome
	SQL  string
	Args []any
	// Read is given the answer, if there is one: it returns the steps with what they
	// got, or nil for those the operation was invoked with. Nil if nobody is curious.
	Read func(harness.Result) ([]journal.Step, error)
	// Refused tells whether an error is an answer, such as that of a constraint. Nil
	// for no error.
	Refused func(error) bool
	// Ended is told what became of the operation. It may be nil.
	Ended func(journal.Outcome)
}

// Workloads are all workloads, each in a namespace that begins with ns, which is in
// lower case and begins with a letter.
func Workloads(ns string) []Workload {
	return []Workload{
		Register(ns+"_register", 4),
		Set(ns + "_set"),
		Lists(ns + "_lists"),
		Bank(ns + "_bank"),
		Counter(ns + "_counter"),
		Unique(ns + "_unique"),
		DDL(ns + "_ddl"),
		Pairs(ns + "_pairs"),
	}
}
