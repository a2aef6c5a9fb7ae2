package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/network"
)

// nodesPort is the port of every node: each has an address of its own.
const nodesPort = 7000

// onHosts is the place of nodes on hosts, one host for each, and one for the clients. The switch between the hosts rules
// all links, and the hosts have the disks, so nodes are told of neither. Where the system has no FUSE, the nodes apply the faults
// of their disks themselves, as on loopback: the effect on a node is the same, and all specs can run.
type onHosts struct {
	*hosts.Network
	clientsHost *hosts.Host
}

func newOnHosts(ctx context.Context, dir string) (place, error) {
	n, err := hosts.New(hosts.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	host, err := n.Host(ctx, clientsName)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &onHosts{n, host}, nil
}

func (o *onHosts) alone(network.Link) bool { return true }

func (o *onHosts) clients() client.Dialer { return o.clientsHost }

func (o *onHosts) homes(ctx context.Context, names []string) (homes []home, err error) {
	made, err := o.Hosts(ctx, names...)
	if err != nil {
		return nil, err
	}
	for _, host := range made {
		err := host.SetDisk(ctx, fault.Disk{})
		plain := errors.Is(err, hosts.ErrNoDisk)
		if err != nil && !plain {
			return nil, err
		}
		homes = append(homes, hostHome{host, plain})
	}
	return homes, nil
}

func (o *onHosts) close() error { return o.Close() }

// hostHome is a home: a host.
type hostHome struct {
	host  *hosts.Host
	plain bool // its folder is an ordinary one
}

func (h hostHome) addr() string { return netip.AddrPortFrom(h.host.Addr(), nodesPort).String() }

func (h hostHome) dir() string { return h.host.Dir() }

// refresh does nothing where the host has a plain folder.
func (h hostHome) refresh(ctx context.Context) error {
	if err := h.host.RefreshDisk(ctx); !errors.Is(err, hosts.ErrNoDisk) {
		return err
	}
	return nil
}

func (h hostHome) disk() diskBelow {
	if h.plain {
		return nil
	}
	return h.host
}

func (h hostHome) start(ctx context.Context, p program) (body, error) {
	started, err := h.host.Start(ctx, hosts.Command{
		Path: p.path, Env: p.environment, Input: p.stdin, Files: []*os.File{p.ready}, Output: p.output,
	})
	if err != nil {
		return nil, err
	}
	return hostBody{h.host, started}, nil
}

func (h hostHome) listen(ctx context.Context) (net.Listener, error) {
	return h.host.Listen(ctx, nodesPort)
}

// close does nothing: a host is removed with its network.
func (h hostHome) close() error { return nil }

// hostBody is a body: all processes of a host. Its program is the only one that was started there.
type hostBody struct {
	host    *hosts.Host
	process *hosts.Process
}

func (b hostBody) pid() int { return b.process.Pid() }

func (b hostBody) terminate() error {
	if err := b.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (b hostBody) freeze(ctx context.Context) error { return b.host.Freeze(ctx) }
func (b hostBody) thaw(ctx context.Context) error   { return b.host.Thaw(ctx) }
func (b hostBody) kill(ctx context.Context) error   { return b.host.Kill(ctx) }

// crash is a kill, as on loopback: what the program has handed to the kernel stays. A disk that lies loses all that it has not
// stored.
func (b hostBody) crash(ctx context.Context) error {
	if b.host.Disk().Lying {
		return b.host.Crash(ctx)
	}
	return b.kill(ctx)
}

// wait counts as left what runs on the host when the program has ended. It ends with the next kill, and with the network.
func (b hostBody) wait() (exit, left error) {
	ended, err := b.process.Wait(context.Background())
	if err != nil {
		return fmt.Errorf("wait for its end: %w", err), nil
	}
	if ended != (hosts.Exit{}) {
		exit = errors.New(ended.String())
	}
	running, err := b.host.Processes(context.Background())
	switch {
	case err != nil:
		left = fmt.Errorf("look for processes left by node %s: %w", b.host.Name(), err)
	case len(running) > 0:
		left = fmt.Errorf("node %s has left processes behind: %s", b.host.Name(), strings.Join(running, ", "))
	}
	return exit, left
}
