package network

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"time"
)

// delay is how long a message travels: the latency and an even draw from [0, jitter).
type delay struct {
	latency, jitter time.Duration
}

// SetDelay makes every message sent over the link arrive after latency and up to jitter more.
// Messages of one connection never overtake each other. Zero and zero take the delay away.
//
// A message is what one Write sent. In memory this goes for all that is sent from now on. Over TCP
// it goes for connections that are dialed while either of their links has a delay; those then follow
// every later change, while those that exist already stay as fast as they were.
func (n *Network) SetDelay(from, to string, latency, jitter time.Duration) error {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return fmt.Errorf("delay what %s sends to %s: %w", from, to, err)
	}
	if latency < 0 || jitter < 0 {
		return fmt.Errorf("delay what %s sends to %s: neither %v nor %v may be negative", from, to, latency, jitter)
	}
	if latency == 0 && jitter == 0 {
		l.delay.Store(nil)
		return nil
	}
	l.delay.Store(&delay{latency, jitter})
	return nil
}

// lag is how long message number i of a stream travels over the link.
func (l *link) lag(stream, i uint64) time.Duration {
	d := l.delay.Load()
	if d == nil {
		return 0
	}
	share, _ := bits.Mul64(mix(stream, i), uint64(d.jitter))
	return d.latency + time.Duration(share)
}

// streamID names one direction of one connection, the same in every run with the same seed:
// the link it uses, the link it was dialed over, and which connection of that link it is.
func streamID(seed uint64, use, dialed *link, number uint64) uint64 {
	return mix(seed, use.key(), dialed.key(), number)
}

func (l *link) key() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q to %q", l.from, l.to)
	return h.Sum64()
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
