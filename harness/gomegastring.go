package harness

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
)

// The errors of this package are GomegaStringers: Gomega shows the text of an error and then
// this, in place of all fields of the error. So it is a line with the reason alone.

// GomegaString says what kept the node from what it was awaited for.
func (e *WaitError) GomegaString() string {
	name := fmt.Sprintf("node %d", e.Node)
	missing := missingQuorum(e.OnlineVoters, e.Voters)
	switch {
	case errors.Is(e.Err, ErrFailed):
		return name + " has failed"
	case !e.Flag:
		return name + " is offline by its flag"
	case missing != "":
		return missing
	case len(e.phases) == 0:
		return name + " could not be asked"
	case e.Last.State == target.Offline:
		return name + " is offline"
	case e.Behind() > 0:
		return name + " is " + entriesBehind(e.Behind())
	case e.Last.Leader == "":
		return name + " knows no leader"
	}
	return fmt.Sprintf("%s is %s", name, e.Last.State)
}

// GomegaString says which node failed to do what, and why in short.
func (e *NodeError) GomegaString() string {
	return fmt.Sprintf("node %d: %s: %s", e.Node, e.Action, brief(e.Err))
}

// GomegaString says which nodes are there.
func (e *IndexError) GomegaString() string {
	return fmt.Sprintf("index %d of %d nodes", e.Index, e.Size)
}

// GomegaString says what the target cannot do.
func (e *UnsupportedError) GomegaString() string { return "unsupported: " + string(e.Ability) }

// GomegaString says which node was removed.
func (e *RemovedError) GomegaString() string { return fmt.Sprintf("node %d was removed", e.Node) }

// GomegaString says that no difference is proven.
func (e *UnsettledError) GomegaString() string {
	return fmt.Sprintf("unsettled after %d comparisons", e.Comparisons)
}

// GomegaString says that no node was asked.
func (e *notAskedError) GomegaString() string { return "no node was asked" }

// GomegaString says what became of the request.
func (e *retriedError) GomegaString() string { return e.outcome.Outcome.String() + " after all tries" }

// GomegaString has the reason of each error.
func (e *joinedError) GomegaString() string {
	reasons := make([]string, len(e.errs))
	for i, err := range e.errs {
		reasons[i] = brief(err)
	}
	return strings.Join(reasons, "; ")
}

// brief is the reason of the first error in the chain that has one; if none has, the first
// line of the error.
func brief(err error) string {
	var short interface {
		error
		GomegaString() string
	}
	if errors.As(err, &short) {
		return short.GomegaString()
	}
	line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return line
}
