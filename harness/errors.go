package harness

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrNoNodesOnline is the error of a request if no node is online. No node was asked, so its
// target.OutcomeOf is NotApplied.
var ErrNoNodesOnline error = &notAskedError{errors.New("no online nodes available in cluster")}

// notAskedError is why a request was not sent.
type notAskedError struct{ why error }

func (e *notAskedError) Error() string { return e.why.Error() }

func (e *notAskedError) Unwrap() []error {
	return []error{e.why, &target.Error{Message: e.why.Error(), Outcome: target.NotApplied}}
}

var (
	// ErrAlreadyOffline is wrapped by the error of taking a node offline twice.
	ErrAlreadyOffline = errors.New("already offline")
	// ErrAlreadyOnline is wrapped by the error of bringing online a node that is online.
	ErrAlreadyOnline = errors.New("already online")
)

// ErrNoLeader is wrapped by the error of Leader and IsolateLeader if a quorum does not agree
// on a leader that runs.
var ErrNoLeader = errors.New("there is no leader")

// ErrBeingRemoved is wrapped by the error of taking a node offline, or bringing it back, while
// it is being removed.
var ErrBeingRemoved = errors.New("the node is being removed")

// IndexError says that there is no node with that index.
type IndexError struct{ Index, Size int }

func (e *IndexError) Error() string {
	return fmt.Sprintf("node index %d out of range (0-%d)", e.Index, e.Size-1)
}

// NodeError is an error of one node.
type NodeError struct {
	Node   int
	ID     string
	Action string // what was being done to it, as in "execute"
	Err    error
}

func (e *NodeError) Error() string {
	return fmt.Sprintf("%s on node %d (%s): %v", e.Action, e.Node, e.ID, e.Err)
}

func (e *NodeError) Unwrap() error { return e.Err }

// ErrUnsupported is wrapped by the error of what the target cannot do. It wraps
// errors.ErrUnsupported.
var ErrUnsupported = fmt.Errorf("the target lacks an ability: %w", errors.ErrUnsupported)

// UnsupportedError says which ability the target lacks. Nothing was tried. It wraps
// ErrUnsupported.
type UnsupportedError struct{ Ability target.Ability }

func (e *UnsupportedError) Error() string {
	if e.Ability == target.Time {
		return "the target's time is real: it passes only by waiting"
	}
	return fmt.Sprintf("the target cannot %s", e.Ability)
}

func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// RemovedError says that the node was removed from the cluster.
type RemovedError struct {
	Node int
	ID   string
}

func (e *RemovedError) Error() string {
	return fmt.Sprintf("node %d (%s) was removed from the cluster", e.Node, e.ID)
}

// ErrFailed is wrapped by the error of waiting for a node whose storage has failed:
// it must come back Wiped, or be replaced.
var ErrFailed = errors.New("the node has failed and must be replaced")
