package harness

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/promises"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster is a running cluster with one online/offline flag for each node. All
// methods are safe for concurrent use.
type Cluster struct {
	cluster target.Cluster
	journal *journal.Journal
	reading target.Consistency
	asIs    bool
	*shared
}

// shared is what all views of a cluster (see Reading and AsIs) have in common.
type shared struct {
	seed     uint64
	router   Router
	comparer Comparer
	promises Promises
	monitor  *promises.Monitor
	requests requestNames
	wordless wordless
	states   states // what each node last showed
	schema   schema
	indexed  atomic.Bool    // whether any node ever reported an applied index
	joining  ctxmutex.Mutex // held while members change
	setting  ctxmutex.Mutex // held while links, disks or clocks change
	closing  sync.Once

	mu       sync.Mutex
	members  []*member // by index; a node that is removed keeps its place
	faults   Faults
	inForce  inForce // has a mutex of its own
	flapping map[*flapping]bool
	closed   bool
	underway map[*underway]bool
}

// Option changes how a cluster is booted.
type Option func(*options)

type options struct {
	size     int
	seed     uint64
	journal  *journal.Journal
	route    func(Router) Router
	comparer Comparer
	watch    func(Promises) Promises
}

// Size sets how many nodes the cluster has. The default is 3.
func Size(nodes int) Option { return func(o *options) { o.size = nodes } }

// Seed sets the seed of the cluster's random choices. The default is 1.
func Seed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// Journal sets the journal that the cluster records in. The default is a new one.
func Journal(j *journal.Journal) Option { return func(o *options) { o.journal = j } }

// Boot boots a cluster of the target and blocks until every node is online: there is a
// leader, and all nodes have caught up with it. The caller closes the cluster.
func Boot(ctx context.Context, t target.Target, opts ...Option) (*Cluster, error) {
	o := options{size: 3, seed: 1, comparer: consistency.ByValue{},
		route: func(r Router) Router { return r }, watch: func(p Promises) Promises { return p }}
	for i, option := range opts {
		if option == nil {
			return nil, fmt.Errorf("boot: option %d is nil", i+1)
		}
		option(&o)
	}
	if o.journal == nil {
		o.journal = journal.New(0)
	}
	info := journal.BootInfo{Size: o.size, Seed: o.seed}
	e := journal.Event{At: time.Now(), Kind: journal.Boot, Node: journal.None, Boot: &info}
	c, err := boot(ctx, t, o)
	if err != nil {
		e.Err = err.Error()
	} else {
		e.Members = c.membersNow()
		describeTarget(&info, c.cluster)
	}
	e.Took = time.Since(e.At)
	o.journal.Record(e)
	return c, err
}

func boot(ctx context.Context, t target.Target, o options) (*Cluster, error) {
	switch {
	case t == nil:
		return nil, errors.New("boot: no target given")
	case o.size < 1:
		return nil, fmt.Errorf("boot: cluster size %d: must be at least 1", o.size)
	case o.route == nil:
		return nil, errors.New("boot: Routing was given no function")
	case o.comparer == nil:
		return nil, errors.New("boot: Comparing was given no Comparer")
	case o.watch == nil:
		return nil, errors.New("boot: Watching was given no function")
	}
	if seeder, ok := t.(target.Seeder); ok {
		t = seeder.Seeded(o.seed)
	}
	booted, err := t.Boot(ctx, o.size)
	switch {
	case err != nil:
		return nil, err
	case booted == nil:
		return nil, fmt.Errorf("boot: the target %T booted no cluster, and returned no error", t)
	}
	c := &Cluster{cluster: booted, journal: o.journal, shared: newShared(o, booted)}
	nodes := booted.Nodes()
	for i, n := range nodes {
		c.members = append(c.members, &member{node: &Node{cluster: c, node: n, index: i}, voter: true})
	}
	if len(nodes) != o.size {
		return nil, join(fmt.Errorf("the target booted %d nodes, not %d", len(nodes), o.size), c.Close())
	}
	c.recordRoles()
	if err := c.waitFor(ctx, c.Nodes()); err != nil {
		return nil, join(fmt.Errorf("boot: %w", err), c.Close())
	}
	return c, nil
}

func newShared(o options, booted target.Cluster) *shared {
	s := &shared{
		seed: o.seed, router: o.route(newRandomRouter(o.seed)), comparer: o.comparer,
		monitor: promises.New(remembered(booted)), requests: requestNames{seed: o.seed}, states: states{last: make(map[int]journal.State)},
		schema: schema{applied: make(map[int]uint64)}, joining: ctxmutex.New(), setting: ctxmutex.New(),
		faults: newFaults(), inForce: inForce{ids: make(map[aspect]uint64)},
		flapping: make(map[*flapping]bool), underway: make(map[*underway]bool),
	}
	s.promises = o.watch(s.monitor)
	return s
}

// Close ends the cluster. It blocks until no goroutine, port, file or process of it is left.
// Closing twice is no error. Requests and waits in progress end at once with ErrClosed, and
// so does every later call; methods without an error then report a cluster of no nodes.
func (c *Cluster) Close() (err error) {
	c.closing.Do(func() {
		c.endUnderway()
		err = join(c.stopFlapping(), c.cluster.Close())
	})
	return err
}

// Release is Close for a cluster that the target may use again: see target.Reusable. The cluster must be healed, as Heal does it.
// kept tells whether the nodes go on running for a later Boot; if not, they are closed. The error says why they are not kept
// where that is not planned, or what failed. Release after Close, and Close after Release, do nothing.
func (c *Cluster) Release(ctx context.Context) (kept bool, err error) {
	c.closing.Do(func() {
		c.endUnderway()
		err = c.stopFlapping()
		reusable, can := target.As[target.Reusable](c.cluster)
		if !can || err != nil {
			err = join(err, c.cluster.Close())
			return
		}
		kept, err = reusable.Release(ctx)
	})
	return kept, err
}

// Seed returns the seed of the cluster's random choices.
func (c *Cluster) Seed() uint64 { return c.seed }

// Journal returns the journal that the cluster records in.
func (c *Cluster) Journal() *journal.Journal { return c.journal }

// Can tells whether the cluster's target has the ability.
func (c *Cluster) Can(ability target.Ability) bool { return target.Can(c.cluster, ability) }

// Holds tells whether the cluster's target declares the assumption.
func (c *Cluster) Holds(a target.Assumption) bool { return target.Holds(c.cluster, a) }

// Claims returns what the makers of the database claim: see target.Claimer. It does not block.
func (c *Cluster) Claims() []target.Claim { return target.Claims(c.cluster) }

// Reading returns a view of the cluster whose requests read with that consistency.
func (c *Cluster) Reading(consistency target.Consistency) *Cluster {
	view := *c
	view.reading = consistency
	return &view
}

func itoa(i int) string { return strconv.Itoa(i) }
