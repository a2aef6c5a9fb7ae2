package target

import "context"

// Isolation is an isolation level, as SQL and the literature name it.
type Isolation string

// The isolation levels, from the weakest. A database may give another promise under a name of the
// standard than its authors meant: see Adya, "Weak Consistency", MIT 1999.
const (
	ReadUncommitted Isolation = "read uncommitted"
	ReadCommitted   Isolation = "read committed"
	RepeatableRead  Isolation = "repeatable read"
	Snapshot        Isolation = "snapshot"
	Serializable    Isolation = "serializable"
)

// Transactor is a Cluster with interactive transactions: a client sends a statement, reads the
// answer, and then decides on the next.
type Transactor interface {
	// Isolations returns the levels that Begin accepts, from the weakest. It is always the same
	// list, and does not block.
	Isolations() []Isolation
	// Begin begins a transaction at a node, as a client does, over links that may be faulty. It
	// blocks until the node has answered. The caller must end the transaction. When ctx ends,
	// Begin returns an error and no transaction is left; a transaction that has begun outlives ctx.
	Begin(ctx context.Context, node int, level Isolation) (Transaction, error)
}

// Transaction is an interactive transaction. One goroutine at a time may use it.
type Transaction interface {
	// Query executes statements within the transaction. It blocks until the answer begins. The
	// rows must be closed before the next call. Request.ID and Request.Consistency are ignored.
	// The database may abort the transaction with an error of kind ErrConflict; then Rollback
	// must still be called.
	SQL
	// Commit commits. It blocks until the database has answered. OutcomeOf its error says what
	// became of the transaction.
	Commit(ctx context.Context) error
	// Rollback undoes everything. It blocks until the database has answered or the connection is
	// closed. After Commit it does nothing.
	Rollback(ctx context.Context) error
}
