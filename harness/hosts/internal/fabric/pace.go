package fabric

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

const (
	// retransmit is when the fabric itself sends a SYN again that was lost: as network.Retransmit. A host would wait 1 s.
	retransmit = 200 * time.Millisecond
	// latest is how long a packet that is to be late waits for one that overtakes it.
	latest = 5 * time.Millisecond
	// mostQueued bounds the bytes on a link. Further packets are lost.
	mostQueued = 64 << 20
)

// enqueue sends a packet under the rule. It is called under the lock.
func (l *link) enqueue(p packet.Packet) {
	if l.queue.bytes+len(p) > mostQueued {
		l.passed.lost.Add(1)
		return
	}
	p = slices.Clone(p)
	now := time.Now()
	i := &item{packet: p, flow: p.Flow(), share: l.random.Float64()}
	i.due = now.Add(l.wait(i) + l.transmission(now, len(p)))
	if l.rule.Loss > 0 && !l.survives(i) {
		l.kept.put(p, true)
		return
	}
	if l.rule.Reorder > 0 && l.queue.late == nil && l.random.Float64() < l.rule.Reorder {
		i.late = true
		i.due = i.due.Add(latest)
	}
	l.queue.put(i)
	if l.rule.Duplicate > 0 && l.random.Float64() < l.rule.Duplicate {
		l.queue.put(&item{packet: p, flow: i.flow, share: i.share, due: i.due, again: true})
	}
	l.plain.Store(false)
	l.rouse()
}

// wait returns how long a packet travels.
func (l *link) wait(i *item) time.Duration {
	return l.rule.Latency + time.Duration(i.share*float64(l.rule.Jitter))
}

// transmission returns how long it takes until a packet is sent, after all earlier ones.
func (l *link) transmission(now time.Time, size int) time.Duration {
	if l.rule.Bandwidth == 0 {
		return 0
	}
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(size-packet.Header) / float64(l.rule.Bandwidth) * float64(time.Second)))
	return l.free.Sub(now)
}

// survives draws whether a packet is lost. A SYN is delayed instead.
func (l *link) survives(i *item) bool {
	next := retransmit
	for l.random.Float64() < l.rule.Loss {
		l.passed.lost.Add(1)
		if s, ok := i.packet.Segment(); !ok || !s.Is(packet.SYN) {
			return false
		}
		i.due = i.due.Add(next)
		next = min(2*next, time.Minute)
	}
	return true
}

// reschedule makes packets on their way arrive as if they were sent now, if that is earlier.
func (l *link) reschedule(now time.Time) {
	l.queue.reschedule(func(i *item) time.Time {
		if sooner := now.Add(l.wait(i)); sooner.Before(i.due) {
			return sooner
		}
		return i.due
	})
}

// rouse makes the link's goroutine look at the queue, and starts it if needed. It is called under the lock.
func (l *link) rouse() {
	switch {
	case l.closed || len(l.queue.items) == 0:
	case !l.running:
		l.running = true
		l.fabric.work.Go(l.run)
	default:
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// run delivers the packets of the queue when they are due, until the link is closed.
func (l *link) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed {
		wait := time.Hour
		if len(l.queue.items) > 0 {
			wait = time.Until(l.queue.items[0].due)
		}
		if wait > 0 {
			l.mu.Unlock()
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-l.wake:
			}
			l.mu.Lock()
			continue
		}
		i := l.queue.next()
		if l.rule.Action == fault.Pass {
			l.passed.happened(i)
		}
		do := l.judge(i.packet, true)
		l.writing = true
		l.mu.Unlock()
		do()
		l.mu.Lock()
		l.writing = false
		l.setPlain()
		l.changed.Broadcast()
	}
}

// close ends the link's goroutine.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
