package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
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
func New(options Options) *Target { return &Target{options} }

// Target boots clusters of embedded nodes. It is safe for concurrent use.
type Target struct{ options Options }

var _ target.Target = (*Target)(nil)

// clientHost is the place on the network where applications are.
const clientHost = "client"

// Boot starts size nodes, named n0, n1 and so on.
func (t *Target) Boot(_ context.Context, size int) (_ target.Cluster, err error) {
	if size < 1 {
		return nil, fmt.Errorf("a cluster of %d nodes cannot be: it needs at least 1", size)
	}
	if level := t.options.LogLevel; level != "" && hclog.LevelFromString(level) == hclog.NoLevel {
		return nil, fmt.Errorf("there is no log level %q: trace, debug, info, warn, error or off", level)
	}
	c := &cluster{network: network.TCP(), isolated: make([]bool, size)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boot %d nodes: %w", size, err), c.Close())
		}
	}()
	if c.dir, err = os.MkdirTemp(t.options.Dir, "rejoin-"); err != nil {
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
	// The first node stands for election as soon as it runs, so it comes last;
	// the others come all at once.
	c.nodes = make([]*node, size)
	errs := make([]error, size)
	var wg sync.WaitGroup
	for i, host := range hosts[1:] {
		wg.Go(func() { c.nodes[i+1], errs[i+1] = t.start(c.dir, host, clients, peers) })
	}
	wg.Wait()
	c.nodes[0], errs[0] = t.start(c.dir, hosts[0], clients, peers)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

func (t *Target) start(dir string, host, clients *network.Host, peers []embedded.Peer) (*node, error) {
	own := filepath.Join(dir, host.Name())
	if err := os.Mkdir(own, 0o700); err != nil {
		return nil, err
	}
	running, err := embedded.Start(embedded.Config{
		ID: host.Name(), Dir: own, Endpoint: host, Peers: peers,
		ElectionTimeout:   t.options.ElectionTimeout,
		SnapshotThreshold: t.options.SnapshotThreshold,
		SnapshotInterval:  t.options.SnapshotInterval,
		TrailingLogs:      t.options.TrailingLogs,
		WriteTimeout:      t.options.WriteTimeout,
		RequestTimeout:    t.options.RequestTimeout,
		MaxBody:           t.options.MaxBody,
		Token:             t.options.Token,
		Logger:            t.logger(host.Name()),
	})
	if err != nil {
		return nil, err
	}
	return newNode(running, host, clients, t.options.Token), nil
}

func (t *Target) logger(name string) hclog.Logger {
	if t.options.Log == nil {
		return nil
	}
	level := hclog.LevelFromString(t.options.LogLevel)
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	return hclog.New(&hclog.LoggerOptions{Name: name, Level: level, Output: t.options.Log})
}
