package local

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
	"github.com/rejoin-db/rejoin/harness/internal/inprocess"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are the settings of a cluster's nodes. See embedded.Config for their meaning and defaults. The zero value is
// valid.
type Options struct {
	ElectionTimeout   time.Duration
	SnapshotThreshold uint64
	SnapshotInterval  time.Duration
	TrailingLogs      int64
	WriteTimeout      time.Duration
	RequestTimeout    time.Duration
	MaxBody           int64
	Token             string
	// Machine are the limits on statements; see machine.Options.
	Machine machine.Options

	// Seams are decorators between the parts of a node; see embedded.Seams.
	Seams func(embedded.Life) embedded.Seams

	// Dir is the parent of each cluster's temporary directory; default os.TempDir.
	Dir string
	// Log receives the nodes' log, one event per line; nil for no log. LogLevel is the minimum level: trace, debug,
	// info, warn, error or off; default warn.
	Log      io.Writer
	LogLevel string
}

// New returns the target. Every cluster that it boots has its own directory, ports and network.
func New(options Options) *Target { return &Target{options} }

// Target boots clusters of embedded nodes. It is safe for concurrent use.
type Target struct{ options Options }

var _ target.Target = (*Target)(nil)

// Seamed returns the same target with these seams, in place of Options.Seams.
func (t *Target) Seamed(seams func(embedded.Life) embedded.Seams) target.Target {
	options := t.options
	options.Seams = seams
	return &Target{options}
}

// ErrInBubble is returned by Boot in a bubble of testing/synctest.
var ErrInBubble = inbubble.ErrInside

// Boot starts size nodes, named n0, n1 and so on. It returns when all of them run. In a bubble of
// testing/synctest the error is ErrInBubble.
func (t *Target) Boot(_ context.Context, size int) (target.Cluster, error) {
	if inbubble.Own() != 0 {
		return nil, ErrInBubble
	}
	if level := t.options.LogLevel; level != "" && hclog.LevelFromString(level) == hclog.NoLevel {
		return nil, fmt.Errorf("unknown log level %q: must be trace, debug, info, warn, error or off", level)
	}
	c, err := inprocess.Boot(inprocess.Plan{Name: "local", Size: size, Network: network.TCP(), Dir: t.options.Dir, Node: t.options.Node})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Node returns the configuration of a node, as far as the options determine it.
func (o Options) Node(name string) embedded.Config {
	return embedded.Config{
		ElectionTimeout:   o.ElectionTimeout,
		SnapshotThreshold: o.SnapshotThreshold,
		SnapshotInterval:  o.SnapshotInterval,
		TrailingLogs:      o.TrailingLogs,
		WriteTimeout:      o.WriteTimeout,
		RequestTimeout:    o.RequestTimeout,
		MaxBody:           o.MaxBody,
		Token:             o.Token,
		Seams:             o.Seams,
		Machine:           o.Machine,
		Logger:            o.logger(name),
	}
}

func (o Options) logger(name string) hclog.Logger {
	if o.Log == nil {
		return nil
	}
	level := hclog.LevelFromString(o.LogLevel)
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	return hclog.New(&hclog.LoggerOptions{Name: name, Level: level, Output: o.Log})
}
