package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// node is one node over all its lives, with one client at the clients' host and one at its own.
type node struct {
	config embedded.Config
	voter  bool
	ahead  atomic.Int64   // nanoseconds that its clock is ahead
	living ctxmutex.Mutex // held while it starts or ends

	mu      sync.Mutex
	host    *network.Host  // current host; changes when the node moves
	client  *client.Client // at the clients' host
	inside  *client.Client // at the node's host
	running *embedded.Node // nil if it is not running
	why     string         // why it is not running
	removed bool           // permanently
	closed  bool           // with its cluster
}

func newNode(config embedded.Config, host *network.Host, voter bool) *node {
	n := &node{config: config, host: host, voter: voter, living: ctxmutex.New(), why: "it was never started"}
	n.config.Now = func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }
	n.inside = client.New(n.ID(), host.Addr(), config.Token, host)
	return n
}

// meetClients makes the node's client at the clients' host.
func (n *node) meetClients(place *network.Host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.client = client.New(n.ID(), n.host.Addr(), n.config.Token, place)
}

func (n *node) ID() string { return n.config.ID }

func (n *node) Client() target.SQL {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.client
}

func (n *node) Inside() target.SQL {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.inside
}

// place returns the node's current host.
func (n *node) place() *network.Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.host
}

// Status returns the status of the node, or why it is not running.
func (n *node) Status(context.Context) (target.Status, error) {
	running, why := n.look()
	if running == nil {
		return target.Status{ID: n.ID(), Address: n.place().Addr(), State: target.Offline, Reason: why}, nil
	}
	return client.Status(running.Health(), running.Address()), nil
}

// AddMember asks the node directly, so that faults do not affect it.
func (n *node) AddMember(ctx context.Context, m embedded.Member) error {
	running, err := n.up()
	if err != nil {
		return err
	}
	return running.AddMember(ctx, m)
}

// RemoveMember asks the node directly, so that faults do not affect it.
func (n *node) RemoveMember(ctx context.Context, id string) error {
	running, err := n.up()
	if err != nil {
		return err
	}
	return running.RemoveMember(ctx, id)
}

func (n *node) look() (running *embedded.Node, why string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running, n.why
}

func (n *node) up() (*embedded.Node, error) {
	running, why := n.look()
	switch {
	case errors.Is(n.gone(), errClosed):
		return nil, errClosed
	case running == nil:
		return nil, fmt.Errorf("node %s is not running: %s", n.ID(), why)
	}
	return running, nil
}

func (n *node) runs() bool {
	running, _ := n.look()
	return running != nil
}

// gone returns why the node can never run again; nil if it can.
func (n *node) gone() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return errClosed
	case n.removed:
		return errors.New("it was removed from the cluster")
	}
	return nil
}

// set records that the node runs, or why it does not.
func (n *node) set(running *embedded.Node, why string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running, n.why = running, why
}

// forgetConnections closes the clients' idle connections. Those of the node's former life are dead, and a request on one would
// end with an unknown outcome.
func (n *node) forgetConnections() {
	n.mu.Lock()
	outside, inside := n.client, n.inside
	n.mu.Unlock()
	outside.Close()
	inside.Close()
}

func (n *node) start(peers []embedded.Peer) error {
	n.living.LockNow()
	defer n.living.Unlock()
	if err := n.gone(); err != nil {
		return fmt.Errorf("start node %s: %w", n.ID(), err)
	}
	if n.runs() {
		return fmt.Errorf("start node %s: it is already running", n.ID())
	}
	host := n.place()
	host.Revive()
	n.forgetConnections()
	config := n.config
	config.Endpoint, config.Peers = host, peers
	running, err := embedded.Start(config)
	if err != nil {
		n.set(nil, err.Error())
		return err
	}
	n.set(running, "")
	return nil
}

func (n *node) stop(ctx context.Context) error {
	if err := n.living.Lock(ctx); err != nil {
		return err
	}
	defer n.living.Unlock()
	running, err := n.up()
	if err != nil {
		return err
	}
	err = running.Stop(ctx)
	n.set(nil, "it was stopped")
	return err
}

func (n *node) crash(ctx context.Context) error {
	if err := n.living.Lock(ctx); err != nil {
		return err
	}
	defer n.living.Unlock()
	running, err := n.up()
	if err != nil {
		return err
	}
	n.end(running, "it crashed")
	return nil
}

// end ends a node between two instructions. The order matters: writing to the disk after the network is gone looks like
// a later crash, but a message after the disk is gone could acknowledge a write that is lost.
func (n *node) end(running *embedded.Node, why string) {
	n.place().Crash()
	n.config.Disk.Crash()
	_ = running.Close() // a crashed node fails to close
	n.set(nil, why)
}

// wipe empties the node's disk.
func (n *node) wipe() error {
	if err := n.config.Disk.Wipe(); err != nil {
		return fmt.Errorf("wipe the disk of node %s: %w", n.ID(), err)
	}
	return os.RemoveAll(filepath.Join(n.config.Dir, "state"))
}

// discard ends the node permanently, running or not.
func (n *node) discard() error {
	n.living.LockNow()
	defer n.living.Unlock()
	n.mu.Lock()
	running := n.running
	n.removed = true
	n.mu.Unlock()
	if running != nil {
		n.end(running, "it was removed")
	}
	n.set(nil, "it was removed")
	n.place().Crash()
	return nil
}

// close stops the node immediately, with its cluster. Calls in progress end, and the node never starts again.
func (n *node) close() error {
	n.mu.Lock()
	n.closed = true
	running, outside, inside := n.running, n.client, n.inside
	n.mu.Unlock()
	if outside != nil {
		outside.Close()
	}
	inside.Close()
	var errs []error
	if running != nil {
		errs = append(errs, running.Close())
	}
	n.living.LockNow()
	defer n.living.Unlock()
	if late, _ := n.look(); late != nil && late != running { // it was starting
		errs = append(errs, late.Close())
	}
	n.set(nil, "its cluster is closed")
	return errors.Join(errs...)
}
