package target

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// LinkState is what a link is, by the word of who carries its messages.
type LinkState struct {
	Rule fault.Rule // what Isolate cuts is cut here, whatever SetLink said
	// Reset tells that the next message is to be cut in half: see LinkFaulter.ResetLink.
	Reset bool
}

// FaultInspector is a Cluster that can tell what is wrong around its nodes: not what it was
// asked for, but what is in force where a message passes, a file is written or the time
// is read. It is the proof that a fault is there, in each direction, and that nothing is
// left of it when it was undone.
type FaultInspector interface {
	// Link is what the link from one node to another is, or from or to fault.Clients.
	Link(ctx context.Context, from, to int) (LinkState, error)
	// Disk is what is wrong with the node's disk.
	Disk(ctx context.Context, node int) (fault.Disk, error)
	// Clock is how far the node's clock is ahead of the true time; negative if behind.
	Clock(ctx context.Context, node int) (time.Duration, error)
}

// Diverger is a Cluster that can make one node differ from the others, past its log. No
// fault does that: it shows that what compares nodes sees such a difference. The node
// loses the difference when it starts again or installs a snapshot.
type Diverger interface {
	// Diverge runs statements on the node's own database, as one transaction that no
	// other node hears of. It blocks until they are done; if one fails nothing changes.
	Diverge(ctx context.Context, node int, sql string) error
}
