package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is a node as the functions of an adapter reach it, from one of two places: from the host of the clients, or from its
// own. It is safe for concurrent use.
type Node struct {
	// Dial connects from that place. The address is a host:port, where the host may be a node's name.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// HTTP is a client whose connections are made by Dial. It has no timeout of its own. Its error wraps an *Error of
	// package target with the outcome NotApplied if a request had no connection to be sent on.
	HTTP *http.Client

	node    *node
	address string
}

// View is the node as templates see it now.
func (n *Node) View() View { return n.node.view() }

// Name is the node's name: n0, n1, …
func (n *Node) Name() string { return n.node.id }

// Host is the node's address without a port.
func (n *Node) Host() string { return n.node.peer.Host }

// Dir is the node's folder.
func (n *Node) Dir() string { return n.node.host.Dir() }

// Address is where the node serves its clients: Database.Address, filled in.
func (n *Node) Address() string { return n.address }

// Inside is the SQL of the node from its own host, for functions that ask the database.
func (n *Node) Inside() target.SQL { return n.node.inside }

// Output runs a program on the node's host to its end, and returns what it wrote. An exit code other than 0 is an error
// that contains the output.
func (n *Node) Output(ctx context.Context, path string, args ...string) (string, error) {
	return n.node.output(ctx, hosts.Command{Path: path, Args: args})
}

// node is one node of a cluster.
type node struct {
	cluster *cluster
	id      string
	peer    Peer
	host    *hosts.Host
	address string

	changing       ctxmutex.Mutex // held while the node is started or ended
	places         []*Node        // of clients, and inside
	client, inside target.SQL

	// Guarded by cluster.mu.
	life      *life // nil before the first start
	reason    string
	paused    bool
	removed   bool
	prepared  bool   // its disk is not empty
	kept      string // the folder with its disk of an earlier cluster, until its first start
	forming   bool
	bootstrap bool
	joining   bool
	learner   bool
	version   string
	ahead     time.Duration // its clock
}

func (n *node) ID() string         { return n.id }
func (n *node) Client() target.SQL { return n.client }
func (n *node) Inside() target.SQL { return n.inside }

func nameOf(index int) string { return fmt.Sprintf("n%d", index) }

// newNode makes a node with its host, and the ways to reach it.
func (c *cluster) newNode(ctx context.Context, index int) (*node, error) {
	id := nameOf(index)
	host, err := c.network.Host(ctx, id)
	if err != nil {
		return nil, err
	}
	n := &node{
		cluster: c, id: id, host: host, changing: ctxmutex.New(),
		peer: Peer{Name: id, Host: host.Addr().String(), Index: index}, reason: "not started yet",
	}
	if v := c.database.Versions; len(v) > 0 {
		n.version = v[len(v)-1].Name
	}
	if n.address, err = fill(c.database.Address, n.view()); err != nil {
		return nil, err
	}
	if _, _, err := net.SplitHostPort(n.address); err != nil {
		return nil, fmt.Errorf("the address of node %s is %q, which is no host:port: %w", id, n.address, err)
	}
	n.places = []*Node{n.place(c.clients.DialContext), n.place(host.DialContext)}
	for i, sql := range []*target.SQL{&n.client, &n.inside} {
		*sql, err = c.database.SQL(n.places[i])
		if err == nil && *sql == nil {
			err = errors.New("there is none")
		}
		if err != nil {
			return nil, fmt.Errorf("make the SQL of node %s: %w", id, err)
		}
	}
	return n, nil
}

func (n *node) place(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Node {
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8}
	return &Node{Dial: dial, HTTP: &http.Client{Transport: unsent{transport}}, node: n, address: n.address}
}

// own is the node as reached from its own host.
func (n *node) own() *Node { return n.places[1] }

// close closes the ways to reach the node, when nothing of it runs any longer.
func (n *node) close() error {
	var errs []error
	for _, sql := range []target.SQL{n.client, n.inside} {
		if closer, closes := sql.(io.Closer); closes {
			if err := closer.Close(); !errors.Is(err, net.ErrClosed) { // its connections have ended with the hosts
				errs = append(errs, err)
			}
		}
	}
	n.forgetConnections()
	return errors.Join(errs...)
}

// forgetConnections ends the idle HTTP connections to the node. Those to a program that has ended would fail the first requests to
// the next one.
func (n *node) forgetConnections() {
	for _, place := range n.places {
		place.HTTP.CloseIdleConnections()
	}
}

// output runs a program on the host to its end.
func (n *node) output(ctx context.Context, command hosts.Command) (string, error) {
	var out bytes.Buffer
	command.Output = &out
	if command.Env != nil {
		command.Env = append(os.Environ(), command.Env...)
	}
	failed := func(err error) (string, error) {
		return "", fmt.Errorf("node %s: run %s: %w", n.id, command.Path, err)
	}
	process, err := n.host.Start(ctx, command)
	if err != nil {
		return failed(err)
	}
	exit, err := process.Wait(ctx)
	if err != nil {
		err = errors.Join(err, process.Signal(os.Kill))
		<-process.Done()
		return failed(err)
	}
	if exit.Code != 0 {
		return failed(fmt.Errorf("%v: %s", exit, strings.TrimSpace(lastBytes(out.String(), 2000))))
	}
	return out.String(), nil
}

func lastBytes(s string, most int) string { return s[max(0, len(s)-most):] }

// statusMost is how long a node may take to answer a question for its status.
const statusMost = 5 * time.Second

// Status is the node's own view, or why it has none. It blocks until the node answers, for 5 seconds at most.
func (n *node) Status(ctx context.Context) (target.Status, error) {
	c := n.cluster
	c.mu.Lock()
	status := target.Status{ID: n.id, Address: n.address, State: target.Offline, LastContact: -1}
	life := n.life
	switch {
	case n.paused:
		status.Reason = "paused"
	case life == nil || n.reason != "":
		status.Reason = n.reason
	case life.ended():
		status.Reason = life.why()
	}
	c.mu.Unlock()
	if status.Reason != "" {
		return status, nil
	}
	ctx, cancel := c.life.Bound(ctx)
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, statusMost)
	defer stop()
	said, err := c.database.Status(ctx, n.own())
	if err != nil {
		return status, fmt.Errorf("node %s: ask for its status: %w", n.id, err)
	}
	said.ID, said.Address = status.ID, status.Address
	if said.State == "" {
		said.State = target.Online
	}
	return said, nil
}
