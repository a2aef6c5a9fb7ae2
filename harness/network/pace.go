package network

import (
	"math/bits"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Retransmit is the delay after which a lost message is sent again: the minimum of Linux.
const Retransmit = 200 * time.Millisecond

// delay is the travel time of a message: the latency plus a uniform random duration in [0,
// jitter).
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

// terms are the properties of a link that affect messages while it is up.
type terms struct {
	delay
	loss      float64
	bandwidth int64
}

// pace is a period in which a link has the same terms.
type pace struct {
	terms
	since time.Time
	over  chan struct{} // closed when the terms change
}

// As in Linux, the retransmission timeout is bounded, and so is the number of retransmissions.
// After the last one the message arrives.
const (
	maxRetransmit      = 2 * time.Minute
	maxRetransmissions = 15
)

// arrival is the time at which a message can be read at the other end of its link.
type arrival struct {
	at   time.Time
	by   *pace  // pace of the last scheduling
	draw uint64 // the message's random number
}

// send schedules a message of size bytes that is sent now.
func (l *link) send(draw uint64, size int) arrival {
	a := arrival{at: time.Now(), by: l.pace.Load(), draw: draw}
	if a.by == nil {
		return a
	}
	if a.by.bandwidth > 0 {
		a.at = l.queue(a, size)
	}
	a.at = a.at.Add(a.by.of(draw) + l.retransmitDelay(a))
	return a
}

// queue returns the time at which the message is sent, after all earlier ones.
func (l *link) queue(a arrival, size int) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pace.Load() != a.by {
		return a.at // rescheduled by due
	}
	if l.free.Before(a.at) {
		l.free = a.at
	}
	l.free = l.free.Add(time.Duration(float64(size) / float64(a.by.bandwidth) * float64(time.Second)))
	return l.free
}

// retransmitDelay returns the delay of a message by losses, and counts them.
func (l *link) retransmitDelay(a arrival) (wait time.Duration) {
	if a.by.loss == 0 {
		return 0
	}
	next := Retransmit
	for i := range uint64(maxRetransmissions) {
		if chance := float64(mix(a.draw, i)>>11) / (1 << 53); chance >= a.by.loss {
			break
		}
		l.passed.lost.Add(1)
		wait += next
		next = min(2*next, maxRetransmit)
	}
	return wait
}

// due returns when the message arrives under the current terms. If these have changed since it
// was sent, it arrives as if it had been sent at the change, if that is earlier.
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

// hold is what a call waits for at a link: a time, or a channel.
type hold struct {
	at   time.Time
	over <-chan struct{}
}

// hold returns what to wait for until the message is due.
func (a arrival) hold() hold {
	if a.by == nil {
		return hold{at: a.at}
	}
	return hold{a.at, a.by.over}
}

// streamID identifies one direction of one connection, equally in every run with the same seed:
// by its link, the link over which it was dialed, and its number on that link.
func streamID(seed uint64, use, dialed *link, number uint64) uint64 {
	return mix(seed, use.key, dialed.key, number)
}

// mix hashes its arguments with the steps of the splitmix64 generator: every bit of the result
// depends on every bit of the arguments.
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
