package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// serveWrite sends a change to the leader, and answers when this node has applied it too.
//
// If the leader is lost meanwhile, it is unknown whether the change was applied. It is sent to the next
// leader anyway: its key ensures that it is applied once.
func (n *Node) serveWrite(w http.ResponseWriter, r *http.Request, req *request) {
	ctx, cancel := context.WithTimeout(r.Context(), n.config.WriteTimeout)
	defer cancel()
	var last error
	inDoubt := false
	for {
		l, _, changed := n.leaderState.look()
		if req.forwarder != "" && !l.self {
			n.fail(w, n.notLeading(inDoubt, last))
			return
		}
		if l.id != "" {
			attempt := n.attempt(ctx, w, req, l)
			if attempt.answered {
				return
			}
			last = attempt.err
			inDoubt = inDoubt || attempt.inDoubt
		}
		if err := n.pause(ctx, changed); err != nil {
			n.fail(w, n.gaveUp(err, last, inDoubt))
			return
		}
	}
}

// attempt is the result of sending a change to one leader.
type attempt struct {
	answered bool
	inDoubt  bool  // it may have been applied although it was not answered
	err      error // why it was not answered
}

func (n *Node) attempt(ctx context.Context, w http.ResponseWriter, req *request, l leader) attempt {
	if l.self {
		return n.writeHere(ctx, w, req)
	}
	return n.writeThere(ctx, w, req, l)
}

// writeHere applies a change on this node, the leader.
func (n *Node) writeHere(ctx context.Context, w http.ResponseWriter, req *request) attempt {
	done, err := n.propose(ctx, machine.Entry{SQL: req.SQL, Params: req.Params, ID: req.key, Ticket: req.ticket})
	if refused, is := errors.AsType[*answer](err); is {
		n.fail(w, refused)
		return attempt{answered: true}
	}
	if err != nil {
		return attempt{inDoubt: !errors.Is(err, errNotLeading), err: err}
	}
	w.Header().Set(HeaderIndex, formatIndex(done.index))
	if req.forwarder != "" {
		n.futures.Go(func() { n.transport.Committed(raft.ServerID(req.forwarder), done.index) })
	}
	if err := done.response.Err; err != nil {
		n.fail(w, n.refusedHere(err))
		return attempt{answered: true}
	}
	out, _ := n.beginAnswer(w, time.Time{})
	if err := answerResults(out, done.response.Results); err != nil {
		n.cutShort(w, out, err)
	} else {
		n.finish(out, req)
	}
	return attempt{answered: true}
}

// refusedHere returns the answer to a change that is in the log and did not succeed. If this node failed
// and not the change, the other nodes may apply it.
func (n *Node) refusedHere(err error) error {
	if failed, own := errors.AsType[*machine.FailedError](err); own {
		return unavailable(CodeFailed, "node %s: %v; it is unknown whether the change is applied elsewhere",
			n.config.ID, failed).withOutcome(OutcomeUnknown)
	}
	if errors.Is(err, machine.ErrClosed) {
		return unavailable(CodeStopping, "node %s is leaving; it is unknown whether the change is applied elsewhere",
			n.config.ID).withOutcome(OutcomeUnknown)
	}
	return err
}

// written is the result of a proposal.
type written struct {
	response machine.Response
	index    uint64
}

// errNotLeading says that a proposal was rejected before it reached the log.
var errNotLeading = errors.New("this node is not the leader")

// propose appends an entry to the log and waits until this node, the leader, has applied it. An *answer
// means that the entry is invalid. After errNotLeading nothing was changed; after any other error the
// outcome is unknown.
func (n *Node) propose(ctx context.Context, entry machine.Entry) (written, error) {
	entry.Time = n.config.Now().UnixMilli()
	data, err := entry.Encode()
	if err != nil {
		return written{}, refuse(http.StatusBadRequest, CodeBadRequest, "%v", err)
	}
	var future raft.ApplyFuture
	// The timeout applies to the queue of Raft, before the entry is in the log.
	err = n.wait(ctx, func() raft.Future {
		future = n.raft.Apply(data, n.config.WriteTimeout)
		return future
	})
	switch {
	case err == nil:
		return written{response: future.Response().(machine.Response), index: future.Index()}, nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrEnqueueTimeout), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return written{}, errors.Join(errNotLeading, err)
	default:
		return written{}, err
	}
}

// gaveUp returns the answer after all attempts failed; end is what ended them.
func (n *Node) gaveUp(end, last error, inDoubt bool) error {
	if failed := n.storage.machine.Failed(); failed != nil && inDoubt {
		return n.refusedHere(failed)
	}
	if inDoubt {
		return unavailable(CodeNoQuorum, "node %s: no quorum confirmed the change within %v (%v); it is unknown whether it is applied",
			n.config.ID, n.config.WriteTimeout, last).withOutcome(OutcomeUnknown)
	}
	return n.noLeader(end, last)
}

// notLeading returns the answer to a change that was forwarded to a node that is not the leader.
func (n *Node) notLeading(inDoubt bool, last error) error {
	if inDoubt {
		return unavailable(CodeNotLeader, "node %s no longer leads (%v); it is unknown whether the change is applied",
			n.config.ID, last).withOutcome(OutcomeUnknown)
	}
	return unavailable(CodeNotLeader, "node %s is not the leader; nothing was changed", n.config.ID)
}

// noLeader returns the answer when no leader was found in time.
func (n *Node) noLeader(end, last error) error {
	var known *answer
	if errors.As(end, &known) {
		return known
	}
	why := "no leader is known"
	if last != nil {
		why = fmt.Sprintf("no leader could be reached (%v)", last)
	}
	return unavailable(CodeNoLeader, "node %s: %s, waited %v; nothing was changed", n.config.ID, why, n.config.WriteTimeout)
}
