package check

import (
	"slices"

	gonum "gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// orders has the known constraints on the order of the values of registers. A guarantee is broken if
// no order meets them, that is, if they have a cycle.
type orders struct {
	history
	keys map[string]*order
}

// order has the constraints of one register.
type order struct {
	unique bool // each value was written once, and so identifies a state
	graph  *simple.DirectedGraph
	ids    map[int64]int64 // of values; 0 is that of nothing
	why    map[[2]int64][]*journal.Event
	name   map[int64]heldValue
	joins  int64 // the last number of a join, below 0
}

// heldValue is a value of a register.
type heldValue struct {
	value   int64
	nothing bool
	join    int64          // not 0 if it stands for several values that come before what follows
	by      *journal.Event // the event that wrote it or read it
}

// newOrders returns the orders that follow from compares that matched: the value found comes before
// the value written.
func newOrders(h history) *orders {
	o := &orders{history: h, keys: make(map[string]*order)}
	written := make(map[place]bool)
	for _, e := range h.of(journal.Register) {
		for _, s := range e.Op.Steps {
			if s.Do == journal.Read || e.Op.Outcome == journal.Failed {
				continue
			}
			at := place{journal.Register, s.Key, s.Value}
			if written[at] {
				o.of(s.Key).unique = false
			}
			written[at] = true
			if s.Do == journal.CAS && (step{s, e}).knows() && s.Got[0] == 1 {
				o.of(s.Key).add(heldValue{value: s.Old, by: e}, heldValue{value: s.Value, by: e})
			}
		}
	}
	return o
}

func (o *orders) of(key string) *order {
	if o.keys[key] == nil {
		o.keys[key] = &order{
			unique: true, graph: simple.NewDirectedGraph(), ids: make(map[int64]int64),
			why: make(map[[2]int64][]*journal.Event), name: make(map[int64]heldValue),
		}
	}
	return o.keys[key]
}

// id returns the number of a value in the graph.
func (o *order) id(v heldValue) int64 {
	if v.nothing || v.join != 0 {
		o.name[v.join] = v
		return v.join
	}
	id, known := o.ids[v.value]
	if !known {
		id = int64(len(o.ids)) + 1
		o.ids[v.value] = id
		// The initial value comes before all others.
		o.edge(0, id, nil)
	}
	o.name[id] = v
	return id
}

// add adds the constraint that one value comes before another.
func (o *order) add(a, b heldValue) {
	from, to := o.id(a), o.id(b)
	if from != to {
		o.edge(from, to, []*journal.Event{a.by, b.by})
	}
}

func (o *order) edge(from, to int64, why []*journal.Event) {
	if o.why[[2]int64{from, to}] == nil {
		o.why[[2]int64{from, to}] = why
	}
	o.graph.SetEdge(o.graph.NewEdge(simple.Node(from), simple.Node(to)))
}

// mostEarlier is how many versions are kept separately before they are joined.
const mostEarlier = 2

// before adds that all of some versions come before one that is read now. It returns what comes
// before the next one: the same versions, joined if they are many.
func (o *order) before(earlier []heldValue, now heldValue) []heldValue {
	if len(earlier) > mostEarlier {
		o.joins--
		join := heldValue{join: o.joins, by: earlier[len(earlier)-1].by}
		for _, v := range earlier {
			o.add(v, join)
		}
		earlier = []heldValue{join}
	}
	for _, v := range earlier {
		o.add(v, now)
	}
	return earlier
}

// judge reports a short cycle of each component.
func (o *orders) judge(v *Verdict, g guarantee) {
	for _, key := range sorted(o.keys) {
		of := o.keys[key]
		if !of.unique {
			v.leaveOut("registers to which a value was written twice")
			continue
		}
		for _, component := range topo.TarjanSCC(of.graph) {
			if a, b, is := contradiction(component); is {
				v.violate(o.cycle(g, key, of, a, b))
			}
		}
	}
}

// contradiction returns two values of a component, each of which must come before the other; false
// if it has none. Joins are no values: a value may come before and after a join.
func contradiction(component []gonum.Node) (a, b gonum.Node, is bool) {
	for _, node := range component {
		switch {
		case node.ID() < 0:
		case a == nil:
			a = node
		default:
			return a, node, true
		}
	}
	return a, nil, false
}

// cycle returns the violation for two values that must come before each other.
func (o *orders) cycle(g guarantee, key string, of *order, a, b gonum.Node) *Violation {
	there, _ := path.DijkstraFrom(a, of.graph).To(b.ID())
	back, _ := path.DijkstraFrom(b, of.graph).To(a.ID())
	way := append(there, back[1:]...)
	var witnesses []*journal.Event
	var values []int64
	for i := 1; i < len(way); i++ {
		from, to := way[i-1].ID(), way[i].ID()
		for _, e := range of.why[[2]int64{from, to}] {
			if !slices.Contains(witnesses, e) {
				witnesses = append(witnesses, e)
			}
		}
		if to > 0 {
			values = append(values, of.name[to].value)
		}
	}
	return o.violation(g.broken(), witnesses, "the values %v of %s have no order in which no session goes back", values, key)
}
