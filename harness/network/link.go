package network

import (
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// link is the way from one host to another. The links of a host to itself are always sound.
//
// A connection that is untroubled looks at cut, pace and sever, and finds nothing there.
type link struct {
	from, to string
	key      uint64               // its name, for streamID
	cut      atomic.Pointer[cut]  // nil while the link is up
	pace     atomic.Pointer[pace] // nil while messages arrive at once
	sever    atomic.Bool          // the next message is cut in half
	dialed   atomic.Uint64        // connections opened in this direction
	passed   counters

	mu   sync.Mutex
	rule fault.Rule
	base delay     // the network's
	free time.Time // when all that was sent at the rule's bandwidth has gone out
}

func newLink(from, to string) *link {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q to %q", from, to)
	return &link{from: from, to: to, key: h.Sum64()}
}

// cut is one stretch of time in which a link is not up.
type cut struct {
	action fault.Action
	over   chan struct{} // closed when the link is mended or cut in another way
}

func (l *link) action() fault.Action {
	if c := l.cut.Load(); c != nil {
		return c.action
	}
	return fault.Pass
}

// paced tells whether messages must be looked at one by one.
func (l *link) paced() bool { return l.pace.Load() != nil || l.sever.Load() }

// troubled tells whether the link is anything but sound.
func (l *link) troubled() bool { return l.cut.Load() != nil || l.paced() }

// severs tells a message that it is the one to be cut in half.
func (l *link) severs() bool {
	if l.sever.Load() && l.cut.Load() == nil && l.sever.CompareAndSwap(true, false) {
		l.passed.resets.Add(1)
		return true
	}
	return false
}

// change makes the rule another, and wakes whoever waits for what the old one said.
func (l *link) change(f func(*fault.Rule)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.rule)
	l.setPaceLocked()
	l.setActionLocked()
}

// setBase makes the network's delay another.
func (l *link) setBase(d delay) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base = d
	l.setPaceLocked()
}

func (l *link) setActionLocked() {
	m, old := l.rule.Action, l.cut.Load()
	if m == l.action() {
		return
	}
	var next *cut
	if m != fault.Pass {
		next = &cut{action: m, over: make(chan struct{})}
	}
	l.cut.Store(next)
	if old != nil {
		close(old.over)
	}
}

// setPaceLocked leaves a pace alone that stays what it is: what is under way must not be timed anew.
func (l *link) setPaceLocked() {
	var next *pace
	if want := (terms{l.base.plus(l.rule), l.rule.Loss, l.rule.Bandwidth}); want != (terms{}) {
		next = &pace{terms: want, since: time.Now(), over: make(chan struct{})}
	}
	old := l.pace.Load()
	if next == nil && old == nil || next != nil && old != nil && next.terms == old.terms {
		return
	}
	l.free = time.Time{}
	l.pace.Store(next)
	if old != nil {
		close(old.over)
	}
}
