package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Why a node does not run.
const (
	stopped = "stopped"
	crashed = "crashed"
	paused  = "paused"
)

// node is one container.
type node struct {
	cluster   *Cluster
	view      View
	container string // ID
	own       string // ID of its own network
	client    target.SQL
	inside    target.SQL
	asked     *Node         // for Status
	changing  chan struct{} // held during operations

	mu      sync.Mutex
	state   string            // why it does not run; "" if it should
	address netip.Addr        // on the cluster's network; invalid while it is isolated
	within  netip.Addr        // on its own network
	conns   map[net.Conn]bool // of clients
}

var _ target.Node = (*node)(nil)

func (n *node) ID() string         { return n.view.Name }
func (n *node) Client() target.SQL { return n.client }
func (n *node) Inside() target.SQL { return n.inside }

func (n *node) away() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

func (n *node) set(state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = state
}

// longestAnswer bounds how long a node may take to tell its status.
const longestAnswer = 5 * time.Second

// Status asks the node on its own network. A node that does not run is not asked.
func (n *node) Status(ctx context.Context) (target.Status, error) {
	if away := n.away(); away != "" {
		return target.Status{ID: n.ID(), Address: n.asked.Address(), State: target.Offline, LastContact: -1, Reason: away}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, longestAnswer)
	defer cancel()
	status := target.Status{State: target.Online}
	var err error
	if n.cluster.options.Status != nil {
		status, err = n.cluster.options.Status(ctx, n.asked)
	} else {
		err = answers(ctx, n.inside)
	}
	status.ID, status.Address = n.ID(), n.asked.Address()
	return status, n.failed("ask", err)
}

func answers(ctx context.Context, sql target.SQL) error {
	rows, err := sql.Query(ctx, target.Request{SQL: "SELECT 1", Consistency: target.Local})
	if err != nil {
		return err
	}
	for rows.NextResult() {
	}
	return errors.Join(rows.Err(), rows.Close())
}

// dial connects over the cluster's network, as clients do.
func (n *node) dial(ctx context.Context, kind, _ string) (net.Conn, error) {
	n.mu.Lock()
	address := n.address
	n.mu.Unlock()
	if !address.IsValid() {
		return nil, fmt.Errorf("node %s is not on the network of its clients", n.ID())
	}
	connection, err := n.dialAt(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.address != address { // it was cut off meanwhile
		return nil, errors.Join(fmt.Errorf("node %s has left the network of its clients", n.ID()), connection.Close())
	}
	tracked := &tracked{connection, n}
	n.conns[tracked] = true
	return tracked, nil
}

// dialInside connects over the node's own network.
func (n *node) dialInside(ctx context.Context, kind, _ string) (net.Conn, error) {
	n.mu.Lock()
	address := n.within
	n.mu.Unlock()
	return n.dialAt(ctx, kind, address)
}

func (n *node) dialAt(ctx context.Context, kind string, address netip.Addr) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, kind, netip.AddrPortFrom(address, uint16(n.view.Port)).String())
}

// tracked is a connection of a client.
type tracked struct {
	net.Conn
	node *node
}

func (t *tracked) Close() error {
	t.node.mu.Lock()
	delete(t.node.conns, t)
	t.node.mu.Unlock()
	return t.Conn.Close()
}

// cut ends all connections of clients, and refuses new ones.
func (n *node) cut() {
	n.mu.Lock()
	n.address = netip.Addr{}
	var open []net.Conn
	for connection := range n.conns {
		open = append(open, connection)
	}
	n.mu.Unlock()
	for _, connection := range open {
		_ = connection.Close() // the other side is gone
	}
}

// locate finds out which addresses the node has now.
func (n *node) locate(ctx context.Context) error {
	inspected, err := n.cluster.engine.ContainerInspect(ctx, n.container, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.address = netip.Addr{}
	for _, endpoint := range inspected.Container.NetworkSettings.Networks {
		switch endpoint.NetworkID {
		case n.cluster.network:
			n.address = endpoint.IPAddress
		case n.own:
			n.within = endpoint.IPAddress
		}
	}
	return nil
}

// endpoint is how the node is on the cluster's network.
func (n *node) endpoint() *network.EndpointSettings {
	return &network.EndpointSettings{Aliases: []string{n.view.Name}}
}

// start starts the container, and waits until the node answers.
func (n *node) start(ctx context.Context) error {
	if _, err := n.cluster.engine.ContainerStart(ctx, n.container, client.ContainerStartOptions{}); err != nil {
		return err
	}
	if err := n.locate(ctx); err != nil {
		return err
	}
	n.set("")
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	var seen error
	for {
		_, err := n.Status(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || seen == nil {
			seen = err
		}
		ended, err := n.ended(ctx)
		if ended {
			n.set(crashed)
			return fmt.Errorf("its container has ended%s", n.saying(ctx))
		}
		if err != nil {
			seen = errors.Join(seen, err)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w: %w%s", context.Cause(ctx), seen, n.saying(ctx))
		}
	}
}

func (n *node) ended(ctx context.Context) (bool, error) {
	inspected, err := n.cluster.engine.ContainerInspect(ctx, n.container, client.ContainerInspectOptions{})
	if err != nil {
		return false, err
	}
	return !inspected.Container.State.Running, nil
}

// awaitEnd blocks until the container does not run.
func (n *node) awaitEnd(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		if ended, err := n.ended(ctx); ended || err != nil {
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// shownLog is how many bytes of a node's log an error shows.
const shownLog = 2 << 10

func (n *node) saying(ctx context.Context) string {
	text, err := n.log(context.WithoutCancel(ctx), shownLog)
	if err != nil {
		return "; its log cannot be read: " + err.Error()
	}
	return "; its log ends:\n" + strings.TrimSpace(text)
}

// Log returns the end of what the node has written.
func (c *Cluster) Log(i int, most int) (string, error) {
	if i < 0 || i >= len(c.nodes) {
		return "", fmt.Errorf("read the log of node %d: there is no such node: the cluster has %d", i, len(c.nodes))
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestAnswer)
	defer cancel()
	text, err := c.nodes[i].log(ctx, most)
	return text, c.nodes[i].failed("read the log of", err)
}

func (n *node) log(ctx context.Context, most int) (text string, err error) {
	said, err := n.cluster.engine.ContainerLogs(ctx, n.container, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, said.Close()) }()
	all, err := io.ReadAll(said)
	return string(all[max(0, len(all)-most):]), err
}

// Dial connects as a client does.
func (c *Cluster) Dial(ctx context.Context, i int) (net.Conn, error) {
	if i < 0 || i >= len(c.nodes) {
		return nil, fmt.Errorf("dial node %d: there is no such node: the cluster has %d", i, len(c.nodes))
	}
	return c.nodes[i].dial(ctx, "tcp", "")
}

// Token returns "": the kit knows of none.
func (c *Cluster) Token() string { return "" }
