package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// readIndex returns the index that a node must have applied to serve a read. This node must be the
// leader.
func (n *Node) readIndex(ctx context.Context, consistency wire.Consistency) (uint64, error) {
	term, err := n.leadership.Settle(ctx)
	if err != nil {
		return 0, err
	}
	if consistency != wire.Strong {
		return n.progress.Applied(), nil
	}
	index := n.raft.CommitIndex()
	if err := n.leadership.Confirm(ctx, term); err != nil {
		return 0, fmt.Errorf("%w: %w", errNotLeading, err)
	}
	return index, nil
}

// prepareRead blocks until this node may serve a read with that consistency.
func (n *Node) prepareRead(ctx context.Context, consistency wire.Consistency) error {
	if consistency == wire.Local {
		return n.replay.err()
	}
	var last error
	for {
		l, _, changed := n.leaderState.look()
		if l.id != "" {
			index, err := n.readIndexOf(ctx, l, consistency)
			if err == nil {
				return n.waitApplied(ctx, index)
			}
			last = err
		}
		if err := n.pause(ctx, changed); err != nil {
			return n.noLeader(err, last)
		}
	}
}

func (n *Node) waitApplied(ctx context.Context, index uint64) error {
	err := n.progress.WaitApplied(ctx, index)
	var failed *machine.FailedError
	if err == nil || errors.As(err, &failed) {
		return err
	}
	if replaying := n.replay.err(); replaying != nil {
		return replaying
	}
	return unavailable(CodeTimeout, "node %s: %v", n.config.ID, err)
}

// pause blocks until changed is closed, at most for a quarter of an election timeout, because a leader
// may become reachable without a change. It returns an error if ctx ends, or if the node is leaving or
// has failed.
func (n *Node) pause(ctx context.Context, changed <-chan struct{}) error {
	moment := time.NewTimer(n.config.ElectionTimeout / 4)
	defer moment.Stop()
	select {
	case <-changed:
	case <-moment.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-n.ctx.Done():
		return unavailable(CodeStopping, "node %s is leaving", n.config.ID)
	}
	if err := n.storage.machine.Failed(); err != nil {
		return unavailable(CodeFailed, "node %s: %v", n.config.ID, err)
	}
	return nil
}

func (n *Node) readIndexOf(ctx context.Context, l leader, consistency wire.Consistency) (uint64, error) {
	if l.self {
		return n.readIndex(ctx, consistency)
	}
	ctx, cancel := n.whileLeads(ctx, l)
	defer cancel()
	return n.askReadIndex(ctx, l, consistency)
}

const readIndexPath = "/v1/api/cluster/read-index"

type readIndexAnswer struct {
	Index uint64 `json:"index"`
}

// askReadIndex gets the read index from another node, the leader.
func (n *Node) askReadIndex(ctx context.Context, l leader, consistency wire.Consistency) (index uint64, err error) {
	target := url.URL{Scheme: "http", Host: l.address, Path: readIndexPath,
		RawQuery: url.Values{"consistency": {string(consistency)}}.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return 0, err
	}
	response, err := n.send(request)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxInternalAnswer))
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("leader %s: %s: %s", l.id, response.Status, body)
	}
	var answer readIndexAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("leader %s: %w", l.id, err)
	}
	return answer.Index, nil
}

const maxInternalAnswer = 64 << 10 // bytes
