package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// openTail has the dependencies of lists whose unread appends have an open order.
type openTail struct {
	*dependencies
	base [][]int32 // the order of what was read
}

func (o openTail) known(l level) *digraph.Graph { return o.graph(l) }
func (o openTail) writers() [][]int32           { return o.tail }
func (o openTail) readers(int32, int32) []int32 { return nil }
func (o openTail) all() []*journal.Event        { return o.events }

// settled adds the unread appends to the version orders.
func (o openTail) settled(rank ranking) *dependencies {
	d := &dependencies{transactions: o.transactions, order: slices.Clone(o.base), tail: make([][]int32, len(o.tail))}
	for k, tail := range o.tail {
		tail = slices.Clone(tail)
		slices.SortFunc(tail, func(a, b int32) int { return int(rank(a) - rank(b)) })
		order := slices.Clip(d.order[k])
		for _, t := range tail {
			for i := o.firstWrite[t]; i < o.firstWrite[t+1]; i++ {
				if w := &o.writes[i]; w.key == int32(k) && (w.at == unplaced || w.at >= int32(len(o.base[k]))) {
					w.at = int32(len(order))
					order = append(order, i)
				}
			}
		}
		d.order[k] = order
	}
	return d
}
