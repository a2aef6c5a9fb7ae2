package virtual

import (
	"context"
	"errors"
	"math/rand"
	"path/filepath"
	"time"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
	"github.com/rejoin-db/rejoin/harness/internal/inprocess"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are the settings of a target. The zero value is valid.
type Options struct {
	// Nodes are the settings of the nodes. Nodes.Dir is for the working copies of their databases, which are not durable
	// state; the default is a file system in memory, if there is one with enough room.
	Nodes local.Options
	// Latency is the minimum time of a message between two hosts, and Jitter the maximum random time added to it. If
	// both are 0, the defaults are 500µs and 1ms. Negative values mean none.
	Latency, Jitter time.Duration
	// Sync is the mean time that a disk takes for a sync, which varies from half to one and a half of it; default 150µs.
	// A negative value means none.
	Sync time.Duration
	// Apply is the maximum time from the commit of a batch of entries until it can be read, and Handover the maximum
	// time of a notification between two parts of a node. Each life of a node draws its pace, and each batch its time,
	// with a mean of at most a sixth of Apply. The defaults are 8ms and 200µs. Negative values mean none.
	Apply, Handover time.Duration
	// Seed is the seed of all random choices; Seeded replaces it.
	Seed uint64
}

// New returns the target. Its clusters must be booted in a bubble.
func New(options Options) *Target {
	o := &options
	if o.Latency == 0 && o.Jitter == 0 {
		o.Latency, o.Jitter = 500*time.Microsecond, time.Millisecond
	}
	o.Latency, o.Jitter = max(o.Latency, 0), max(o.Jitter, 0)
	if o.Sync == 0 {
		o.Sync = 150 * time.Microsecond
	}
	o.Sync = max(o.Sync, 0)
	if o.Apply == 0 {
		o.Apply = 8 * time.Millisecond
	}
	if o.Handover == 0 {
		o.Handover = 200 * time.Microsecond
	}
	o.Apply, o.Handover = max(o.Apply, 0), max(o.Handover, 0)
	if o.Nodes.Dir == "" {
		o.Nodes.Dir = memoryDir()
	}
	if o.Nodes.Log != nil {
		o.Nodes.Log = heldWriter{o.Nodes.Log}
	}
	return &Target{options}
}

// Target boots clusters of embedded nodes in virtual time, on a network and on disks in memory. It is safe for
// concurrent use.
type Target struct{ options Options }

var (
	_ target.Target = (*Target)(nil)
	_ target.Seeder = (*Target)(nil)
	_ target.Pacer  = (*Target)(nil)
)

// ErrNoBubble is the error of Boot outside of a bubble.
var ErrNoBubble = errors.New("a cluster in virtual time must be booted in a bubble: use virtual.Bubble() or synctest.Test")

// Seeded returns the same target with a different seed. Boot also seeds math/rand with it, from which Raft draws its
// timeouts; that has an effect only with GODEBUG=randseednop=0.
func (t *Target) Seeded(seed uint64) target.Target {
	options := t.options
	options.Seed = seed
	return &Target{options}
}

// Seamed returns the same target with these seams of its nodes, in place of those in Options.Nodes.
func (t *Target) Seamed(seams func(embedded.Life) embedded.Seams) target.Target {
	options := t.options
	options.Nodes.Seams = seams
	return &Target{options}
}

// AtPace returns the same target with this election timeout. It raises SnapshotInterval to at least the election
// timeout, and WriteTimeout to at least ten times as much.
func (t *Target) AtPace(election time.Duration) target.Target {
	options := t.options
	options.Nodes.ElectionTimeout = election
	options.Nodes.SnapshotInterval = max(options.Nodes.SnapshotInterval, election)
	options.Nodes.WriteTimeout = max(options.Nodes.WriteTimeout, 10*election)
	return &Target{options}
}

// Boot starts size nodes, named n0, n1 and so on. Outside of a bubble it returns ErrNoBubble.
func (t *Target) Boot(_ context.Context, size int) (target.Cluster, error) {
	if inbubble.Own() == 0 {
		return nil, ErrNoBubble
	}
	rand.Seed(int64(t.options.Seed)) //nolint:staticcheck // Raft draws from the global source
	net := network.Memory(t.options.Seed)
	if err := net.SetDelay(t.options.Latency, t.options.Jitter); err != nil {
		return nil, errors.Join(err, net.Close())
	}
	nodes := t.options.Nodes
	costs := costs{apply: t.options.Apply, handover: t.options.Handover, seed: t.options.Seed}
	said := &messages{}
	nodes.Seams = said.around(costs.around(nodes.Seams))
	booted, err := inprocess.Boot(inprocess.Plan{
		Name: "virtual", Size: size, Network: net, InTurn: true, Dir: nodes.Dir,
		Node: func(name string) embedded.Config {
			config := nodes.Node(name)
			config.Machine = costs.within(name, config.Machine)
			return config
		},
		Disk: func(dir string) *disk.Disk {
			varies := mix(t.options.Seed, nameKey(filepath.Base(dir)))
			return disk.Memory(disk.SyncTakes(t.options.Sync/2), disk.SyncVaries(t.options.Sync, varies))
		},
	})
	if err != nil {
		return nil, err
	}
	return &cluster{booted, said}, nil
}

// cluster is a cluster that supports Advance, and remembers messages.
type cluster struct {
	*inprocess.Cluster
	messages *messages
}

// Messages are the latest messages between nodes.
func (c *cluster) Messages() []target.Message { return c.messages.all() }

var (
	_ target.Clock        = (*cluster)(nil)
	_ target.Digester     = (*cluster)(nil)
	_ target.Deduplicator = (*cluster)(nil)
	_ target.Messenger    = (*cluster)(nil)
)

// Advance lets virtual time pass. It blocks until d has passed or the context ends.
func (c *cluster) Advance(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
