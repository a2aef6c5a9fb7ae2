package process

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/internal/launcher"
	"github.com/rejoin-db/rejoin/harness/network"
)

// loopback is the place of nodes that are processes of this system, with ports of 127.0.0.1. Their links are ruled in the
// processes: each node rules the connections that it dials, and this process those of the clients.
type loopback struct {
	*network.Network
	clientsHost *network.Host
	launcher    *launcher.Launcher
	root        string // the parent of the homes' directories
}

func newLoopback(root string) (place, error) {
	n := network.TCP()
	host, err := n.Host(clientsName)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &loopback{Network: n, clientsHost: host, launcher: launcher.New(), root: root}, nil
}

func (l *loopback) alone(link network.Link) bool {
	return link.From == clientsName || link.To == clientsName
}

func (l *loopback) clients() client.Dialer { return l.clientsHost }

func (l *loopback) homes(_ context.Context, names []string) (homes []home, err error) {
	for _, name := range names {
		made, err := l.home(name)
		if err != nil {
			for _, earlier := range homes {
				err = errors.Join(err, earlier.close())
			}
			return nil, err
		}
		homes = append(homes, made)
	}
	return homes, nil
}

func (l *loopback) home(name string) (home, error) {
	dir := filepath.Join(l.root, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	reservation, err := network.Reserve()
	if err != nil {
		return nil, err
	}
	if _, err := l.Remote(name, reservation.Addr()); err != nil {
		return nil, errors.Join(err, reservation.Close())
	}
	return &port{Reservation: reservation, place: l, name: name, path: dir}, nil
}

func (l *loopback) close() error {
	l.launcher.Close()
	return l.Close()
}

// port is a home: a reserved port, and a directory.
type port struct {
	*network.Reservation
	place *loopback
	name  string
	path  string
}

func (p *port) addr() string { return p.Addr() }
func (p *port) dir() string  { return p.path }

// refresh does nothing: the node has the same files.
func (p *port) refresh(context.Context) error { return nil }

func (p *port) disk() diskBelow { return nil }

func (p *port) close() error { return p.Close() }

func (p *port) start(_ context.Context, program program) (body, error) {
	cmd := &exec.Cmd{
		Path: program.path, Args: []string{"node"}, Env: program.environment,
		Stdin: program.stdin, Stdout: program.output, Stderr: program.output, ExtraFiles: []*os.File{program.ready},
		SysProcAttr: attributes(),
	}
	if err := p.place.launcher.Run(cmd.Start); err != nil {
		return nil, err
	}
	return &childProcess{cmd, p.name}, nil
}

// listen shares the port with the reservation.
func (p *port) listen(context.Context) (net.Listener, error) {
	own := network.TCP()
	host, err := own.Join(p.name, p.addr())
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	listener, err := host.Listen()
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return inPlace{listener, own}, nil
}

// inPlace is a listener with its own network.
type inPlace struct {
	net.Listener
	own *network.Network
}

// Close also closes accepted connections.
func (l inPlace) Close() error { return errors.Join(l.Listener.Close(), l.own.Close()) }
