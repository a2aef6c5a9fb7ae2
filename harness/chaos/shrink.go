package chaos

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"
)

// Shrink returns the smallest schedule it finds that still fails: with the fewest
// faults, then the fewest workloads and operations, then the simplest times and
// numbers. First it leaves out parts of the faults, the larger the sooner (ddmin:
// Zeller and Hildebrandt, IEEE TSE 2002), which needs few runs; then rapid, from
// whose space the schedule was drawn, gets to the details. It takes about as long
// as budget, by the real clock. A schedule that was not drawn from the space is
// spared the details. fails is asked for one schedule at a time, and never twice
// for the same.
func Shrink(ctx context.Context, s Schedule, space Space, budget time.Duration, fails func(context.Context, Schedule) bool) Schedule {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	o := &oracle{ctx: ctx, fails: fails, known: make(map[string]bool), least: s}
	o.fewerFaults()
	o.fewerClients()
	o.fewerOperations()
	o.simpler(s, space)
	return o.least
}

// oracle knows which schedules fail, and the smallest of them. Once ctx has ended
// it runs none any more.
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
			s.Faults = slices.Concat([]Fault{}, all.Faults[:from], all.Faults[to:])
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

// fewerClients leaves workloads and clients out.
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

// contained tells whether the schedule is the least one with more faults or
// workloads. Then it is taken to fail: it was made from such a one.
func (o *oracle) contained(s Schedule) bool {
	least := o.least
	if s.Clients < least.Clients || s.Length != least.Length || s.Nodes != least.Nodes || s.Pace != least.Pace {
		return false
	}
	for _, w := range least.Workloads {
		if !slices.Contains(s.Workloads, w) {
			return false
		}
	}
	rest := s.Faults
	for _, f := range least.Faults {
		at := slices.Index(rest, f)
		if at < 0 {
			return false
		}
		rest = rest[at+1:]
	}
	return true
}

// simpler has rapid shrink what the schedule was drawn from. The superfluous costs
// it no run: it is known to be superfluous.
func (o *oracle) simpler(s Schedule, space Space) {
	if s.Seed == 0 || !reflect.DeepEqual(Draw(s.Seed, space), s) {
		return
	}
	most, rate := o.least.Most, o.least.Rate
	deadline, _ := o.ctx.Deadline()
	minimize(o.ctx, s.Seed, time.Until(deadline), Schedules(space), func(drawn Schedule) bool {
		if o.ctx.Err() != nil {
			return false
		}
		drawn.Seed = s.Seed
		switch {
		case o.contained(drawn):
			return true
		case len(drawn.Faults) > len(o.least.Faults) || len(drawn.Workloads) > len(o.least.Workloads):
			return false // what is superfluous is left out first
		}
		drawn.Most, drawn.Rate = most, rate
		return o.try(drawn)
	})
}
