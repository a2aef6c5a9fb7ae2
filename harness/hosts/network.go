package hosts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/fabric"
	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
	"github.com/rejoin-db/rejoin/harness/internal/launcher"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// Options are the settings of a network. The zero Options are valid.
type Options struct {
	// Dir is the parent of the network's own directory. "" is os.TempDir.
	Dir string

	packets bool // veth pairs and packet sockets, also where TUN devices are possible
}

// Network is a set of hosts, and the links between them. Its methods are safe for concurrent use.
type Network struct {
	options  Options
	dir      *rundir.Dir
	fabric   *fabric.Fabric
	launcher *launcher.Launcher
	work     sync.WaitGroup // copies of programs' output

	mu     sync.Mutex
	making sync.WaitGroup
	closed bool
	hosts  []*Host
	ended  error // of the first Close
	done   chan struct{}
}

// New returns a network without hosts.
func New(o Options) (*Network, error) {
	if inbubble.Own() != 0 {
		return nil, inbubble.ErrInside
	}
	if err := system(); err != nil {
		return nil, err
	}
	dir, err := rundir.New(o.Dir, "hosts-")
	if err != nil {
		return nil, fmt.Errorf("make the directory of a network: %w", err)
	}
	n := &Network{options: o, dir: dir, fabric: fabric.New(rand.Uint64()), launcher: launcher.New(), done: make(chan struct{})}
	if err := n.prepare(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// prepare writes the file of names, without a host, and lets programs of all users reach the folders of their hosts.
func (n *Network) prepare() error {
	if err := os.WriteFile(n.names(), []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644); err != nil {
		return fmt.Errorf("write the names of hosts: %w", err)
	}
	return os.Chmod(n.dir.Path(), 0o711)
}

// names is the file that is /etc/hosts on every host.
func (n *Network) names() string { return filepath.Join(n.dir.Path(), "etc-hosts") }

// valid is a name that /etc/hosts and the kernel take (RFC 1123, section 2.1).
var valid = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// Host makes a host. Names have letters, digits and '-', and are unique. Other hosts, also those that exist already, resolve
// the name from then on.
func (n *Network) Host(ctx context.Context, name string) (*Host, error) {
	made, err := n.Hosts(ctx, name)
	if err != nil {
		return nil, err
	}
	return made[0], nil
}

// Hosts makes several hosts at once, as Host makes one. Their addresses are in the order of their names. If it returns an error,
// the others that it has made stay until Close.
func (n *Network) Hosts(ctx context.Context, names ...string) ([]*Host, error) {
	made, failed := make([]*Host, len(names)), make([]error, len(names))
	var booting sync.WaitGroup
	for i, name := range names {
		if made[i], failed[i] = n.add(name); failed[i] != nil {
			break
		}
		booting.Go(func() {
			defer n.making.Done()
			if err := made[i].boot(ctx); err != nil {
				failed[i] = fmt.Errorf("make host %s: %w", name, errors.Join(err, made[i].close()))
			}
		})
	}
	booting.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return made, nil
}

// add adds a host that is to be booted. The caller must then call n.making.Done.
func (n *Network) add(name string) (*Host, error) {
	if !valid.MatchString(name) || name == "localhost" {
		return nil, fmt.Errorf("make host %q: a name has 1 to 63 letters, digits and '-', does not begin or end with '-', "+
			"and is not localhost", name)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("make host %s: %w", name, errClosed)
	}
	port, err := n.fabric.Add(name)
	if err != nil {
		return nil, fmt.Errorf("make host %s: %w", name, err)
	}
	h := &Host{network: n, name: name, port: port, dir: filepath.Join(n.dir.Path(), name)}
	h.disk.dir, h.clock.file = h.dir, h.dir+".clock"
	n.hosts = append(n.hosts, h)
	n.making.Add(1)
	return h, nil
}

// publish makes the name of a host resolve on all hosts.
func (n *Network) publish(h *Host) error {
	f, err := os.OpenFile(n.names(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", h.Addr(), h.name)
	return errors.Join(err, f.Close())
}

// SetRule sets the rule of the link from one host to another, also for existing connections; the opposite link does not
// change. The rule is in effect when SetRule returns: nothing that is sent from then on arrives against it. It cancels a
// pending ResetLink.
//
// Packets on their way arrive as scheduled under the old rule, or as if they were sent under the new rule now, whichever is
// earlier. When a link begins to pass packets again, the last packet of each flow that it has dropped arrives late.
// SetRule returns an error for an invalid rule, an unknown host, and a link of a host to itself, which is never impaired.
func (n *Network) SetRule(from, to string, r fault.Rule) error { return n.fabric.SetRule(from, to, r) }

// Rule returns the rule of the link from one host to another. It returns an error for an unknown host.
func (n *Network) Rule(from, to string) (fault.Rule, error) { return n.fabric.Rule(from, to) }

// ResetLink cuts the next TCP segment with content on the link in half, rounded down, and resets its connection at both ends.
// It waits for a segment while the link is up, until SetRule cancels it.
func (n *Network) ResetLink(from, to string) error { return n.fabric.ResetLink(from, to) }

// Armed returns whether ResetLink waits for a segment on the link from one host to another.
func (n *Network) Armed(from, to string) (bool, error) { return n.fabric.Armed(from, to) }

// Stats returns the counters of the link from one host to another. Messages are packets, and Bytes are theirs with their
// headers.
func (n *Network) Stats(from, to string) (fault.LinkStats, error) { return n.fabric.Stats(from, to) }

// errClosed is the error of a network after Close.
var errClosed = errors.New("the network is closed")

// Close kills every process on every host, removes the hosts, the links and the network's directory, and blocks until nothing
// is left. A second Close also waits, and returns the same.
func (n *Network) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		<-n.done
		return n.ended
	}
	n.closed = true
	n.mu.Unlock()
	n.making.Wait()

	failed := make([]error, len(n.hosts))
	var closing sync.WaitGroup
	for i, h := range n.hosts {
		closing.Go(func() { failed[i] = h.close() })
	}
	closing.Wait()
	failed = append(failed, n.fabric.Close())
	n.work.Wait()
	n.launcher.Close()
	n.ended = errors.Join(append(failed, n.dir.Remove())...)
	close(n.done)
	return n.ended
}
