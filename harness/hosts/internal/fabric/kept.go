package fabric

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// kept holds the last packet of each flow that did not arrive. It is delivered late, when the link heals, as a network may:
// its receiver answers, and TCP goes on at once, not when its next retransmission is due.
type kept struct {
	packets map[packet.Flow]packet.Packet
	order   []packet.Flow // the oldest first
	bytes   int
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
		k.packets = map[packet.Flow]packet.Packet{}
	}
	flow := p.Flow()
	k.packets[flow] = p
	k.order = append(k.order, flow)
	k.bytes += len(p)
	for k.bytes > mostKept {
		k.remove(k.order[0])
	}
}

// forget forgets the packet of a flow: a later one has arrived.
func (k *kept) forget(p packet.Packet) {
	if len(k.packets) > 0 {
		k.remove(p.Flow())
	}
}

func (k *kept) remove(flow packet.Flow) {
	if p, ok := k.packets[flow]; ok {
		delete(k.packets, flow)
		k.bytes -= len(p)
		at := slices.Index(k.order, flow)
		k.order = slices.Delete(k.order, at, at+1)
	}
}

// take returns all packets, the oldest first, and keeps none.
func (k *kept) take() []packet.Packet {
	var all []packet.Packet
	for _, flow := range k.order {
		all = append(all, k.packets[flow])
	}
	*k = kept{}
	return all
}
