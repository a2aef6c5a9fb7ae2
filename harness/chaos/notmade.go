package chaos

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness"
)

// errInTheWay is why a fault is not made: the node that it is about has another fault
// of the schedule, or the schedule has removed it.
var errInTheWay = errors.New("other faults are in its way")

// notMade counts a fault that could not be made if there is a good reason, and makes
// the run fail if there is none. ends are the nodes that the fault was about.
func (p *play) notMade(place int, f Fault, ends []int, err error) {
	switch {
	case errors.Is(err, errInTheWay) || p.isAway(err, ends):
		p.count(f.Kind, Count{InTheWay: 1})
	case lacksQuorum(f.Kind, err) && p.isTroubled(place):
		p.count(f.Kind, Count{NoQuorum: 1})
	default:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.unmade = append(p.unmade, fmt.Errorf("make %v: %w", f, err))
	}
}

// lacksQuorum tells whether the error can be that there is no leader or no quorum. What a
// target says of members that it could not change is its own.
func lacksQuorum(k Kind, err error) bool {
	return k == AddNode || k == RemoveNode || k == IsolateLeader && errors.Is(err, harness.ErrNoLeader)
}

// isAway tells whether the error comes from a node that the schedule has already taken
// offline or removed, or is removing.
func (p *play) isAway(err error, nodes []int) bool {
	return errors.Is(err, harness.ErrAlreadyOffline) || isRemoved(err) || slices.ContainsFunc(nodes, p.isLeaving)
}

// isRemoved tells whether the error comes from a node that is no member, or is being
// removed.
func isRemoved(err error) bool {
	var gone *harness.RemovedError
	return errors.As(err, &gone) || errors.Is(err, harness.ErrBeingRemoved)
}

// unlessRemoved drops an error about nodes of which one is removed, or is being removed:
// nothing of it is left to undo.
func (p *play) unlessRemoved(err error, nodes ...int) error {
	if isRemoved(err) || slices.ContainsFunc(nodes, p.isLeaving) {
		return nil
	}
	return err
}

// endsOf are the nodes that a fault is about, or the places where its link ends.
func (p *play) endsOf(f Fault) []int {
	switch {
	case f.Kind.ofLink():
		return []int{f.Node, f.Other}
	case f.Kind.ofNode(), f.Kind.ofClock():
		return []int{f.Node}
	case f.Kind == Partition, f.Kind == IsolateLeader:
		return p.others(-1)
	}
	return nil
}

// calmAfter is how many paces the cluster has to elect a leader once a fault is undone.
const calmAfter = 20

// isTroubled tells whether a fault other than the one at that place, which can take a
// leader or a quorum away, is in force, or was until a moment ago.
func (p *play) isTroubled(place int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for other, f := range p.working {
		if other != place && f.Kind.isTrouble() {
			return true
		}
	}
	return !p.calm.IsZero() && time.Since(p.calm) < calmAfter*max(p.schedule.Pace, leastPace)
}

// isTrouble tells whether such a fault can take a leader or a quorum away.
func (k Kind) isTrouble() bool { return !k.ofClock() && k != AddNode }

// leastPace stands for the pace of a target that has its own.
const leastPace = 50 * time.Millisecond

// work notes that a fault is made or in force, from before it is made.
func (p *play) work(place int, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.working[place] = f
}

// rest notes that a fault is undone, or was not made.
func (p *play) rest(place int, made bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if made && p.working[place].Kind.isTrouble() {
		p.calm = time.Now()
	}
	delete(p.working, place)
}

// leave notes that the schedule is removing the node, until the returned function is called.
func (p *play) leave(node int) (over func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving[node] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.leaving, node)
	}
}

// isLeaving tells whether the node is being removed, or was.
func (p *play) isLeaving(node int) bool {
	p.mu.Lock()
	leaving := p.leaving[node]
	p.mu.Unlock()
	return leaving || !p.is(node)
}
