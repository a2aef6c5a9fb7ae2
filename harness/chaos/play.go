package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
)

// play is a schedule that is being run.
type play struct {
	cluster  *harness.Cluster
	schedule Schedule
	begun    time.Time
	loads    []*Running

	mu         sync.Mutex
	taken      map[int]Kind  // nodes that a fault has for itself
	forgetting bool          // one of them is to come back with an empty disk
	struck     map[int]bool  // nodes that have crashed in the middle of a snapshot
	active     map[int]Fault // those in force, by their place in the schedule
	counts     map[Kind]Count
	reached    map[Goal]int
	undone     []error // why faults could not be undone
}

func newPlay(c *harness.Cluster, s Schedule) *play {
	return &play{
		cluster: c, schedule: s, begun: time.Now(),
		taken: make(map[int]Kind), struck: make(map[int]bool), active: make(map[int]Fault), counts: make(map[Kind]Count), reached: make(map[Goal]int),
	}
}

// errNotNow is why a fault is not made: others are in its way.
var errNotNow = errors.New("other faults are in its way")

// fault makes a fault at its time and undoes it, when making is over at the latest.
func (p *play) fault(ctx, making context.Context, place int, f Fault) {
	if !pass(making, f.At-time.Since(p.begun)) {
		return
	}
	if !p.take(f) {
		p.count(f.Kind, Count{NotMade: 1})
		return
	}
	before := p.sight(ctx, f)
	undo, err := p.make(ctx, f)
	if err != nil {
		p.release(f)
		p.count(f.Kind, Count{NotMade: 1})
		return
	}
	p.activate(place, f)
	pass(making, f.Lasts)
	bit := f.bit(before, p.sight(ctx, f))
	err = undo(ctx)
	p.deactivate(place)
	if err != nil { // who has not come back is not to be met by more
		p.mu.Lock()
		defer p.mu.Unlock()
		p.undone = append(p.undone, fmt.Errorf("undo %v: %w", f, err))
		return
	}
	p.release(f)
	count := Count{Made: 1}
	if bit {
		count.Bit = 1
	}
	p.count(f.Kind, count)
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

func (c Count) plus(d Count) Count {
	return Count{c.Made + d.Made, c.Bit + d.Bit, c.NotMade + d.NotMade}
}
