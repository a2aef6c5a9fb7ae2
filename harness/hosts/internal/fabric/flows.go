package fabric

import (
	"sync"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// flows remembers how far the TCP connections of a link have come in its direction, so that they can be reset.
type flows struct {
	mu   sync.Mutex
	all  map[packet.Flow]*progress
	last packet.Flow // the flow of one
	one  *progress
}

// progress is how far a connection has come in one direction.
type progress struct {
	sent      uint32 // the sequence number after all that was sent
	ack       uint32 // what the sender expects next from the other end
	delivered uint32 // the sequence number after all that arrived
	acked     bool   // ack is set
	arrived   bool   // delivered is set
	finished  bool
}

// mostFlows bounds what a link remembers. Beyond it, a link that begins to refuse resets some connections only when they are
// used.
const mostFlows = 4096

// sent notes a packet that a host sent.
func (f *flows) sent(p packet.Packet) {
	s, ok := p.Segment()
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Is(packet.RST) {
		f.forgetLocked(p.Flow())
		return
	}
	g, found := f.find(p.Flow())
	if next := s.Next(); !found || s.Is(packet.SYN) || after(next, g.sent) {
		g.sent = next
	}
	if s.Is(packet.SYN) {
		g.arrived = false
	}
	if s.Is(packet.ACK) {
		g.ack, g.acked = s.Ack, true
	} else {
		g.acked = false
	}
	g.finished = g.finished || s.Is(packet.FIN)
}

// delivered notes a packet that arrived.
func (f *flows) delivered(p packet.Packet) {
	s, ok := p.Segment()
	if !ok || s.Is(packet.RST) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	g, _ := f.find(p.Flow())
	if next := s.Next(); !g.arrived || after(next, g.delivered) {
		g.delivered, g.arrived = next, true
	}
}

// isNew returns whether a segment has content that has not arrived yet: a segment that was sent again is no new message.
func (f *flows) isNew(p packet.Packet, s packet.Segment) bool {
	if s.Data == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.all[p.Flow()]
	return g == nil || !g.arrived || after(s.Next(), g.delivered)
}

// find returns the progress of a flow, which is new if it was not found.
func (f *flows) find(flow packet.Flow) (_ *progress, found bool) {
	if f.one != nil && f.last == flow {
		return f.one, true
	}
	g := f.all[flow]
	found = g != nil
	if !found {
		if len(f.all) >= mostFlows {
			f.shrink()
		}
		if f.all == nil {
			f.all = map[packet.Flow]*progress{}
		}
		g = &progress{}
		f.all[flow] = g
	}
	f.last, f.one = flow, g
	return g, found
}

// shrink forgets the connections that were closed, or any half of them all.
func (f *flows) shrink() {
	for flow, g := range f.all {
		if g.finished {
			delete(f.all, flow)
		}
	}
	for flow := range f.all {
		if len(f.all) <= mostFlows/2 {
			return
		}
		delete(f.all, flow)
	}
}

func (f *flows) forget(p packet.Packet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgetLocked(p.Flow())
}

func (f *flows) forgetLocked(flow packet.Flow) {
	delete(f.all, flow)
	if f.last == flow {
		f.one = nil
	}
}

// take returns all flows, and forgets them.
func (f *flows) take() map[packet.Flow]progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := make(map[packet.Flow]progress, len(f.all))
	for flow, g := range f.all {
		taken[flow] = *g
	}
	f.all, f.one = nil, nil
	return taken
}

// after returns whether a sequence number comes after another one (RFC 9293, section 3.4).
func after(a, b uint32) bool { return int32(a-b) > 0 }
