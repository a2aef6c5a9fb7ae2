package chaos

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// Space is what schedules are drawn from. Zero fields have the values of Virtual.
type Space struct {
	Kinds     []nemesis.Kind // that may be drawn
	Workloads []string       // names
	// Nodes is the size of the clusters. If it is 0, most have 3 nodes, and some 5.
	Nodes int
	// Pace is the shortest election timeout, and the step between longer ones, up to five times that.
	// If it is negative the target keeps its own.
	Pace time.Duration
	// Length is the length of the shortest schedule, and the step between longer ones, up to four
	// times that.
	Length time.Duration
	// Every is the average time between faults, at least.
	Every time.Duration
	Rate  float64 // operations a second of all clients together, on average
}

// Virtual is the space for clusters in virtual time: slow clusters and minutes of faults, because
// events cost real time there and waiting costs none.
func Virtual() Space {
	return Space{Pace: time.Second, Length: 2 * time.Minute, Every: 10 * time.Second, Rate: 2}.filled()
}

// Real is the space for clusters in real time.
func Real() Space {
	return Space{Pace: -1, Length: 3 * time.Second, Every: 700 * time.Millisecond, Rate: 40}.filled()
}

func (s Space) filled() Space {
	if len(s.Kinds) == 0 {
		s.Kinds = slices.DeleteFunc(nemesis.All(), real)
	}
	if len(s.Workloads) == 0 {
		for _, w := range workload.Workloads(namespace) {
			s.Workloads = append(s.Workloads, w.Name())
		}
	}
	s.Pace = cmp.Or(s.Pace, time.Second)
	s.Length = cmp.Or(s.Length, 2*time.Minute)
	s.Every = cmp.Or(s.Every, 10*time.Second)
	s.Rate = cmp.Or(s.Rate, 2)
	return s
}

// real tells whether a kind of fault needs what no virtual cluster has: nodes that are processes, or links of packets.
func real(k nemesis.Kind) bool {
	return slices.Contains(k.Needs, target.Pause) || slices.Contains(k.Needs, target.Packets)
}

// Draw returns the schedule of that seed, which is the same for one space each time.
//
// It draws first which kinds of faults the schedule may use, so that rare pairs meet more often than
// where every kind may always occur: swarm testing (Groce, Zhang, Eide, Chen and Regehr, ISSTA 2012).
// Faults are independent of each other, so that any of them can be left out.
func Draw(seed uint64, space Space) Schedule {
	space = space.filled()
	r := rand.New(rand.NewPCG(seed, 0))
	s := Schedule{
		Seed: seed, Nodes: 3, Clients: 1 + r.IntN(3),
		Length: space.Length * time.Duration(1+r.IntN(4)), Workloads: drawWorkloads(r, space),
	}
	if r.IntN(4) == 0 {
		s.Nodes = 5
	}
	if space.Nodes > 0 {
		s.Nodes = space.Nodes
	}
	if space.Pace > 0 {
		s.Pace = space.Pace * time.Duration(1+r.IntN(5))
	}
	s.Rate = space.Rate / float64(s.Clients*len(s.Workloads))
	s.Faults = drawFaults(r, space, s)
	return s
}

// drawWorkloads draws one workload or two.
func drawWorkloads(r *rand.Rand, space Space) (names []string) {
	for range 1 + r.IntN(2) {
		if w := space.Workloads[r.IntN(len(space.Workloads))]; !slices.Contains(names, w) {
			names = append(names, w)
		}
	}
	return names
}

// drawFaults draws 31 faults on average, but no more than the length of the schedule allows.
func drawFaults(r *rand.Rand, space Space, s Schedule) []Entry {
	swarm := drawSwarm(r, space)
	faults := []Entry{}
	for most := max(int(s.Length/space.Every), 1); len(faults) < most && r.IntN(32) > 0; {
		faults = append(faults, drawFault(r, swarm, s))
	}
	slices.SortStableFunc(faults, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
	return faults
}

// drawSwarm draws up to eight kinds.
func drawSwarm(r *rand.Rand, space Space) (swarm []nemesis.Kind) {
	for range 1 + r.IntN(8) {
		swarm = append(swarm, space.Kinds[r.IntN(len(space.Kinds))])
	}
	return swarm
}

// ticks is how many instants of a schedule faults can begin at.
const ticks = 1000

func drawFault(r *rand.Rand, swarm []nemesis.Kind, s Schedule) Entry {
	return Entry{
		At:    s.Length * time.Duration(r.IntN(ticks)) / ticks,
		Lasts: s.Length * time.Duration(1+r.IntN(32)) / 100,
		Fault: swarm[r.IntN(len(swarm))].Draw(r, s.scale()),
	}
}

// scale is what faults of the schedule are drawn for.
func (s Schedule) scale() nemesis.Scale { return nemesis.Scale{Nodes: s.Nodes, Pace: s.Pace} }
