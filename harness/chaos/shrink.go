package chaos

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// Shrink returns the smallest schedule it finds that still fails: with the fewest faults, then the
// fewest workloads, clients and operations, then the simplest times and numbers. First it leaves out
// parts of the faults, the larger ones first (ddmin: Zeller and Hildebrandt, IEEE TSE 2002), which needs
// few runs. Then it lowers one number after another, for as long as one can be lowered.
//
// It blocks for about as long as budget, by the real clock, or until ctx ends. fails runs one schedule at
// a time, and never the same schedule twice.
func Shrink(ctx context.Context, s Schedule, budget time.Duration, fails func(context.Context, Schedule) bool) Schedule {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	o := &oracle{ctx: ctx, fails: fails, known: make(map[string]bool), least: s}
	o.fewerFaults()
	o.fewerClients()
	o.fewerOperations()
	o.simpler()
	return o.least
}

// oracle knows which schedules fail, and the smallest of them. It runs none after ctx has ended.
type oracle struct {
	ctx   context.Context
	fails func(context.Context, Schedule) bool
	known map[string]bool
	least Schedule
}

// try tells whether the schedule fails, and if so keeps it as the least.
func (o *oracle) try(s Schedule) bool {
	key, err := json.Marshal(s)
	if err != nil {
		return false
	}
	failed, known := o.known[string(key)]
	if !known {
		if o.ctx.Err() != nil {
			return false
		}
		failed = o.fails(o.ctx, s)
		if o.ctx.Err() != nil && !failed {
			return false // it was cut short
		}
		o.known[string(key)] = failed
	}
	if failed {
		o.least = s
	}
	return failed
}

// fewerFaults leaves faults out until none can be left out alone.
func (o *oracle) fewerFaults() {
	for parts := 2; len(o.least.Faults) > 0; {
		all := o.least
		parts = min(parts, len(all.Faults))
		fewer := false
		for i := range parts {
			s := all
			from, to := i*len(all.Faults)/parts, (i+1)*len(all.Faults)/parts
			s.Faults = slices.Concat([]Entry{}, all.Faults[:from], all.Faults[to:])
			if fewer = o.try(s); fewer {
				break
			}
		}
		switch {
		case fewer:
			parts = max(parts-1, 2)
		case parts == len(all.Faults) || o.ctx.Err() != nil:
			return
		default:
			parts *= 2
		}
	}
}

// fewerClients leaves out workloads and clients.
func (o *oracle) fewerClients() {
	for _, name := range o.least.Workloads {
		if s := o.least; len(s.Workloads) > 1 {
			s.Workloads = slices.DeleteFunc(slices.Clone(s.Workloads), func(w string) bool { return w == name })
			o.try(s)
		}
	}
	for s := o.least; s.Clients > 1; s = o.least {
		s.Clients--
		if !o.try(s) {
			return
		}
	}
}

// fewerOperations bounds the operations as low as it can.
func (o *oracle) fewerOperations() {
	for most := 1; most <= 1<<12 && o.ctx.Err() == nil; most *= 2 {
		s := o.least
		s.Most = most
		if o.try(s) {
			o.between(most/2+1, most)
			return
		}
	}
}

// between looks for the least bound, where the highest is known to fail.
func (o *oracle) between(low, high int) {
	for low < high && o.ctx.Err() == nil {
		s := o.least
		s.Most = (low + high) / 2
		if o.try(s) {
			high = s.Most
		} else {
			low = s.Most + 1
		}
	}
}

// simpler makes one detail after another simpler, until none can be.
func (o *oracle) simpler() {
	for progress := true; progress && o.ctx.Err() == nil; {
		progress = o.fewerNodes() || o.shorterRun()
		for i := range o.least.Faults {
			for _, simpler := range []func(Entry) []Entry{earlier, shorter, o.milder} {
				progress = o.simplerEntry(i, simpler) || progress
			}
		}
	}
}

// fewerNodes tries a cluster of three nodes.
func (o *oracle) fewerNodes() bool {
	s := o.least
	s.Nodes = 3
	return o.least.Nodes > 3 && s.Validate() == nil && o.try(s)
}

// shorterRun tries to end the schedule earlier, but not before a fault begins.
func (o *oracle) shorterRun() bool {
	for _, length := range lower(o.least.Length) {
		s := o.least
		s.Length = length
		if s.Validate() == nil && o.try(s) {
			return true
		}
	}
	return false
}

// simplerEntry replaces the entry of that place by the first simpler one that still fails, for as long
// as there is one.
func (o *oracle) simplerEntry(i int, simpler func(Entry) []Entry) (progress bool) {
	for again := true; again; {
		again = false
		for _, e := range simpler(o.least.Faults[i]) {
			s := o.least
			s.Faults = slices.Clone(s.Faults)
			s.Faults[i] = e
			if again = o.try(s); again {
				progress = true
				break
			}
		}
	}
	return progress
}

// earlier returns the entry with an earlier begin, the earliest first.
func earlier(e Entry) (all []Entry) {
	for _, at := range lower(e.At) {
		simpler := e
		simpler.At = at
		all = append(all, simpler)
	}
	return all
}

// shorter returns the entry with a shorter duration, the shortest first.
func shorter(e Entry) (all []Entry) {
	for _, lasts := range lower(e.Lasts) {
		simpler := e
		simpler.Lasts = lasts
		all = append(all, simpler)
	}
	return all
}

// milder returns the entry with a simpler fault of its kind.
func (o *oracle) milder(e Entry) (all []Entry) {
	k, err := nemesis.Find(e.Kind)
	if err != nil {
		return nil
	}
	for _, f := range k.Simpler(e.Fault, o.least.scale()) {
		simpler := e
		simpler.Fault = f
		all = append(all, simpler)
	}
	return all
}

// lower returns durations below d, the lowest first: 0, a half, and three quarters of d, rounded to a
// round number if d is long.
func lower(d time.Duration) []time.Duration {
	round := time.Millisecond
	for _, unit := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
		if d >= 10*unit {
			round = unit
		}
	}
	var all []time.Duration
	for _, part := range []time.Duration{0, d / 2, d * 3 / 4} {
		if part = part.Truncate(round); part < d && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}
