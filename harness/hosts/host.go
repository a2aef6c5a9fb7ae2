package hosts

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/agent"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/device"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/fabric"
)

// Host is a machine for programs: an address, a name, processes, and a folder that is its disk. Its methods are safe for
// concurrent use. Those with a context block until the host has done it, or until the context ends.
type Host struct {
	network *Network
	name    string
	dir     string
	port    *fabric.Port
	sockets sockets
	disk    disk
	clock   clock

	power   sync.Mutex // held while the host loses its power or gets it back
	mu      sync.Mutex
	closed  bool
	agent   *agent.Agent
	unused  device.Device // of a host without power; Start connects it
	missing []string
}

// Name returns the host's name, which is its host name too.
func (h *Host) Name() string { return h.name }

// Addr returns the host's address. It is constant for the life of the network.
func (h *Host) Addr() netip.Addr { return h.port.Addr() }

// Dir returns the folder that is the host's disk. It has the same path on the host and in this process.
func (h *Host) Dir() string { return h.dir }

// Missing returns sentences about what the system did not allow on this host. Programs run without it.
func (h *Host) Missing() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	missing := slices.Clone(h.missing)
	if err := h.disk.missing(); err != nil {
		missing = append(missing, err.Error())
	}
	return missing
}

// boot makes the host for the first time.
func (h *Host) boot(ctx context.Context) error {
	if err := os.Mkdir(h.dir, 0o755); err != nil {
		return err
	}
	if err := h.network.publish(h); err != nil {
		return fmt.Errorf("publish its name: %w", err)
	}
	a, d, err := h.makeAgent(ctx)
	if err != nil {
		return err
	}
	if !h.adopt(a) {
		return errors.Join(errClosed, a.Close(), d.Close())
	}
	return h.port.Connect(d)
}

func (h *Host) makeAgent(ctx context.Context) (*agent.Agent, device.Device, error) {
	spec := agent.Spec{
		Name: h.name, Addr: netip.PrefixFrom(h.Addr(), fabric.Network.Bits()), Hosts: h.network.names(),
		Packet: h.network.options.packets,
	}
	a, made, fd, err := agent.New(ctx, h.network.launcher.Run, spec)
	if err != nil {
		return nil, nil, explain(err)
	}
	h.mu.Lock()
	h.missing = made.Missing
	h.mu.Unlock()
	d := device.Open(fd, device.Kind(made.Kind))
	if err := h.disk.boot(ctx, a); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("mount its disk: %w", err), a.Close(), d.Close())
	}
	return a, d, nil
}

// adopt makes an agent the host's own, unless the host was closed meanwhile.
func (h *Host) adopt(a *agent.Agent) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.agent = a
	return true
}

// current returns the host's agent.
func (h *Host) current() (*agent.Agent, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.agent == nil {
		return nil, errClosed
	}
	return h.agent, nil
}

// do runs a method of the agent, and says in the error what failed.
func (h *Host) do(action string, f func(*agent.Agent) error) error {
	a, err := h.current()
	if err == nil {
		err = f(a)
	}
	if err != nil {
		return fmt.Errorf("%s host %s: %w", action, h.name, err)
	}
	return nil
}

// Freeze stops every process on the host, and returns when all of their threads have stopped. The host's kernel still
// acknowledges what arrives. Programs cannot be started until Thaw or Kill.
func (h *Host) Freeze(ctx context.Context) error {
	return h.do("freeze", func(a *agent.Agent) error { return a.Freeze(ctx) })
}

// Thaw lets every process on the host go on.
func (h *Host) Thaw(ctx context.Context) error {
	return h.do("thaw", func(a *agent.Agent) error { return a.Thaw(ctx) })
}

// Kill kills every process on the host at once, and returns when none is left. The host's kernel closes their connections. The
// disk loses nothing, unless it has torn a sync.
func (h *Host) Kill(ctx context.Context) error {
	return h.do("kill every process on", func(a *agent.Agent) error {
		return h.disk.kill(ctx, a, func() error { return h.killed(a.Kill(ctx)) })
	})
}

// Processes returns the names of the programs that run on the host. It waits for a Kill that is in progress. A closed host has
// none.
func (h *Host) Processes(ctx context.Context) (names []string, err error) {
	a, err := h.current()
	if err != nil {
		return nil, nil //nolint:nilerr // nothing runs there
	}
	if names, err = a.Processes(ctx); err != nil && !errors.Is(err, agent.ErrGone) {
		return nil, fmt.Errorf("list the processes of host %s: %w", h.name, err)
	}
	return names, nil
}

// Crash kills every process on the host at once, as Kill does, and its disk loses what was not synced, as in CutPower. The host
// answers at once, as a machine that restarts in no time: its kernel refuses connections. Without FUSE it is Kill.
func (h *Host) Crash(ctx context.Context) error {
	return h.do("crash", func(a *agent.Agent) error {
		return h.disk.crash(ctx, a, func() error { return h.killed(a.Kill(ctx)) })
	})
}

// killed notes that no process is left, unless err is not nil.
func (h *Host) killed(err error) error {
	if err == nil {
		h.clock.killed()
	}
	return err
}

// CutPower ends everything on the host at once: nothing leaves it any more, not even the end of a connection. Until the next
// Start the host is silent, and its disk has lost what was not synced. Then it is as a machine that was switched on: it knows no
// connection. Sockets that this process opened on the host are closed.
func (h *Host) CutPower(ctx context.Context) error {
	if err := h.cutPower(ctx); err != nil {
		return fmt.Errorf("cut the power of host %s: %w", h.name, err)
	}
	return nil
}

func (h *Host) cutPower(ctx context.Context) error {
	h.power.Lock()
	defer h.power.Unlock()
	old, err := h.current()
	if err != nil {
		return err
	}
	if err := errors.Join(h.dark(old), h.disk.unmounted(ctx)); err != nil {
		return err
	}
	h.clock.killed()
	a, d, err := h.makeAgent(ctx)
	if err != nil {
		return err
	}
	if !h.adopt(a) {
		return errors.Join(errClosed, a.Close(), d.Close())
	}
	h.mu.Lock()
	h.unused = d
	h.mu.Unlock()
	return nil
}

// dark ends the host's packets, and then its processes.
func (h *Host) dark(old *agent.Agent) error {
	h.mu.Lock()
	unused := h.unused
	h.unused = nil
	h.mu.Unlock()
	err := h.port.Disconnect()
	h.sockets.end(false)
	if unused != nil {
		err = errors.Join(err, unused.Close())
	}
	return errors.Join(err, h.disk.cut(), old.Close())
}

// powerOn connects a host that had no power.
func (h *Host) powerOn() error {
	h.power.Lock()
	defer h.power.Unlock()
	h.mu.Lock()
	d := h.unused
	h.unused = nil
	h.mu.Unlock()
	if d == nil {
		return nil
	}
	return h.port.Connect(d)
}

// close ends the host.
func (h *Host) close() error {
	h.mu.Lock()
	h.closed = true
	a := h.agent
	h.agent = nil
	h.mu.Unlock()
	h.power.Lock()
	defer h.power.Unlock()
	h.sockets.end(true)
	if a == nil {
		return h.disk.close()
	}
	return errors.Join(h.dark(a), h.disk.close())
}
