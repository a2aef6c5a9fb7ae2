package harness

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrNoNodesOnline is returned by everything that needs a node that is online
// when there is none. Nobody was asked, so target.OutcomeOf it is NotApplied.
var ErrNoNodesOnline error = &notAskedError{errors.New("no online nodes available in cluster")}

// notAskedError is why a request was not sent to any node.
type notAskedError struct{ why error }

func (e *notAskedError) Error() string { return e.why.Error() }

func (e *notAskedError) Unwrap() []error {
	return []error{e.why, &target.Error{Message: e.why.Error(), Outcome: target.NotApplied}}
}

var (
	// ErrAlreadyOffline is wrapped by the error of taking a node offline twice.
	ErrAlreadyOffline = errors.New("already offline")
	// ErrAlreadyOnline is wrapped by the error of bringing back a node that is online.
	ErrAlreadyOnline = errors.New("already online")
)

// IndexError says that there is no node of that index.
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

// WaitError says that a node did not come online in time, and what it last showed.
type WaitError struct {
	Node   int
	ID     string
	Flag   bool          // whether its flag was up
	Target uint64        // the log index it had to apply; 0 if no node could say
	Last   target.Status // what it showed when it last could be asked
	Seen   error         // why it could not be asked at the last look; nil if it could
	Err    error         // what ended the wait
}

// Behind is how many log entries were missing at the last look.
func (e *WaitError) Behind() uint64 {
	if e.Last.AppliedIndex >= e.Target {
		return 0
	}
	return e.Target - e.Last.AppliedIndex
}

func (e *WaitError) Error() string {
	flag := "its flag says offline and nobody brought it back"
	if e.Flag {
		flag = "its flag says online"
	}
	shown := fmt.Sprintf("it last showed state %s, leader %q, applied index %d of %d, %d behind",
		e.Last.State, e.Last.Leader, e.Last.AppliedIndex, e.Target, e.Behind())
	switch {
	case e.Seen != nil && e.Last.State == "":
		shown = fmt.Sprintf("it could not be asked: %v", e.Seen)
	case e.Seen != nil:
		shown += fmt.Sprintf(", and then could not be asked: %v", e.Seen)
	}
	return fmt.Sprintf("wait for node %d (%s) to be online: %s; %s: %v", e.Node, e.ID, flag, shown, e.Err)
}

func (e *WaitError) Unwrap() error { return e.Err }
