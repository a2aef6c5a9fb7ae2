package target

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// LinkState is the state of a directed link where its messages pass.
type LinkState struct {
	// Rule is the rule in force. A link that Isolate cuts has a rule that cuts.
	Rule fault.Rule
	// Reset tells that the next message is cut in half: see LinkFaulter.ResetLink.
	Reset bool
}

// FaultInspector is a Cluster that reports the faults in force: not those that were asked for,
// but those where a message passes, a file is written or a clock is read. It proves that a fault
// is in force in each direction, and that nothing of it is left after it was healed. Its methods
// work on nodes that do not run as well.
type FaultInspector interface {
	// Link is the state of the link from one node to another; either may be fault.Clients. It
	// is an error if the two ends of the link do not agree.
	Link(ctx context.Context, from, to int) (LinkState, error)
	// Disk is the faults of a node's disk.
	Disk(ctx context.Context, node int) (fault.Disk, error)
	// Clock is how far a node's clock is ahead of the true time; negative is behind.
	Clock(ctx context.Context, node int) (time.Duration, error)
}

// Diverger is a Cluster that can make one replica differ from the others, past its log. That is
// not a fault: it serves to test that comparisons find a difference. The node loses the
// difference when it restarts or installs a snapshot.
type Diverger interface {
	// Diverge runs statements on the database of a running node only, as one transaction. It
	// blocks until they are done. If one fails, nothing changes.
	Diverge(ctx context.Context, node int, sql string) error
}
