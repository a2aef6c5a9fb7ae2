package nemesis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var (
	// ErrInTheWay is wrapped by the error of injecting a fault whose node has another fault, or was
	// removed. Nothing was done.
	ErrInTheWay = errors.New("other faults are in its way")
	// ErrNoQuorum is wrapped by the error of injecting a fault that needs a leader or a quorum, while
	// other faults have taken it away.
	ErrNoQuorum = errors.New("other faults have taken the leader or the quorum that it needs")
)

// Nemesis injects faults into one cluster. It keeps faults out of each other's way, as their kinds
// claim. It is safe for concurrent use.
type Nemesis struct {
	cluster *harness.Cluster
	size    int           // of the cluster at the beginning
	pace    time.Duration // the election timeout

	mu      sync.Mutex
	claimed map[int]*Injection  // by node
	working map[*Injection]bool // that are being made, in force or being undone; true if in force
	calm    time.Time           // when the last disruptive fault was undone; zero if none was
	leaving map[int]bool        // nodes that are being removed
}

// leastPace stands for the election timeout of a target that has its own.
const leastPace = 50 * time.Millisecond

// New returns a nemesis for the cluster. pace is the election timeout of the nodes, or 0 for that of
// a target that has its own: a fault that needs a leader may fail for 20 of it after another fault.
func New(c *harness.Cluster, pace time.Duration) *Nemesis {
	return &Nemesis{
		cluster: c, size: c.Size(), pace: max(pace, leastPace),
		claimed: make(map[int]*Injection), working: make(map[*Injection]bool), leaving: make(map[int]bool),
	}
}

// Inject makes a fault, and returns it when it is in force. lasts is how long it is meant to last; a
// fault of several steps takes half of it for each. Undo must follow. ctx is also that of the later
// steps: it must outlast the fault.
//
// The error wraps ErrInTheWay, ErrNoQuorum or harness.ErrUnsupported if there is a good reason not to
// make the fault, or is an *UnknownError; any other error is the target's failure to make it.
func (n *Nemesis) Inject(ctx context.Context, f fault.Fault, lasts time.Duration) (*Injection, error) {
	k, err := Find(f.Kind)
	if err != nil {
		return nil, err
	}
	if err := k.Validate(f, n.nodes()); err != nil {
		return nil, fmt.Errorf("inject %s: %w", k.Describe(f), err)
	}
	for _, ability := range k.Needs {
		if !n.cluster.Can(ability) {
			return nil, fmt.Errorf("inject %s: %w", k.Describe(f), &harness.UnsupportedError{Ability: ability})
		}
	}
	in := newInjection(n, k, f, lasts)
	if !n.claim(in) {
		return nil, fmt.Errorf("inject %s: %w", k.Describe(f), ErrInTheWay)
	}
	n.begin(in)
	in.before = in.observe(ctx)
	ends := in.ends()
	in.undo, err = k.Inject(ctx, in)
	if err != nil {
		err = fmt.Errorf("inject %s: %w", k.Describe(f), in.explain(err, ends))
		n.end(in, false)
		n.release(in)
		return nil, err
	}
	n.enforce(in)
	return in, nil
}

// nodes is how many indexes of nodes are in use.
func (n *Nemesis) nodes() int {
	nodes := n.size
	for _, node := range n.cluster.Nodes() {
		nodes = max(nodes, node.Index()+1)
	}
	return nodes
}

// InForce returns the faults that are in force, in no particular order.
func (n *Nemesis) InForce() []fault.Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []fault.Fault
	for in, inForce := range n.working {
		if inForce {
			all = append(all, in.Fault())
		}
	}
	return all
}

// AnyInForce tells whether a fault is in force whose kind has the property.
func (n *Nemesis) AnyInForce(property func(Kind) bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for in, inForce := range n.working {
		if inForce && property(in.kind) {
			return true
		}
	}
	return false
}

// claim reserves what the fault claims, if that is free.
func (n *Nemesis) claim(in *Injection) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	claims, node := in.kind.Claims, in.fault.Node
	if (claims == ClaimsNodeAlone || claims == ClaimsAll) && len(n.claimed) > 0 {
		return false
	}
	switch claims {
	case ClaimsNode, ClaimsNodeAlone:
		_, err := n.cluster.Node(node)
		if err != nil || n.claimed[node] != nil {
			return false
		}
		n.claimed[node] = in
	case ClaimsAll:
		for _, member := range n.cluster.Nodes() {
			n.claimed[member.Index()] = in
		}
	case ClaimsNothing:
	}
	return true
}

func (n *Nemesis) release(in *Injection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for node, by := range n.claimed {
		if by == in {
			delete(n.claimed, node)
		}
	}
}

// begin notes that a fault is being made.
func (n *Nemesis) begin(in *Injection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.working[in] = false
}

// enforce notes that a fault is in force.
func (n *Nemesis) enforce(in *Injection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.working[in] = true
}

// end notes that a fault is undone, or was not made.
func (n *Nemesis) end(in *Injection, made bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if made && !in.kind.KeepsQuorum {
		n.calm = time.Now()
	}
	delete(n.working, in)
}

// isTroubled tells whether a fault other than this one, which can take a leader or a quorum away, is
// being made, in force or being undone, or was so recently that there may be no leader yet.
func (n *Nemesis) isTroubled(besides *Injection) bool {
	const elections = 20
	n.mu.Lock()
	defer n.mu.Unlock()
	for in := range n.working {
		if in != besides && !in.kind.KeepsQuorum {
			return true
		}
	}
	return !n.calm.IsZero() && time.Since(n.calm) < elections*n.pace
}

// leave notes that the node is being removed, until the returned function is called.
func (n *Nemesis) leave(node int) (over func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leaving[node] = true
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.leaving, node)
	}
}

// isLeaving tells whether the place of a link's end is a node that is being removed, or was.
func (n *Nemesis) isLeaving(end int) bool {
	n.mu.Lock()
	leaving := n.leaving[end]
	n.mu.Unlock()
	return leaving || !n.isMember(end)
}

// isMember tells whether the place of a link's end is a member, or the clients.
func (n *Nemesis) isMember(end int) bool {
	if end == fault.Clients {
		return true
	}
	_, err := n.cluster.Node(end)
	return err == nil
}

func (n *Nemesis) anyLeaving(ends []int) bool { return slices.ContainsFunc(ends, n.isLeaving) }
