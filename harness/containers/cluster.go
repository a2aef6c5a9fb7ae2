package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster is a running cluster. It is safe for concurrent use: operations on one node run one at a time.
type Cluster struct {
	options Options
	engine  *client.Client
	release func() error // of the engine
	name    string       // the prefix of all names in the engine
	network string       // ID
	nodes   []*node
	closers []io.Closer
	closing sync.Once
	closed  error
}

var (
	_ target.Cluster   = (*Cluster)(nil)
	_ target.Starter   = (*Cluster)(nil)
	_ target.Pauser    = (*Cluster)(nil)
	_ target.LogReader = (*Cluster)(nil)
	_ target.Dialer    = (*Cluster)(nil)
	_ target.Declarer  = (*Cluster)(nil)
	_ target.Named     = (*Cluster)(nil)
)

// Name returns the name of the target.
func (c *Cluster) Name() string {
	if c.options.Name == "" {
		return "containers"
	}
	return c.options.Name
}

// Declares returns Options.Declares.
func (c *Cluster) Declares() []target.Assumption { return c.options.Declares }

// Nodes returns the nodes.
func (c *Cluster) Nodes() []target.Node {
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

// enter locks operations on a node until leave is called.
func (c *Cluster) enter(ctx context.Context, i int, action string) (n *node, leave func(), err error) {
	if i < 0 || i >= len(c.nodes) {
		return nil, nil, fmt.Errorf("%s node %d: there is no such node: the cluster has %d", action, i, len(c.nodes))
	}
	n = c.nodes[i]
	select {
	case n.changing <- struct{}{}:
		return n, func() { <-n.changing }, nil
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("%s node %s: wait for another operation: %w", action, n.view.Name, context.Cause(ctx))
	}
}

// failed is the error of an action; nil if there is none.
func (n *node) failed(action string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s node %s: %w", action, n.view.Name, err)
}

// Isolate disconnects the container from the cluster's network.
func (c *Cluster) Isolate(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "isolate")
	if err != nil {
		return err
	}
	defer leave()
	_, err = c.engine.NetworkDisconnect(ctx, c.network, client.NetworkDisconnectOptions{Container: n.container, Force: true})
	if err == nil {
		n.cut()
	}
	return n.failed("isolate", err)
}

// Rejoin connects the container with the cluster's network again.
func (c *Cluster) Rejoin(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "rejoin")
	if err != nil {
		return err
	}
	defer leave()
	_, err = c.engine.NetworkConnect(ctx, c.network, client.NetworkConnectOptions{Container: n.container, EndpointConfig: n.endpoint()})
	if err == nil {
		err = n.locate(ctx)
	}
	return n.failed("rejoin", err)
}

// stopLimit is how long the engine waits for a node that stops, in seconds, before it kills it.
const stopLimit = 60

// Stop asks the engine to stop the container.
func (c *Cluster) Stop(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "stop")
	if err != nil {
		return err
	}
	defer leave()
	if away := n.away(); away != "" {
		return n.failed("stop", fmt.Errorf("it is %s", away))
	}
	limit := stopLimit
	_, err = c.engine.ContainerStop(ctx, n.container, client.ContainerStopOptions{Timeout: &limit})
	if err != nil {
		_, killed := c.engine.ContainerKill(context.WithoutCancel(ctx), n.container, client.ContainerKillOptions{Signal: "SIGKILL"})
		return n.failed("stop", errors.Join(err, killed))
	}
	n.set(stopped)
	return nil
}

// Crash asks the engine to kill the container. It does nothing to one that does not run.
func (c *Cluster) Crash(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "crash")
	if err != nil {
		return err
	}
	defer leave()
	switch n.away() {
	case stopped, crashed:
		return nil
	}
	if _, err := c.engine.ContainerKill(ctx, n.container, client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
		return n.failed("crash", err)
	}
	if err := n.awaitEnd(ctx); err != nil {
		return n.failed("crash", err)
	}
	n.set(crashed)
	return nil
}

// Start starts the container again, and waits until the node answers.
func (c *Cluster) Start(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "start")
	if err != nil {
		return err
	}
	defer leave()
	if away := n.away(); away != stopped && away != crashed {
		return n.failed("start", errors.New("it is running"))
	}
	return n.failed("start", n.start(ctx))
}

// Pause asks the engine to pause the container.
func (c *Cluster) Pause(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "pause")
	if err != nil {
		return err
	}
	defer leave()
	switch away := n.away(); away {
	case "":
	case paused:
		return nil
	default:
		return n.failed("pause", fmt.Errorf("it is %s", away))
	}
	if _, err := c.engine.ContainerPause(ctx, n.container, client.ContainerPauseOptions{}); err != nil {
		return n.failed("pause", err)
	}
	n.set(paused)
	return nil
}

// Resume asks the engine to end the pause.
func (c *Cluster) Resume(ctx context.Context, i int) error {
	n, leave, err := c.enter(ctx, i, "resume")
	if err != nil {
		return err
	}
	defer leave()
	if n.away() != paused {
		return nil
	}
	if _, err := c.engine.ContainerUnpause(ctx, n.container, client.ContainerUnpauseOptions{}); err != nil {
		return n.failed("resume", err)
	}
	n.set("")
	return nil
}

// longestClose bounds how long Close waits for the engine.
const longestClose = time.Minute

// Close removes all containers and networks of the cluster. Further calls return the same error.
func (c *Cluster) Close() error {
	c.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), longestClose)
		defer cancel()
		var errs []error
		for _, closer := range c.closers {
			errs = append(errs, closer.Close())
		}
		c.closed = errors.Join(append(errs, c.remove(ctx), c.release())...)
	})
	return c.closed
}
