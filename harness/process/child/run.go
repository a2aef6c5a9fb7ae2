package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrOrphaned is the error of a node whose parent process has ended.
var ErrOrphaned = errors.New("the parent process has ended")

// patience is how long a node that was asked to leave waits for requests in progress and for a successor. On a busy machine, a
// successor may take some seconds, and a client needs a few more to read its answer.
const patience = 10 * time.Second

// Run runs a node. It reads its Config from in, writes to ready when it serves, and logs to log. It closes ready. Run
// blocks until ctx ends and the node has left gracefully, which is no error; until in ends, when the node ends
// immediately with ErrOrphaned; or until the start fails. A goroutine that reads from in runs until in ends.
func Run(ctx context.Context, in io.Reader, ready io.WriteCloser, log io.Writer) (err error) {
	defer func() { err = errors.Join(err, ready.Close()) }()
	config, err := readConfig(in)
	if err != nil {
		return err
	}
	orphaned := watch(in)
	w, err := newHost(config)
	if err != nil {
		return fmt.Errorf("start node %s: %w", config.ID, err)
	}
	defer func() { err = errors.Join(err, w.network.Close()) }()
	node, err := embedded.Start(w.nodeConfig(config, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	control, err := serveControl(config.Control, node, w)
	if err != nil {
		return fmt.Errorf("start node %s: %w", config.ID, err)
	}
	defer func() { err = errors.Join(err, control.close()) }()
	if err := announce(ready); err != nil {
		return fmt.Errorf("start node %s: write that it serves: %w", config.ID, err)
	}
	select {
	case <-ctx.Done():
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return node.Stop(leaving)
	case <-orphaned:
		return ErrOrphaned
	}
}

// watch returns a channel that is closed when in ends.
func watch(in io.Reader) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, in) // an error counts as the end
	}()
	return ended
}

// host is the environment of a node, in which faults are injected.
type host struct {
	self    string
	network *network.Network
	host    *network.Host
	disk    *disk.Disk
	ahead   atomic.Int64 // nanoseconds
}

func newHost(config Config) (_ *host, err error) {
	w := &host{self: config.ID, network: network.TCP(), disk: disk.Files(config.Dir)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.network.Close())
		}
	}()
	if w.host, err = w.network.Join(config.ID, config.Address); err != nil {
		return nil, err
	}
	if err := w.follow(config.Orders); err != nil {
		return nil, err
	}
	return w, nil
}

// follow follows orders, and joins the errors of those that failed.
func (w *host) follow(orders Orders) error {
	var errs []error
	for _, host := range orders.Hosts {
		_, err := w.network.Remote(host.Name, host.Address)
		errs = append(errs, err)
	}
	for _, link := range orders.Links {
		errs = append(errs, w.network.SetRule(link.From, link.To, link.Rule))
	}
	for _, link := range orders.Resets {
		errs = append(errs, w.network.ResetLink(link.From, link.To))
	}
	if orders.Disk != nil {
		w.disk.Set(*orders.Disk)
	}
	if orders.Ahead != nil {
		w.ahead.Store(int64(*orders.Ahead))
	}
	return errors.Join(errs...)
}

func (w *host) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *host) nodeConfig(c Config, log io.Writer) embedded.Config {
	level := hclog.LevelFromString(c.LogLevel)
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	config := embedded.Config{
		ID:                c.ID,
		Dir:               c.Dir,
		Endpoint:          w.host,
		ElectionTimeout:   c.ElectionTimeout,
		SnapshotThreshold: c.SnapshotThreshold,
		SnapshotInterval:  c.SnapshotInterval,
		TrailingLogs:      c.TrailingLogs,
		WriteTimeout:      c.WriteTimeout,
		RequestTimeout:    c.RequestTimeout,
		ReadTimeout:       c.ReadTimeout,
		MaxBody:           c.MaxBody,
		Machine:           c.Limits.options(c.Skip),
		Token:             c.Token,
		Now:               w.now,
		Logger:            hclog.New(&hclog.LoggerOptions{Name: c.ID, Level: level, Output: log}),
	}
	for _, host := range c.First {
		config.Peers = append(config.Peers, embedded.Peer{ID: host.Name, Address: host.Address})
	}
	config.Disk = w.disk
	return config
}

func (w *host) stats(from, to string) (fault.LinkStats, error) { return w.network.Stats(from, to) }

func (w *host) link(from, to string) (state target.LinkState, err error) {
	if state.Rule, err = w.network.Rule(from, to); err != nil {
		return state, err
	}
	state.Reset, err = w.network.Armed(from, to)
	return state, err
}

func (w *host) surroundings() Surroundings {
	return Surroundings{Disk: w.disk.Faults(), Ahead: time.Until(w.now()).Round(time.Second)}
}
