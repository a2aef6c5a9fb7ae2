package network

import (
	"math/bits"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Retransmit is the delay after which a sender sends a lost message again: the minimum of Linux.
const Retransmit = 200 * time.Millisecond

// delay is how long a message travels: the latency and an even draw from [0, jitter).
type delay struct {
	latency, jitter time.Duration
}

func (d delay) plus(r fault.Rule) delay {
	return delay{d.latency + r.Latency, d.jitter + r.Jitter}
}

func (d delay) of(draw uint64) time.Duration {
	share, _ := bits.Mul64(draw, uint64(d.jitter))
	return d.latency + time.Duration(share)
}

// terms are everything that a link does to messages while it is up.
type terms struct {
	delay
	loss      float64
	bandwidth int64
}

// pace is one stretch of time in which a link had the same terms.
type pace struct {
	terms
	since time.Time
	over  chan struct{} // closed when the link has other terms
}

// As Linux does, who sends again waits no longer than this, and gives up after so many times;
// here the message then arrives.
const (
	longestRetransmit = 2 * time.Minute
	mostRetransmits   = 15
)

// arrival is when a message can be read at the other end of its link.
type arrival struct {
	at   time.Time
	by   *pace  // at which it was timed last
	draw uint64 // the message's own chance
}

// send times a message of so many bytes that sets out now.
func (l *link) send(draw uint64, size int) arrival {
	a := arrival{at: time.Now(), by: l.pace.Load(), draw: draw}
	if a.by == nil {
		return a
	}
	if a.by.bandwidth > 0 {
		a.at = l.queue(a, size)
	}
	a.at = a.at.Add(a.by.of(draw) + l.lose(a))
	return a
}

// queue is when the message has gone out, which is after all that were sent before it.
func (l *link) queue(a arrival, size int) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pace.Load() != a.by {
		return a.at // timed anew when it is looked at
	}
	if l.free.Before(a.at) {
		l.free = a.at
	}
	l.free = l.free.Add(time.Duration(float64(size) / float64(a.by.bandwidth) * float64(time.Second)))
	return l.free
}

// lose is how long it takes until a message that may be lost, more than once, is sent for the last time.
func (l *link) lose(a arrival) (wait time.Duration) {
	if a.by.loss == 0 {
		return 0
	}
	next := Retransmit
	for i := range uint64(mostRetransmits) {
		if chance := float64(mix(a.draw, i)>>11) / (1 << 53); chance >= a.by.loss {
			break
		}
		l.passed.lost.Add(1)
		wait += next
		next = min(2*next, longestRetransmit)
	}
	return wait
}

// due is when the message arrives as things stand: if the link's terms have changed since it was
// sent, it arrives as if it had been sent then, should that be sooner.
func (l *link) due(a *arrival, now time.Time) time.Time {
	p := l.pace.Load()
	if p != a.by {
		sooner := now
		if p != nil {
			sooner = p.since.Add(p.of(a.draw))
		}
		if sooner.Before(a.at) {
			a.at = sooner
		}
		a.by = p
	}
	return a.at
}

// hold is what somebody waits for at a link: a time, or that a channel yields.
type hold struct {
	at   time.Time
	over <-chan struct{}
}

// hold is what to wait for while the message is not due.
func (a arrival) hold() hold {
	if a.by == nil {
		return hold{at: a.at}
	}
	return hold{a.at, a.by.over}
}

// streamID names one direction of one connection, the same in every run with the same seed:
// the link it uses, the link it was dialed over, and which connection of that link it is.
func streamID(seed uint64, use, dialed *link, number uint64) uint64 {
	return mix(seed, use.key, dialed.key, number)
}

// mix folds its arguments into one number whose every bit depends on every bit of them.
// The steps are those of the splitmix64 generator.
func mix(words ...uint64) uint64 {
	var x uint64
	for _, w := range words {
		x = (x ^ w) + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}
