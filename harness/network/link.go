package network

import (
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// link is the directed link from one host to another. The link of a host to itself is never
// impaired.
//
// An unimpaired connection only loads cut, pace and sever, and finds nothing there.
type link struct {
	from, to string
	key      uint64               // hash of its name, for streamID
	cut      atomic.Pointer[cut]  // nil while the link is up
	pace     atomic.Pointer[pace] // nil while messages arrive immediately
	sever    atomic.Bool          // the next message is cut in half
	dialed   atomic.Uint64        // number of connections dialed over this link
	refused  atomic.Uint64        // number of times that it began to refuse
	passed   counters

	mu   sync.Mutex
	rule fault.Rule
	base delay     // delay of the whole network
	free time.Time // time at which all messages so far are sent at the rule's bandwidth
}

func newLink(from, to string) *link {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q to %q", from, to)
	return &link{from: from, to: to, key: h.Sum64()}
}

// cut is a period in which a link is not up.
type cut struct {
	action fault.Action
	over   chan struct{} // closed when the link is mended or its action changes
}

func (l *link) action() fault.Action {
	if c := l.cut.Load(); c != nil {
		return c.action
	}
	return fault.Pass
}

// paced returns whether messages must be handled one by one.
func (l *link) paced() bool { return l.pace.Load() != nil || l.sever.Load() }

// impaired returns whether the link has any fault.
func (l *link) impaired() bool { return l.cut.Load() != nil || l.paced() }

// severs returns whether the current message is the one to be cut in half.
func (l *link) severs() bool {
	if l.sever.Load() && l.cut.Load() == nil && l.sever.CompareAndSwap(true, false) {
		l.passed.resets.Add(1)
		return true
	}
	return false
}

// change changes the rule, and wakes calls that wait under the old one.
func (l *link) change(f func(*fault.Rule)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.rule)
	l.setPaceLocked()
	l.setActionLocked()
}

// setBase sets the network's delay.
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
	if m == fault.Refuse {
		l.refused.Add(1)
	}
	l.cut.Store(next)
	if old != nil {
		close(old.over)
	}
}

// setPaceLocked keeps an unchanged pace, so that messages in flight are not rescheduled.
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
