package chaos

import (
	"cmp"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// Space is where schedules are drawn from. Zero values are those of Virtual.
type Space struct {
	Kinds     []Kind // that may be drawn at all
	Workloads []string
	// Pace is the shortest election timeout, and the step between longer ones, up
	// to five times that; negative leaves the target its own.
	Pace time.Duration
	// Length is the shortest of a schedule, and the step between longer ones, up to
	// four times that.
	Length time.Duration
	// Every is about how far faults are apart, at most.
	Every time.Duration
	Rate  float64 // operations a second of all clients together, about
}

// Virtual is the space for clusters in virtual time: slow clusters and minutes of
// trouble, because what costs real time there is what happens, and not the time.
func Virtual() Space {
	return Space{Pace: time.Second, Length: 2 * time.Minute, Every: 10 * time.Second, Rate: 2}.filled()
}

// Real is the space for clusters in real time.
func Real() Space {
	return Space{Pace: -1, Length: 3 * time.Second, Every: 700 * time.Millisecond, Rate: 40}.filled()
}

func (s Space) filled() Space {
	if len(s.Kinds) == 0 {
		s.Kinds = slices.DeleteFunc(Kinds(), func(k Kind) bool { return k == Pause })
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

// Draw is the schedule of that seed: always the same in one space.
func Draw(seed uint64, space Space) Schedule {
	s := Schedules(space).Example(int(seed))
	s.Seed = seed
	return s
}

// Schedules generates schedules, all with seed 0. Each first draws which kinds of
// faults it may use at all, so that rare pairs meet more often than where
// everything may always happen: swarm testing (Groce, Zhang, Eide, Chen and
// Regehr, ISSTA 2012). Faults are independent of each other, so that any of them
// can be left out, and what is drawn as 0 is simple.
func Schedules(space Space) *rapid.Generator[Schedule] {
	space = space.filled()
	return rapid.Custom(func(t *rapid.T) Schedule {
		s := Schedule{Nodes: 3, Clients: 1 + number(t, "clients", 2)%3, Length: space.Length * time.Duration(1+number(t, "length", 2))}
		if number(t, "nodes", 2) == 3 {
			s.Nodes = 5
		}
		if space.Pace > 0 {
			s.Pace = space.Pace * time.Duration(1+number(t, "pace", 3)%5)
		}
		for range 1 + number(t, "workloads", 1) {
			if w := space.Workloads[number(t, "workload", 5)%len(space.Workloads)]; !slices.Contains(s.Workloads, w) {
				s.Workloads = append(s.Workloads, w)
			}
		}
		s.Rate = space.Rate / float64(s.Clients*len(s.Workloads))
		s.Faults = drawFaults(t, space, s)
		return s
	})
}

// drawFaults draws faults until one of them is the end.
func drawFaults(t *rapid.T, space Space, s Schedule) []Fault {
	swarm := drawSwarm(t, space)
	slot := rapid.Custom(func(t *rapid.T) *Fault {
		if number(t, "more", 5) == 0 {
			return nil
		}
		f := drawFault(t, swarm, s)
		return &f
	})
	faults := []Fault{}
	for most := max(int(s.Length/space.Every), 1); len(faults) < most; {
		f := slot.Draw(t, "fault")
		if f == nil {
			break
		}
		faults = append(faults, *f)
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return faults
}

// drawSwarm draws which kinds may be used: up to eight.
func drawSwarm(t *rapid.T, space Space) []Kind {
	var swarm []Kind
	for range 1 + number(t, "kinds", 3) {
		swarm = append(swarm, space.Kinds[number(t, "kind", 6)%len(space.Kinds)])
	}
	return swarm
}

func drawFault(t *rapid.T, swarm []Kind, s Schedule) Fault {
	const ticks = 10 // bits
	f := Fault{
		Kind:  swarm[number(t, "kind", 3)%len(swarm)],
		At:    s.Length * time.Duration(number(t, "at", ticks)) >> ticks,
		Node:  number(t, "node", 4) % s.Nodes,
		Lasts: s.Length * time.Duration(1+number(t, "lasts", 5)) / 100,
	}
	if f.Kind.ofLink() {
		f.Other = number(t, "other", 4) % s.Nodes // the last stands for the clients
		if f.Other >= f.Node {
			f.Other++
		}
		if f.Other == s.Nodes {
			f.Other = fault.Clients
		}
	}
	if f.Kind.measured() {
		f.By = unit(f.Kind, s) << number(t, "by", 3)
	}
	return f
}

// unit is the least that a fault of the kind is measured in.
func unit(k Kind, s Schedule) time.Duration {
	pace := cmp.Or(s.Pace, 50*time.Millisecond)
	switch {
	case k.ofClock():
		return time.Minute
	case k == FlappingLink, k == CrashInstalling:
		return pace / 2
	}
	return pace / 64
}

// number draws a number of so many bits, each as likely as any other. rapid's own
// numbers prefer small ones.
func number(t *rapid.T, label string, bits int) int {
	n := 0
	for range bits {
		n <<= 1
		if rapid.Bool().Draw(t, label) {
			n |= 1
		}
	}
	return n
}
