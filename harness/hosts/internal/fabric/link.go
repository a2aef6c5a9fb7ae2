package fabric

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// link is the directed link from one port to another.
type link struct {
	fabric   *Fabric
	from, to *Port
	plain    atomic.Bool // the rule is sound, and no packet waits: the reader writes by itself
	passed   counters
	flows    flows

	mu      sync.Mutex
	changed sync.Cond // a packet was written, or the link was closed
	wake    chan struct{}
	rule    fault.Rule
	armed   bool
	queue   queue
	kept    kept
	random  *rand.Rand
	free    time.Time // when all packets so far are sent at the rule's bandwidth
	running bool      // the link's goroutine runs
	writing bool      // the link's goroutine writes a packet
	closed  bool
}

func newLink(f *Fabric, from, to *Port) *link {
	h := fnv.New64a()
	_, _ = h.Write([]byte(from.name + " to " + to.name))
	l := &link{
		fabric: f, from: from, to: to, wake: make(chan struct{}, 1),
		random: rand.New(rand.NewPCG(f.seed, h.Sum64())),
	}
	l.changed.L = &l.mu
	l.plain.Store(true)
	return l
}

// carry takes a packet from the port that it leaves. Only the goroutine that reads the port calls it.
func (l *link) carry(p packet.Packet) {
	l.flows.sent(p)
	if l.plain.Load() {
		l.deliver(p)
		return
	}
	l.mu.Lock()
	if timed(l.rule) || len(l.queue.items) > 0 || l.writing {
		l.enqueue(p)
		l.mu.Unlock()
		return
	}
	do := l.judge(p, false)
	l.mu.Unlock()
	do()
}

// timed returns whether packets must go through the queue.
func timed(r fault.Rule) bool {
	return r.Latency > 0 || r.Jitter > 0 || r.Loss > 0 || r.Bandwidth > 0 || r.Packets()
}

// judge applies the rule's action and a pending reset to a packet that arrives now, and returns what is to be done without the
// lock. own says that the packet may be kept as it is.
func (l *link) judge(p packet.Packet, own bool) func() {
	switch l.rule.Action {
	case fault.Drop:
		l.kept.put(p, own)
		return func() {}
	case fault.Refuse:
		return func() { l.refuse(p) }
	default:
		if s, ok := p.Segment(); l.armed && ok && l.flows.isNew(p, s) {
			l.armed = false
			l.setPlain()
			return func() { l.sever(p, s) }
		}
		l.kept.forget(p)
		return func() { l.deliver(p) }
	}
}

// deliver gives a packet to the port at the end of the link.
func (l *link) deliver(p packet.Packet) {
	c := l.to.device.Load()
	if c == nil {
		return
	}
	l.passed.add(p) // before: who has received a packet finds it counted
	l.flows.delivered(p)
	_ = c.Write(p) // a host that takes no packet loses it
}

// inject gives a port a packet that no host sent.
func (p *Port) inject(q packet.Packet) {
	if c := p.device.Load(); c != nil {
		_ = c.Write(q) // as lost as any packet
	}
}

// set sets the rule.
func (l *link) set(r fault.Rule) {
	l.mu.Lock()
	old := l.rule
	l.rule, l.armed = r, false
	l.setPlain()
	if terms(r) != terms(old) {
		l.free = time.Time{}
		l.reschedule(time.Now())
	}
	if r.Action == fault.Pass && r.Loss == 0 {
		for _, p := range l.kept.take() {
			l.enqueue(p)
		}
	}
	for r.Action != fault.Pass && l.writing {
		l.changed.Wait() // a packet that arrives under the old rule arrives before set returns
	}
	l.rouse()
	l.mu.Unlock()
	if r.Action == fault.Refuse && old.Action != fault.Refuse {
		l.resetFlows()
	}
}

// terms returns the part of a rule that says when packets arrive.
func terms(r fault.Rule) fault.Rule {
	r.Action = fault.Pass
	return r
}

// arm makes the next segment with content be cut in half.
func (l *link) arm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = true
	l.setPlain()
}

// setPlain is called under the lock after each change of what it looks at.
func (l *link) setPlain() {
	l.plain.Store(l.rule == fault.Rule{} && !l.armed && len(l.queue.items) == 0 && !l.writing)
}
