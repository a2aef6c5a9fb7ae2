package fabric

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// kept holds the last packet of each flow that did not arrive, and the last one with content. They are delivered late, when the
// link heals, as a network may: their receiver answers, and TCP goes on at once, not when its next retransmission is due.
type kept struct {
	packets map[place]packet.Packet
	order   []place // the oldest first
	bytes   int
}

// place is where a packet is kept. A segment without content does not displace one with content, which it may follow.
type place struct {
	flow  packet.Flow
	empty bool
}

func placeOf(p packet.Packet) place {
	s, ok := p.Segment()
	return place{p.Flow(), ok && s.Next() == s.Seq}
}

// mostKept bounds the bytes that a link keeps. The oldest packets are lost first.
const mostKept = 8 << 20

// put keeps a packet, or a copy unless it is the caller's own.
func (k *kept) put(p packet.Packet, own bool) {
	k.forget(p)
	if !own {
		p = slices.Clone(p)
	}
	if k.packets == nil {
		k.packets = map[place]packet.Packet{}
	}
	at := placeOf(p)
	k.packets[at] = p
	k.order = append(k.order, at)
	k.bytes += len(p)
	for k.bytes > mostKept {
		k.remove(k.order[0])
	}
}

// forget forgets the packet of the same place: a later one has arrived.
func (k *kept) forget(p packet.Packet) {
	if len(k.packets) > 0 {
		k.remove(placeOf(p))
	}
}

func (k *kept) remove(from place) {
	if p, ok := k.packets[from]; ok {
		delete(k.packets, from)
		k.bytes -= len(p)
		at := slices.Index(k.order, from)
		k.order = slices.Delete(k.order, at, at+1)
	}
}

// take returns all packets, the oldest first, and keeps none.
func (k *kept) take() []packet.Packet {
	var all []packet.Packet
	for _, at := range k.order {
		all = append(all, k.packets[at])
	}
	*k = kept{}
	return all
}
