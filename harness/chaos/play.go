package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// play is a schedule that is being run.
type play struct {
	cluster  *harness.Cluster
	schedule Schedule
	begun    time.Time
	loads    []*workload.Running

	mu         sync.Mutex
	taken      map[int]Kind  // nodes that a fault has for itself
	forgetting bool          // one of them is to come back with an empty disk
	struck     map[int]bool  // nodes that have crashed in the middle of a snapshot
	active     map[int]Fault // those in force, by their place in the schedule
	working    map[int]Fault // those that are made, in force or undone, by their place
	calm       time.Time     // when the last that was trouble was over; zero if none was
	leaving    map[int]bool  // nodes that are being removed
	counts     map[Kind]Count
	reached    map[Goal]int
	unmade     []error // why faults could not be made, without a good reason
	undone     []error // why faults could not be undone
}

func newPlay(c *harness.Cluster, s Schedule) *play {
	return &play{
		cluster: c, schedule: s, begun: time.Now(),
		taken: make(map[int]Kind), struck: make(map[int]bool), leaving: make(map[int]bool),
		active: make(map[int]Fault), working: make(map[int]Fault), counts: make(map[Kind]Count), reached: make(map[Goal]int),
	}
}

// fault makes a fault at its time and undoes it, when making is over at the latest.
func (p *play) fault(ctx, making context.Context, place int, f Fault) {
	if f.At >= p.schedule.Length || !pass(making, f.At-time.Since(p.begun)) {
		p.count(f.Kind, Count{NotDue: 1})
		return
	}
	if slices.ContainsFunc(f.Kind.needs(), func(a target.Ability) bool { return !p.cluster.Can(a) }) {
		p.count(f.Kind, Count{Unsupported: 1})
		return
	}
	if !p.take(f) {
		p.count(f.Kind, Count{InTheWay: 1})
		return
	}
	p.work(place, f)
	before := p.sight(ctx, f)
	ends := p.endsOf(f)
	undo, err := p.make(ctx, f)
	if err != nil {
		p.notMade(place, f, ends, err)
		p.rest(place, false)
		p.release(f)
		return
	}
	p.activate(place, f)
	pass(making, f.Lasts)
	after := p.sight(ctx, f)
	err = undo(ctx)
	p.deactivate(place)
	p.rest(place, true)
	p.count(f.Kind, f.made(before, after))
	if err != nil { // who has not come back is not to be met by more
		p.mu.Lock()
		defer p.mu.Unlock()
		p.undone = append(p.undone, fmt.Errorf("undo %v: %w", f, err))
		return
	}
	p.release(f)
}

// made counts a fault that was made, by what was seen before and after.
func (f Fault) made(before, after sight) Count {
	switch {
	case before.blind || after.blind:
		return Count{Made: 1, Unseen: 1}
	case f.bit(before, after):
		return Count{Made: 1, Bit: 1}
	}
	return Count{Made: 1}
}

// pass waits, and tells whether the time has passed before ctx ended.
func pass(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// take reserves what a fault has for itself, if it is free. A node that forgets is
// one among others that are all sound.
func (p *play) take(f Fault) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	alone := f.Kind.forgets() || f.Kind == RemoveNode
	switch {
	case alone && len(p.taken) > 0, (alone || f.Kind == CrashAll) && p.forgetting:
		return false
	case f.Kind == CrashAll:
		if len(p.taken) > 0 {
			return false
		}
		for _, node := range p.cluster.Nodes() {
			p.taken[node.Index()] = f.Kind
		}
	case f.Kind.ofNode():
		if _, err := p.cluster.Node(f.Node); err != nil {
			return false
		}
		if _, taken := p.taken[f.Node]; taken {
			return false
		}
		p.taken[f.Node] = f.Kind
	}
	p.forgetting = p.forgetting || alone
	return true
}

func (p *play) release(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case f.Kind == CrashAll:
		maps.DeleteFunc(p.taken, func(_ int, k Kind) bool { return k == CrashAll })
	case f.Kind.ofNode():
		delete(p.taken, f.Node)
	}
	if f.Kind.forgets() || f.Kind == RemoveNode {
		p.forgetting = false
	}
}

func (p *play) activate(place int, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[place] = f
}

func (p *play) deactivate(place int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, place)
}

func (p *play) count(k Kind, more Count) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[k] = p.counts[k].plus(more)
}
