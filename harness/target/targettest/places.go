package targettest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofPlaces are the checks of where nodes are.
func ofPlaces() []Check {
	return []Check{
		{Name: "listens in place of a node", Nodes: 3, Needs: []target.Ability{target.Crash}, run: listensInPlace},
		{Name: "moves a node to another address, and back", Nodes: 3, Needs: []target.Ability{target.Addresses, target.Crash}, run: moves},
	}
}

// listensInPlace checks that clients of a node that does not run come to a listener in its place, and that the node can take its
// place again.
func listensInPlace(ctx context.Context, s *subject) error {
	listens, can := target.As[target.Listener](s.Cluster)
	if !can {
		return &Skipped{"the target cannot listen in place of a node"}
	}
	starter, _ := target.As[target.Starter](s.Cluster)
	i := s.ends(ctx)[0]
	if err := starter.Crash(ctx, i); err != nil {
		return wrong("Starter.Crash", "node %s cannot be crashed: %v", s.id(i), err)
	}
	listener, err := listens.Listen(i)
	if err != nil {
		return wrong("Listener.Listen", "the crashed node %s cannot be listened for: %v", s.id(i), err)
	}
	guests := newGuests(listener)
	acknowledged := false
	err = s.await(ctx, func(ctx context.Context) error {
		asking, cancel := context.WithTimeout(ctx, s.o.Silence)
		defer cancel()
		acknowledged = s.put(asking, s.client(i), s.key()) == nil
		if !acknowledged && guests.count() == 0 {
			return errors.New("no connection came to the listener")
		}
		return nil
	})
	closed := guests.close()
	if started := starter.Start(ctx, i); started != nil {
		return errors.Join(err, wrong("Listener.Listen", "node %s does not start after the listener in its place was closed: %v",
			s.id(i), started))
	}
	switch {
	case acknowledged:
		return wrong("Node.Client", "a write at node %s, which did not run, was acknowledged", s.id(i))
	case err != nil:
		return wrong("Listener.Listen", "a client does not come to the listener in place of node %s: %v", s.id(i), err)
	case closed != nil:
		return wrong("Listener.Listen", "the listener in place of node %s cannot be closed: %v", s.id(i), closed)
	}
	return s.level(ctx)
}

// guests are the connections that came to a listener. They are closed at once.
type guests struct {
	listener net.Listener
	done     sync.WaitGroup

	mu   sync.Mutex
	came int
}

func newGuests(listener net.Listener) *guests {
	g := &guests{listener: listener}
	g.done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			g.mu.Lock()
			g.came++
			g.mu.Unlock()
			_ = conn.Close() // its other end learns that nothing answers
		}
	})
	return g
}

func (g *guests) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.came
}

func (g *guests) close() error {
	err := g.listener.Close()
	g.done.Wait()
	return err
}

// moves gives a node another address, at which its clients must reach it, and then its old one, at which the other nodes do.
func moves(ctx context.Context, s *subject) error {
	changer, _ := target.As[target.AddressChanger](s.Cluster)
	starter, _ := target.As[target.Starter](s.Cluster)
	i := s.ends(ctx)[0]
	before, err := s.addresses(ctx)
	if err != nil {
		return err
	}
	key, err := s.written(ctx, i)
	if err == nil {
		err = s.shows(ctx, i, key)
	}
	if err != nil {
		return wrong("Node.Client", "node %s does not show its row: %v", s.id(i), err)
	}
	if links, can := target.As[target.LinkFaulter](s.Cluster); can {
		if err := links.SetLink(ctx, fault.Clients, i, fault.Rule{Action: fault.Drop}); err != nil {
			return wrong("LinkFaulter.SetLink", "the link of clients to node %s cannot be cut: %v", s.id(i), err)
		}
	}
	if err := starter.Crash(ctx, i); err != nil {
		return wrong("Starter.Crash", "node %s cannot be crashed: %v", s.id(i), err)
	}
	at, err := changer.Move(ctx, i, "")
	if err != nil {
		return wrong("AddressChanger.Move", "the crashed node %s gets no new address: %v", s.id(i), err)
	}
	for j, taken := range before {
		if at == "" || at == taken {
			return wrong("AddressChanger.Move", "the new address of node %s is %q, and node %s is or was there", s.id(i), at, s.id(j))
		}
	}
	if err := s.starts(ctx, starter, i, at, key); err != nil {
		return err
	}
	if err := starter.Crash(ctx, i); err != nil {
		return wrong("Starter.Crash", "node %s cannot be crashed: %v", s.id(i), err)
	}
	other := s.others(i)[0]
	if to, err := changer.Move(ctx, i, before[other]); err == nil {
		return wrong("AddressChanger.Move", "node %s was to move to %q, where node %s is, and that succeeded: it is at %q now",
			s.id(i), before[other], s.id(other), to)
	}
	home, err := changer.Move(ctx, i, before[i])
	if err != nil || home != before[i] {
		return wrong("AddressChanger.Move", "node %s was moved back to %q, and is at %q (error: %v)", s.id(i), before[i], home, err)
	}
	if err := s.starts(ctx, starter, i, home, key); err != nil {
		return err
	}
	return s.level(ctx)
}

// addresses are those of all nodes, by their status.
func (s *subject) addresses(ctx context.Context) ([]string, error) {
	var all []string
	for _, n := range s.Nodes() {
		status, err := n.Status(ctx)
		if err != nil || status.Address == "" {
			return nil, wrong("Status.Address", "node %s tells the address %q (error: %v)", n.ID(), status.Address, err)
		}
		all = append(all, status.Address)
	}
	return all, nil
}

// starts starts a node that was moved, and checks that its clients find it, with its row.
func (s *subject) starts(ctx context.Context, starter target.Starter, i int, at string, key int64) error {
	if err := starter.Start(ctx, i); err != nil {
		return wrong("AddressChanger.Move", "node %s does not start at its address %s: %v", s.id(i), at, err)
	}
	status, err := s.Nodes()[i].Status(ctx)
	if err != nil || status.Address != at {
		return wrong("AddressChanger.Move", "node %s was moved to %s, and its status tells %q (error: %v)", s.id(i), at, status.Address, err)
	}
	err = s.await(ctx, func(ctx context.Context) error {
		is, err := s.has(ctx, s.client(i), target.Local, key)
		if err == nil && !is {
			err = fmt.Errorf("it does not show row %d, which it had", key)
		}
		return err
	})
	if err != nil {
		return wrong("AddressChanger.Move", "a client does not reach node %s at its address %s, or a link is not sound: %v", s.id(i), at, err)
	}
	return nil
}
