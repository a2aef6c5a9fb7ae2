package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster is a running cluster with one online/offline flag for each node. All
// methods are safe for concurrent use.
type Cluster struct {
	cluster target.Cluster
	nodes   []*Node
	journal *journal.Journal
	reading target.Consistency
	*shared
}

// shared is what all views of a cluster (see Reading) have in common.
type shared struct {
	mu     sync.Mutex
	flags  []flag
	random *rand.Rand
	seed   uint64

	closing sync.Once

	acknowledged acknowledged
}

// Option changes how a cluster is booted.
type Option func(*options)

type options struct {
	size    int
	seed    uint64
	journal *journal.Journal
}

// Size is how many nodes the cluster has; 3 unless said.
func Size(nodes int) Option { return func(o *options) { o.size = nodes } }

// Seed is where the cluster's random choices come from; 1 unless said.
func Seed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// Journal is where the cluster writes down what happens; a new one unless said.
func Journal(j *journal.Journal) Option { return func(o *options) { o.journal = j } }

// Boot boots a cluster of the target and blocks until every node is online:
// there is a leader, and all have caught up with it. Close must follow.
func Boot(ctx context.Context, t target.Target, opts ...Option) (*Cluster, error) {
	o := options{size: 3, seed: 1}
	for _, option := range opts {
		option(&o)
	}
	if o.journal == nil {
		o.journal = journal.New(0)
	}
	end := o.journal.Begin(journal.Note, journal.Nobody, "boot %d nodes, seed %d", o.size, o.seed)
	c, err := boot(ctx, t, o)
	end(err)
	return c, err
}

func boot(ctx context.Context, t target.Target, o options) (*Cluster, error) {
	if o.size < 1 {
		return nil, fmt.Errorf("a cluster of %d nodes cannot be: it needs at least 1", o.size)
	}
	if seeder, ok := t.(target.Seeder); ok {
		t = seeder.Seeded(o.seed)
	}
	booted, err := t.Boot(ctx, o.size)
	if err != nil {
		return nil, err
	}
	c := &Cluster{cluster: booted, journal: o.journal, shared: &shared{
		flags: make([]flag, o.size), random: rand.New(rand.NewPCG(o.seed, o.seed)), seed: o.seed,
	}}
	c.acknowledged.init(o.seed, booted)
	for i, n := range booted.Nodes() {
		c.nodes = append(c.nodes, &Node{cluster: c, node: n, index: i})
	}
	if len(c.nodes) != o.size {
		return nil, errors.Join(fmt.Errorf("the target booted %d nodes, not %d", len(c.nodes), o.size), c.Close())
	}
	if err := c.waitForAllOnline(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("boot: %w", err), c.Close())
	}
	return c, nil
}

// Close ends the cluster and leaves nothing of it: no goroutine, port, file or
// process. It blocks until that is so, whoever calls first. Closing twice is no
// error.
func (c *Cluster) Close() (err error) {
	c.closing.Do(func() { err = c.cluster.Close() })
	return err
}

// Size is how many nodes the cluster has, online or not.
func (c *Cluster) Size() int { return len(c.nodes) }

// Quorum is how many nodes must agree.
func (c *Cluster) Quorum() int { return len(c.nodes)/2 + 1 }

// Seed is where the cluster's random choices come from.
func (c *Cluster) Seed() uint64 { return c.seed }

// Journal is where the cluster writes down what happens.
func (c *Cluster) Journal() *journal.Journal { return c.journal }

// Node returns the node of that index, whatever its flag says, or an
// *IndexError.
func (c *Cluster) Node(i int) (*Node, error) {
	if i < 0 || i >= len(c.nodes) {
		return nil, &IndexError{Index: i, Size: len(c.nodes)}
	}
	return c.nodes[i].Reading(c.reading), nil
}

// Nodes returns all nodes, whatever their flags say.
func (c *Cluster) Nodes() []*Node {
	nodes := make([]*Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n.Reading(c.reading)
	}
	return nodes
}

// Reading is the same cluster, asked with that consistency.
func (c *Cluster) Reading(consistency target.Consistency) *Cluster {
	view := *c
	view.reading = consistency
	return &view
}

// Leader is the index of the node that leads, by the word of a majority of all
// nodes, asked past every fault. It is an error if there is none.
func (c *Cluster) Leader(ctx context.Context) (int, error) {
	votes := make(map[string]int)
	var errs []error
	for _, n := range c.nodes {
		status, err := n.Status(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		votes[status.Leader]++
	}
	for i, n := range c.nodes {
		if votes[n.ID()] >= c.Quorum() {
			return i, nil
		}
	}
	return -1, errors.Join(append([]error{fmt.Errorf("no node is called leader by %d of %d nodes: %v", c.Quorum(), len(c.nodes), votes)}, errs...)...)
}

func itoa(i int) string { return strconv.Itoa(i) }
