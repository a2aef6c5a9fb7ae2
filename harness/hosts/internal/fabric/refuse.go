package fabric

import "github.com/rejoin-db/rejoin/harness/hosts/internal/packet"

// refuse answers a packet as a host does that has no such connection, and tells the receiver that its connection has ended.
// A packet that itself ends a connection arrives.
func (l *link) refuse(p packet.Packet) {
	switch s, ok := p.Segment(); {
	case ok && s.Is(packet.RST):
		l.to.inject(p)
	case ok:
		l.from.inject(p.ResetSender())
		if s.Is(packet.ACK) {
			l.to.inject(p.ResetReceiver(0))
		}
		l.flows.forget(p)
	case p.Protocol() == packet.UDP:
		l.from.inject(p.Unreachable())
	}
}

// sever delivers the first half of a segment's content, rounded down, and resets the connection at both ends.
func (l *link) sever(p packet.Packet, s packet.Segment) {
	l.passed.resets.Add(1)
	half := s.Data / 2
	if half > 0 {
		l.deliver(p.Head(half))
	}
	l.to.inject(p.ResetReceiver(half))
	l.from.inject(p.ResetSender())
	l.flows.forget(p)
}

// resetFlows resets every TCP connection that was seen on the link or on the opposite one, at both ends.
//
// A host takes a reset only with the sequence number that it expects next (RFC 5961). That is what it acknowledged last, or,
// if its acknowledgement is not sent yet, what was delivered to it last: it gets both. To any other it answers with the right
// number, which the opposite link of a flow that is refused in both directions answers with a reset.
func (l *link) resetFlows() {
	back := l.fabric.link(l.to, l.from.number)
	if back == nil {
		return // the network was closed
	}
	there, here := l.flows.take(), back.flows.take()
	for flow, sent := range there {
		resetEnd(l.from, l.to, flow, sent, here[flow.Back()])
	}
	for flow, sent := range here {
		resetEnd(l.to, l.from, flow, sent, there[flow.Back()])
	}
}

// resetEnd resets the end of a connection at a port: there is what that end sent, and back what it was sent.
func resetEnd(at, other *Port, flow packet.Flow, there, back progress) {
	reset := func(s packet.Segment) {
		at.inject(packet.NewTCP(other.Addr().As4(), at.Addr().As4(), flow.Back(), s, nil))
	}
	if !there.acked { // it waits for the answer to its first segment
		reset(packet.Segment{Ack: there.sent, Flags: packet.RST | packet.ACK})
		return
	}
	reset(packet.Segment{Seq: there.ack, Flags: packet.RST})
	if back.arrived && back.delivered != there.ack {
		reset(packet.Segment{Seq: back.delivered, Flags: packet.RST})
	}
}
