package check

import (
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/check/internal/polygraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// judge reports the cycles that the level forbids.
func (d *dependencies) judge(l level, found *findings) {
	g := d.graph(l)
	broken := l.broken(g)
	if !broken && !d.contested(l) {
		return
	}
	if d.open() {
		settled, fits := settle(openTail{d, d.order}, l)
		if !broken && fits == polygraph.Undecided {
			found.verdict.undecided("the order of values that were appended and never read")
			return
		}
		d, g = settled, settled.graph(l)
	}
	if l.broken(g) {
		d.cycles(l, g, found)
	}
}

// open tells whether more than one order of versions is possible.
func (d *dependencies) open() bool {
	return slices.ContainsFunc(d.tail, func(t []int32) bool { return len(t) > 1 })
}

// contested tells whether the level demands more than the absence of cycles: under snapshot
// isolation, of two writers of a key one commits before the other begins.
func (d *dependencies) contested(l level) bool {
	return l.shape == digraph.Separate && d.open() && serializable.broken(d.graph(serializable))
}

func (d *dependencies) cycles(l level, g *digraph.Graph, found *findings) {
	hunt := digraph.NewHunt(g)
	for _, p := range l.passes() {
		hunt.Cycles(p.shape, p.realTime, func(cycle []digraph.Hop) { d.report(cycle, found) })
	}
	if hunt.Cut {
		found.verdict.note("More cycles of dependencies may exist: the search for them stopped at its bounds.")
	}
}

// report adds a cycle to the findings, with the transactions in the order of the cycle.
func (d *dependencies) report(cycle []digraph.Hop, found *findings) {
	cycle = fromEarliest(cycle)
	var witnesses []*journal.Event
	about := make([]int32, 0, 2*len(cycle))
	told := make([]string, len(cycle))
	edges := make([]Dependency, len(cycle))
	for i, h := range cycle {
		witnesses = append(witnesses, d.events[h.From])
		about = append(about, h.From, int32(h.Kind))
		told[i] = d.sentence(h)
		edges[i] = Dependency{Name: name(h.From), From: *d.events[h.From], Kind: kindOf(h.Kind), Text: told[i]}
	}
	found.addCycle(edges, d.title(cycle), about, witnesses, "%s", strings.Join(told, "; "))
}

// kindOf is the name of a dependency in the literature.
func kindOf(k digraph.Kind) string {
	switch k {
	case digraph.WW:
		return "ww"
	case digraph.WR:
		return "wr"
	case digraph.RW:
		return "rw"
	default:
		return "rt"
	}
}

// fromEarliest rotates a cycle to start at the transaction that began first.
func fromEarliest(cycle []digraph.Hop) []digraph.Hop {
	least := 0
	for i := range cycle {
		if cycle[i].From < cycle[least].From {
			least = i
		}
	}
	return slices.Concat(cycle[least:], cycle[:least])
}

// title returns the name of a cycle in the terms of Adya ("Weak Consistency", 1999), and Kingsbury and Alvaro
// ("Elle", VLDB 2020).
func (d *dependencies) title(cycle []digraph.Hop) string {
	anti, reads, timed, adjacent := 0, 0, false, false
	for i, h := range cycle {
		switch h.Kind {
		case digraph.RW:
			anti++
			adjacent = adjacent || cycle[(i+1)%len(cycle)].Kind == digraph.RW
		case digraph.WR:
			reads++
		case digraph.RT:
			timed = true
		default:
		}
	}
	var class, told string
	switch {
	case anti == 0 && reads == 0:
		class, told = "G0", "dirty write"
	case anti == 0:
		class, told = "G1c", "cyclic information flow"
	case anti == 1 && timed:
		class, told = "G-single", "stale read"
	case anti == 1 && d.lostUpdate(cycle):
		class, told = "G-single", "lost update"
	case anti == 1:
		class, told = "G-single", "read skew"
	case adjacent:
		class, told = "G2-item", "write skew"
	case anti == reads && 2*anti == len(cycle):
		class, told = "G-nonadjacent", "long fork"
	default:
		class, told = "G-nonadjacent", "anti-dependencies apart"
	}
	if timed {
		class += "-realtime"
	}
	return class + ", " + told
}

// lostUpdate tells whether a cycle consists of two transactions that both read and wrote one key.
func (d *dependencies) lostUpdate(cycle []digraph.Hop) bool {
	if len(cycle) != 2 {
		return false
	}
	for _, r := range d.readsOf(cycle[0].From) {
		if d.wrote(cycle[0].From, r.key) && d.wrote(cycle[1].From, r.key) && d.read(cycle[1].From, r.key) {
			return true
		}
	}
	return false
}

func (d *dependencies) wrote(t, key int32) bool {
	for _, w := range d.writesOf(t) {
		if w.key == key {
			return true
		}
	}
	return false
}

func (d *dependencies) read(t, key int32) bool {
	for _, r := range d.readsOf(t) {
		if r.key == key {
			return true
		}
	}
	return false
}
