package targettest_test

import (
	"context"
	"errors"
	"net"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofPlaces are mistakes about where nodes are.
func ofPlaces() []mistake {
	const listens, moves = "listens in place of a node", "moves a node to another address, and back"
	return []mistake{
		{"that listens elsewhere", listens, "Listener.Listen", func(c target.Cluster) target.Cluster {
			return listening{c, func(int) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }}
		}},
		{"that never closes the listener", listens, "Listener.Listen", func(c target.Cluster) target.Cluster {
			l, _ := target.As[target.Listener](c)
			return listening{c, func(node int) (net.Listener, error) {
				listener, err := l.Listen(node)
				if err != nil {
					return nil, err
				}
				return &halfClosed{Listener: listener, closed: make(chan struct{})}, nil
			}}
		}},
		{"that moves no node", moves, "AddressChanger.Move", moving(
			func(ctx context.Context, c target.Cluster, _ target.AddressChanger, node int, _ string) (string, error) {
				status, err := c.Nodes()[node].Status(ctx)
				return status.Address, err
			})},
		{"that tells an address where the node is not", moves, "AddressChanger.Move", moving(
			func(ctx context.Context, _ target.Cluster, a target.AddressChanger, node int, to string) (string, error) {
				_, err := a.Move(ctx, node, to)
				return "127.0.0.1:1", err
			})},
		{"that moves a node to another address than it is told", moves, "AddressChanger.Move", moving(
			func(ctx context.Context, _ target.Cluster, a target.AddressChanger, node int, _ string) (string, error) {
				return a.Move(ctx, node, "")
			})},
		{"that keeps the fault of a link when a node moves", moves, "AddressChanger.Move", moving(
			func(ctx context.Context, c target.Cluster, a target.AddressChanger, node int, to string) (string, error) {
				at, err := a.Move(ctx, node, to)
				links, _ := target.As[target.LinkFaulter](c)
				return at, errors.Join(err, links.SetLink(ctx, fault.Clients, node, fault.Rule{Action: fault.Drop}))
			})},
	}
}

// listening is a cluster with another Listen.
type listening struct {
	target.Cluster
	listen func(node int) (net.Listener, error)
}

func (l listening) Unwrap() target.Cluster                { return l.Cluster }
func (l listening) Listen(node int) (net.Listener, error) { return l.listen(node) }

// halfClosed is a listener that accepts no more when it is closed, and keeps its address.
type halfClosed struct {
	net.Listener
	closed chan struct{}
}

func (h *halfClosed) Accept() (net.Conn, error) {
	came := make(chan net.Conn, 1)
	go func() { // ends with the cluster
		if conn, err := h.Listener.Accept(); err == nil {
			came <- conn
		}
	}()
	select {
	case conn := <-came:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *halfClosed) Close() error {
	close(h.closed)
	return nil
}

type move func(ctx context.Context, c target.Cluster, a target.AddressChanger, node int, to string) (string, error)

// moving makes a cluster with another Move.
func moving(move move) func(target.Cluster) target.Cluster {
	return func(c target.Cluster) target.Cluster {
		a, _ := target.As[target.AddressChanger](c)
		return mover{c, a, move}
	}
}

type mover struct {
	target.Cluster
	right target.AddressChanger
	move  move
}

func (m mover) Unwrap() target.Cluster { return m.Cluster }
func (m mover) Move(ctx context.Context, node int, to string) (string, error) {
	return m.move(ctx, m.Cluster, m.right, node, to)
}
