// Package packet reads and makes the IPv4 packets that a fabric of hosts carries.
//
// A [Packet] begins with a header of [Header] bytes, struct virtio_net_hdr of Linux, that says whether its checksum is yet to
// be computed. The functions that make packets return whole ones, with checksums (RFC 791, RFC 9293, RFC 1071).
package packet

import (
	"encoding/binary"
	"net/netip"
)

// Header is the number of bytes in front of the IP header.
const Header = 10

// Packet is a header and an IP packet.
type Packet []byte

// Protocols of packets, as in the IP header.
const (
	ICMP = 1
	TCP  = 6
	UDP  = 17
)

// Flags of TCP segments.
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
)

const (
	ipHeader  = 20
	tcpHeader = 20
)

// Valid returns whether the packet has a whole IPv4 header, and for TCP and UDP the start of theirs. Only valid packets have
// the other methods.
func (p Packet) Valid() bool {
	if len(p) < Header+ipHeader || p[Header]>>4 != 4 {
		return false
	}
	size := p.ipSize()
	if size < ipHeader || len(p) < Header+size || int(binary.BigEndian.Uint16(p[Header+2:])) != len(p)-Header {
		return false
	}
	switch {
	case p.fragment():
		return true
	case p.Protocol() == TCP:
		t := p.payload()
		return len(t) >= tcpHeader && tcpSize(t) >= tcpHeader && tcpSize(t) <= len(t)
	case p.Protocol() == UDP:
		return len(p.payload()) >= 8
	}
	return true
}

func (p Packet) ipSize() int         { return int(p[Header]&15) * 4 }
func (p Packet) payload() []byte     { return p[Header+p.ipSize():] }
func (p Packet) fragment() bool      { return binary.BigEndian.Uint16(p[Header+6:])&0x1fff != 0 }
func tcpSize(t []byte) int           { return int(t[12]>>4) * 4 }
func (p Packet) addr(at int) [4]byte { return [4]byte(p[Header+at:]) }

// Size returns the number of bytes of the IP packet.
func (p Packet) Size() int { return len(p) - Header }

// Protocol returns the protocol above IP.
func (p Packet) Protocol() byte { return p[Header+9] }

// Source returns the address that the packet comes from.
func (p Packet) Source() netip.Addr { return netip.AddrFrom4(p.addr(12)) }

// Destination returns the address that the packet goes to.
func (p Packet) Destination() netip.Addr { return netip.AddrFrom4(p.addr(16)) }

// Flow identifies what the packet belongs to on its link: the protocol, and the ports of both ends where it has ports.
type Flow struct {
	Protocol byte
	From, To uint16
}

// Back returns the flow in the opposite direction.
func (f Flow) Back() Flow { return Flow{f.Protocol, f.To, f.From} }

// Flow returns the packet's flow.
func (p Packet) Flow() Flow {
	f := Flow{Protocol: p.Protocol()}
	if (f.Protocol == TCP || f.Protocol == UDP) && !p.fragment() {
		t := p.payload()
		f.From, f.To = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
	}
	return f
}

// Segment is what the header of a TCP segment says.
type Segment struct {
	Seq, Ack uint32
	Flags    byte
	Data     int // bytes of content
}

// Is returns whether the segment has a flag.
func (s Segment) Is(flag byte) bool { return s.Flags&flag != 0 }

// Next returns the sequence number after the segment.
func (s Segment) Next() uint32 {
	next := s.Seq + uint32(s.Data)
	if s.Is(SYN) {
		next++
	}
	if s.Is(FIN) {
		next++
	}
	return next
}

// Data returns the content of the packet's TCP segment.
func (p Packet) Data() []byte {
	t := p.payload()
	return t[tcpSize(t):]
}

// Segment returns the TCP segment of the packet, and false if it has none.
func (p Packet) Segment() (Segment, bool) {
	if p.Protocol() != TCP || p.fragment() {
		return Segment{}, false
	}
	t := p.payload()
	return Segment{
		Seq: binary.BigEndian.Uint32(t[4:]), Ack: binary.BigEndian.Uint32(t[8:]), Flags: t[13], Data: len(t) - tcpSize(t),
	}, true
}
