package external

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/internal/speak"
)

// node is one node of the cluster.
type node struct {
	cluster  *Cluster
	index    int
	about    described.Node
	inside   target.SQL
	gate     *gate
	asked    speak.Asked
	closers  []io.Closer
	changing ctxmutex.Mutex // held while a command runs

	mu      sync.Mutex
	away    string // why it does not run: stopped, killed or paused; "" if it should run
	cut     bool
	version string
}

var _ target.Node = (*node)(nil)

func (n *node) ID() string         { return n.about.Name }
func (n *node) Client() target.SQL { return n.gate }
func (n *node) Inside() target.SQL { return n.inside }

// longestAnswer bounds how long a node may take to tell its status.
const longestAnswer = 5 * time.Second

// Status asks the node at its inside endpoint. A node that a command has ended or paused is offline and is not asked.
func (n *node) Status(ctx context.Context) (target.Status, error) {
	n.mu.Lock()
	away := n.away
	n.mu.Unlock()
	if away != "" {
		return n.offline(away), nil
	}
	bounded, cancel := context.WithTimeout(ctx, longestAnswer)
	defer cancel()
	status, err := n.cluster.target.speak.Status(bounded, n.asked)
	if err != nil && ctx.Err() == nil && errors.Is(err, target.ErrUnreachable) {
		return n.offline(err.Error()), nil
	}
	return status, err
}

func (n *node) offline(why string) target.Status {
	return target.Status{ID: n.ID(), Address: n.about.Address, State: target.Offline, LastContact: -1, Voter: true, Reason: why}
}

// do runs a command about the node, one at a time, and calls done if it succeeded.
func (n *node) do(ctx context.Context, name string, change func(*described.Subject), done func()) error {
	return n.locked(ctx, name, func(ctx context.Context) error {
		return n.run(ctx, name, change, done)
	})
}

// locked calls do while no other command about the node runs.
func (n *node) locked(ctx context.Context, name string, do func(context.Context) error) error {
	if err := n.changing.Lock(ctx); err != nil {
		return fmt.Errorf("node %s: %s: wait for another command: %w", n.ID(), name, err)
	}
	defer n.changing.Unlock()
	return do(ctx)
}

func (n *node) run(ctx context.Context, name string, change func(*described.Subject), done func()) error {
	command, given := n.cluster.target.commands[name]
	if !given {
		return fmt.Errorf("node %s: there is no command %s: %w", n.ID(), name, errors.ErrUnsupported)
	}
	subject := n.cluster.subject(n.index)
	if change != nil {
		change(&subject)
	}
	if _, err := command.run(ctx, subject, 0); err != nil {
		return fmt.Errorf("node %s: %w", n.ID(), err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	done()
	return nil
}

// isAway tells why the node does not run; "" if it does.
func (n *node) isAway() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.away
}
