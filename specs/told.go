package specs

import (
	"context"
	"errors"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// told replaces what nodes report to a harness; nil fields replace nothing. Nodes are indexes.
// It may be changed only while the harness does nothing.
type told struct {
	request    func(node int, request target.Request) target.Request
	status     func(node int, s target.Status) target.Status
	digest     func(node int, index uint64, sum string) (uint64, string)
	remembered func(node int, ids map[string]bool)
	isolate    func(node int) error
	memory     int // how many requests nodes remember; 0 replaces nothing
}

// hearing is another harness over the same nodes, which receives what is told. It has flags, a
// journal and invariants of its own, so that violations do not fail the spec's cluster. It must
// not change members.
func (env *environment) hearing(ctx context.Context, say *told) *harness.Cluster {
	GinkgoHelper()
	env.heard++ // request IDs come from the seed
	options := []harness.Option{harness.Size(env.cluster.Size()), harness.Seed(specSeed() + env.heard)}
	cluster, err := harness.Boot(ctx, over{env.telling(say)}, append(options, env.options.Cluster...)...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// telling is the spec's cluster with nodes that report what they are told.
func (env *environment) telling(say *told) target.Cluster {
	cluster := telling{Cluster: env.booted, say: say}
	digester, digests := target.As[target.Digester](env.booted)
	deduplicator, remembers := target.As[target.Deduplicator](env.booted)
	switch {
	case !remembers:
		return cluster
	case !digests:
		return tellingRequests{cluster, deduplicator}
	}
	return tellingAll{tellingRequests{cluster, deduplicator}, digester}
}

// over is a target with a running cluster.
type over struct{ cluster target.Cluster }

func (o over) Boot(context.Context, int) (target.Cluster, error) { return o.cluster, nil }

// telling is a cluster that outlives the harness over it.
type telling struct {
	target.Cluster
	say *told
}

var _ target.Decorator = telling{}

func (c telling) Unwrap() target.Cluster { return c.Cluster }

// Close leaves the nodes to the cluster below.
func (c telling) Close() error { return nil }

func (c telling) Isolate(ctx context.Context, node int) error {
	if c.say.isolate != nil {
		if err := c.say.isolate(node); err != nil {
			return err
		}
	}
	return c.Cluster.Isolate(ctx, node)
}

func (c telling) Nodes() []target.Node {
	var nodes []target.Node
	for i, n := range c.Cluster.Nodes() {
		nodes = append(nodes, tellingNode{n, i, c.say})
	}
	return nodes
}

// tellingAll is telling for a cluster with remembered requests and digests.
type tellingAll struct {
	tellingRequests
	target.Digester
}

func (c tellingAll) Digest(ctx context.Context, node int) (uint64, string, error) {
	index, sum, err := c.Digester.Digest(ctx, node)
	if err == nil && c.say.digest != nil {
		index, sum = c.say.digest(node, index, sum)
	}
	return index, sum, err
}

// tellingRequests is telling for a cluster with remembered requests.
type tellingRequests struct {
	telling
	target.Deduplicator
}

func (c tellingRequests) Remembered(ctx context.Context, node int) (map[string]bool, error) {
	ids, err := c.Deduplicator.Remembered(ctx, node)
	if err == nil && c.say.remembered != nil {
		c.say.remembered(node, ids)
	}
	return ids, err
}

func (c tellingRequests) Memory() int {
	if c.say.memory > 0 {
		return c.say.memory
	}
	return c.Deduplicator.Memory()
}

type tellingNode struct {
	target.Node
	index int
	say   *told
}

func (n tellingNode) Client() target.SQL { return tellingSQL{n.Node.Client(), n} }
func (n tellingNode) Inside() target.SQL { return tellingSQL{n.Node.Inside(), n} }

func (n tellingNode) Status(ctx context.Context) (target.Status, error) {
	status, err := n.Node.Status(ctx)
	if err == nil && n.say.status != nil {
		status = n.say.status(n.index, status)
	}
	return status, err
}

// tellingSQL sends a node another request.
type tellingSQL struct {
	target.SQL
	node tellingNode
}

func (a tellingSQL) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	if a.node.say.request != nil {
		request = a.node.say.request(a.node.index, request)
	}
	return a.SQL.Query(ctx, request)
}

// instead sends one node another statement.
func instead(node int, honest, other string) func(int, target.Request) target.Request {
	return func(at int, request target.Request) target.Request {
		if at == node && request.SQL == honest {
			request.SQL = other
		}
		return request
	}
}

// counted counts events per node.
type counted struct {
	mu    sync.Mutex
	times map[int]int
}

func (c *counted) next(node int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = make(map[int]int)
	}
	c.times[node]++
	return c.times[node]
}

func (c *counted) of(node int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times[node]
}

// errOfSpec is an error that a spec injects.
var errOfSpec = errors.New("injected by the spec")
