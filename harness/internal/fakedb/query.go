package fakedb

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// side is a node as clients reach it, or from the inside.
type side struct {
	node   *node
	inside bool
}

// work is how long a request takes before it is executed. The answer to a change takes four times as long, so that a crash mostly
// comes between the two.
const work = 200 * time.Microsecond

// Query sends a request: the way to the node, the request itself, and the way back.
func (s side) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	n := s.node
	if err := ctx.Err(); err != nil {
		return nil, n.failed(target.ErrUnreachable, "not sent", target.NotApplied, err)
	}
	if !s.inside {
		if err := n.cluster.carry(ctx, fault.Clients, n.index); err != nil {
			return nil, n.failed(target.ErrUnreachable, "the request", target.OutcomeOf(err), err)
		}
	}
	life, slow, err := n.arrive(ctx)
	if err != nil {
		return nil, err
	}
	reading := reads(request.SQL)
	if reading {
		slow = 0
	}
	if err := wait(ctx, life, work+slow); err != nil {
		return nil, n.failed(target.ErrUnreachable, "the node ended before it executed the request", target.NotApplied, err)
	}
	results, err := n.execute(life, request, reading)
	if err != nil {
		return nil, err
	}
	if !reading {
		if err := wait(ctx, life, 4*work); err != nil {
			return nil, n.failed(target.ErrUnreachable, "the node ended before it answered", target.Unknown, err)
		}
	}
	if !s.inside {
		if err := n.cluster.carry(ctx, n.index, fault.Clients); err != nil {
			return nil, n.failed(target.ErrUnreachable, "the answer", target.Unknown, err)
		}
	}
	return (&sqldb.Answer{Results: results}).Rows(!reading), nil
}

// arrive waits while the node is paused, and returns its life and how long a sync takes.
func (n *node) arrive(ctx context.Context) (context.Context, time.Duration, error) {
	for {
		n.cluster.mu.Lock()
		down, resumed, life := n.down || n.removed, n.resumed, n.life
		slow, _ := n.cluster.slowestLocked() // an error is that of execute
		n.cluster.mu.Unlock()
		switch {
		case down:
			return nil, 0, n.failed(target.ErrUnreachable, "it does not run", target.NotApplied, nil)
		case resumed == nil:
			return life, slow, nil
		}
		select {
		case <-resumed:
		case <-ctx.Done():
			return nil, 0, n.failed(target.ErrUnreachable, "no answer", target.Unknown, context.Cause(ctx))
		}
	}
}

// wait blocks for d, or until one of the contexts ends.
func wait(ctx, life context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-life.Done():
		return errors.New("the node does not run")
	}
}

// execute executes a request at once.
func (n *node) execute(life context.Context, request target.Request, reading bool) ([]sqldb.Result, error) {
	c := n.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if life.Err() != nil || !n.runs() {
		return nil, n.failed(target.ErrUnreachable, "the node ended before it executed the request", target.NotApplied, nil)
	}
	at := n
	if !reading || request.Consistency == target.Leader || request.Consistency == target.Strong {
		leader, is := c.ledLocked(n.index)
		if !is {
			return nil, n.failed(target.ErrNoLeader, "no leader", target.NotApplied, nil)
		}
		c.countLocked(n.index, leader.index)
		at = leader
	}
	c.settleLocked()
	if reading {
		results, err := at.state.execute(request)
		return results, n.refused(err)
	}
	return n.changeLocked(at, request)
}

// changeLocked commits a request at the leader.
func (n *node) changeLocked(leader *node, request target.Request) ([]sqldb.Result, error) {
	c := n.cluster
	if was, is := c.answers[request.ID]; is && request.ID != "" {
		if was.sql != request.SQL {
			return nil, n.failed(target.ErrKeyReused, "the ID names "+was.sql, target.NotApplied, nil)
		}
		return was.answer, nil
	}
	if _, err := c.slowestLocked(); err != nil {
		return nil, n.failed(target.ErrNoQuorum, err.Error(), target.NotApplied, nil)
	}
	results, err := leader.state.execute(request)
	if err != nil {
		return nil, n.refused(err)
	}
	c.log = append(c.log, request)
	leader.applied++
	if request.ID != "" {
		c.answers[request.ID] = remembered{request.SQL, results}
	}
	for i := range c.nodes {
		if c.nodes[i].runs() && c.connectedLocked(leader.index, i) {
			c.countLocked(leader.index, i)
		}
	}
	c.settleLocked()
	return results, nil
}

func (n *node) failed(kind error, message string, outcome target.Outcome, cause error) *target.Error {
	return &target.Error{
		Node: n.ID(), Code: "FAKE", Message: message, Outcome: outcome, Kind: kind, Temporary: true, Cause: cause,
	}
}

// kinds are the kinds of SQLite's messages.
var kinds = map[string]error{
	"constraint failed": target.ErrConstraint, "no such table": target.ErrNoSuchTable, "no such column": target.ErrNoSuchTable,
	"unknown database": target.ErrNoSuchNamespace, "syntax error": target.ErrSyntax, "incomplete input": target.ErrSyntax,
	"already exists": target.ErrExists, "not enough args": target.ErrParams,
}

// refused is an error of SQLite.
func (n *node) refused(err error) error {
	if err == nil {
		return nil
	}
	refused := n.failed(target.KindOf(err), err.Error(), target.NotApplied, err)
	refused.Temporary = false
	for words, kind := range kinds {
		if strings.Contains(err.Error(), words) {
			refused.Kind = kind
		}
	}
	return refused
}
