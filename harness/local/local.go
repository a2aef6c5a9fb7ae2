package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are the settings of a cluster's nodes; see embedded.Config for what
// they mean and what 0 stands for. The zero value works.
type Options struct {
	ElectionTimeout   time.Duration
	SnapshotThreshold uint64
	SnapshotInterval  time.Duration
	TrailingLogs      int64
	WriteTimeout      time.Duration
	RequestTimeout    time.Duration
	MaxBody           int64
	Token             string

	// Dir is where each cluster makes its temporary directory; the system's
	// place for such if empty.
	Dir string
	// Log takes the nodes' log, a line an event, down to LogLevel (trace,
	// debug, info, warn, error, off; warn if empty); nil for none.
	Log      io.Writer
	LogLevel string
}

// New returns the target. Every cluster it boots has its own directory, ports
// and network.
func New(options Options) target.Target { return booter{options} }

type booter struct{ options Options }

// clientHost is the place on the network where applications are.
const clientHost = "client"

// Boot starts size nodes, named n0, n1 and so on.
func (b booter) Boot(_ context.Context, size int) (_ target.Cluster, err error) {
	if size < 1 {
		return nil, fmt.Errorf("a cluster of %d nodes cannot be: it needs at least 1", size)
	}
	c := &cluster{network: network.TCP(), isolated: make([]bool, size)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boot %d nodes: %w", size, err), c.Close())
		}
	}()
	if c.dir, err = os.MkdirTemp(b.options.Dir, "rejoin-"); err != nil {
		return nil, err
	}
	hosts, err := c.hosts(size)
	if err != nil {
		return nil, err
	}
	clients, err := c.network.Host(clientHost)
	if err != nil {
		return nil, err
	}
	peers := make([]embedded.Peer, size)
	for i, host := range hosts {
		peers[i] = embedded.Peer{ID: host.Name(), Address: host.Addr()}
	}
	// The first node stands for election as soon as it runs, so it comes last.
	c.nodes = make([]*node, size)
	for i := size - 1; i >= 0; i-- {
		if c.nodes[i], err = b.start(c.dir, hosts[i], clients, peers); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (b booter) start(dir string, host, clients *network.Host, peers []embedded.Peer) (*node, error) {
	own := filepath.Join(dir, host.Name())
	if err := os.Mkdir(own, 0o700); err != nil {
		return nil, err
	}
	running, err := embedded.Start(embedded.Config{
		ID: host.Name(), Dir: own, Endpoint: host, Peers: peers,
		ElectionTimeout:   b.options.ElectionTimeout,
		SnapshotThreshold: b.options.SnapshotThreshold,
		SnapshotInterval:  b.options.SnapshotInterval,
		TrailingLogs:      b.options.TrailingLogs,
		WriteTimeout:      b.options.WriteTimeout,
		RequestTimeout:    b.options.RequestTimeout,
		MaxBody:           b.options.MaxBody,
		Token:             b.options.Token,
		Logger:            b.logger(host.Name()),
	})
	if err != nil {
		return nil, err
	}
	return newNode(running, host, clients, b.options.Token), nil
}

func (b booter) logger(name string) hclog.Logger {
	if b.options.Log == nil {
		return nil
	}
	level := hclog.LevelFromString(b.options.LogLevel)
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	return hclog.New(&hclog.LoggerOptions{Name: name, Level: level, Output: b.options.Log})
}
