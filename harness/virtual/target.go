package virtual

import (
	"context"
	"errors"
	"math/rand"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/internal/inprocess"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are the settings of a target. The zero value works.
type Options struct {
	// Nodes are the settings of the nodes. Dir is for the working copies of their
	// databases, which nothing depends on; memory if empty, where the system has
	// a file system there.
	Nodes local.Options
	// Latency is how long a message travels from one host to another, and Jitter
	// the most that chance adds to it; half a millisecond and one if both are 0.
	// Negative is none.
	Latency, Jitter time.Duration
	// Sync is how long a disk takes to make safe what was written, in the mean: between
	// half of it and one and a half. 150µs if 0, none if negative.
	Sync time.Duration
	// Apply is the most that a batch of entries takes from when it is committed until it
	// can be read, and Handover the most that word of it takes from one part of the node
	// to the next. Each life of a node draws how slow it is, and each batch how long it
	// takes, of Apply a sixth or less in the mean. 8ms and 200µs if 0; none if negative.
	Apply, Handover time.Duration
	// Seed is where chance comes from, unless Seeded says another.
	Seed uint64
}

// New returns the target. Its clusters live in bubbles: Boot fails outside of one.
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
		o.Nodes.Log = aside{o.Nodes.Log}
	}
	return &Target{options}
}

// Target boots clusters of embedded nodes in virtual time: over a network and on
// disks in memory. It is safe for concurrent use.
type Target struct{ options Options }

var (
	_ target.Target = (*Target)(nil)
	_ target.Seeder = (*Target)(nil)
	_ target.Pacer  = (*Target)(nil)
)

// ErrNoBubble is returned by Boot outside of a bubble.
var ErrNoBubble = errors.New("a cluster in virtual time is booted in a bubble: under virtual.Bubble(), or in synctest.Test")

// Seeded is the same target with another seed. The seed also becomes that of
// math/rand, from which Raft draws its timeouts; it does so only where the
// process has GODEBUG=randseednop=0.
func (t *Target) Seeded(seed uint64) target.Target {
	options := t.options
	options.Seed = seed
	return &Target{options}
}

// Seamed is the same target with these seams of its nodes, in place of those in Options.Nodes.
func (t *Target) Seamed(seams func(embedded.Life) embedded.Seams) target.Target {
	options := t.options
	options.Nodes.Seams = seams
	return &Target{options}
}

// AtPace is the same target with nodes that wait so long for a leader. They look
// no more often whether a snapshot is due, and give up on a write no sooner than
// after ten times that.
func (t *Target) AtPace(election time.Duration) target.Target {
	options := t.options
	options.Nodes.ElectionTimeout = election
	options.Nodes.SnapshotInterval = max(options.Nodes.SnapshotInterval, election)
	options.Nodes.WriteTimeout = max(options.Nodes.WriteTimeout, 10*election)
	return &Target{options}
}

// Boot starts size nodes, named n0, n1 and so on.
func (t *Target) Boot(_ context.Context, size int) (target.Cluster, error) {
	if ownBubble() == 0 {
		return nil, ErrNoBubble
	}
	rand.Seed(int64(t.options.Seed)) //nolint:staticcheck // the only way to what Raft draws from
	net := network.Memory(t.options.Seed)
	if err := net.SetDelay(t.options.Latency, t.options.Jitter); err != nil {
		return nil, errors.Join(err, net.Close())
	}
	nodes := t.options.Nodes
	costs := costs{apply: t.options.Apply, handover: t.options.Handover, seed: t.options.Seed}
	nodes.Seams = costs.around(nodes.Seams)
	booted, err := inprocess.Boot(inprocess.Plan{
		Name: "virtual", Size: size, Network: net, InTurn: true, Dir: nodes.Dir,
		Node: func(name string) embedded.Config {
			config := nodes.Node(name)
			config.Machine = costs.within(name, config.Machine)
			return config
		},
		Disk: func(dir string) *disk.Disk {
			return disk.Memory(disk.SyncTakes(t.options.Sync/2), disk.SyncVaries(t.options.Sync, mix(t.options.Seed, nameKey(filepath.Base(dir)))))
		},
	})
	if err != nil {
		return nil, err
	}
	return &cluster{booted}, nil
}

// cluster is a cluster whose time can be let pass.
type cluster struct{ *inprocess.Cluster }

var (
	_ target.Clock        = (*cluster)(nil)
	_ target.Digester     = (*cluster)(nil)
	_ target.Deduplicator = (*cluster)(nil)
)

// Advance lets virtual time pass, and everybody do what they do in it.
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

// memoryDir is a directory in memory with room for many clusters, or "" for the
// system's own place for temporary files.
func memoryDir() string {
	const dir, room = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	const write, search = 2, 1 // see access(2)
	if syscall.Access(dir, write|search) != nil {
		return ""
	}
	return dir
}
