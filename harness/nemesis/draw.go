package nemesis

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Scale is what a fault is drawn for.
type Scale struct {
	Nodes int           // of the cluster, at least 1
	Pace  time.Duration // the election timeout; 0 is that of a target with its own
}

// unit is the smallest By.
func (k Kind) unit(s Scale) time.Duration {
	const ofItsOwn = 50 * time.Millisecond
	pace := s.Pace
	if pace == 0 {
		pace = ofItsOwn
	}
	return k.Unit(pace)
}

// Draw draws a fault of this kind: which node, link or groups, each with the same probability, and how much.
func (k Kind) Draw(r *rand.Rand, s Scale) fault.Fault {
	f := fault.Fault{Kind: k.Name, Node: fault.NoNode}
	if k.namesNode() {
		f.Node = r.IntN(s.Nodes)
	}
	if k.namesLinks() {
		f.Links = k.LinksFrom(drawLink(r, s.Nodes))
	}
	if k.On == Network {
		f.Groups = split(s.Nodes, 1+r.IntN(max(s.Nodes-1, 1)))
	}
	if k.Unit != nil {
		f.By = k.unit(s) << r.IntN(8)
	}
	return f
}

// split returns two groups of nodes: those below second, and the others.
func split(nodes, second int) [][]int {
	groups := make([][]int, 2)
	for node := range nodes {
		i := 0
		if node >= second {
			i = 1
		}
		groups[i] = append(groups[i], node)
	}
	return groups
}

// drawLink draws a link from a node to another one, or to the clients.
func drawLink(r *rand.Rand, nodes int) fault.Link {
	link := fault.Link{From: r.IntN(nodes), To: r.IntN(nodes)}
	if link.To >= link.From {
		link.To++
	}
	if link.To == nodes {
		link.To = fault.Clients
	}
	return link
}

// Simpler returns faults of this kind that differ from f in one field and are simpler: with another
// node, another link, other groups, or a smaller By. The simplest of each comes first.
func (k Kind) Simpler(f fault.Fault, s Scale) []fault.Fault {
	var all []fault.Fault
	if k.namesNode() && f.Node > 0 {
		simpler := f
		simpler.Node = 0
		all = append(all, simpler)
	}
	if first := k.LinksFrom(fault.Link{From: 0, To: 1}); k.namesLinks() && s.Nodes > 1 && !slices.Equal(f.Links, first) {
		simpler := f
		simpler.Links = first
		all = append(all, simpler)
	}
	if k.On == Network && s.Nodes > 1 && !(len(f.Groups) == 2 && len(f.Groups[0]) == 1) {
		simpler := f
		simpler.Groups = split(s.Nodes, 1)
		all = append(all, simpler)
	}
	if k.Unit != nil {
		for by := k.unit(s); by < f.By; by *= 2 {
			simpler := f
			simpler.By = by
			all = append(all, simpler)
		}
	}
	return all
}
