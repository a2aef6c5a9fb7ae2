package packet

import (
	"encoding/binary"
	"slices"
)

// Head returns the TCP segment with only the first n bytes of its content.
func (p Packet) Head(n int) Packet {
	head := slices.Clone(p[:Header+p.ipSize()+tcpSize(p.payload())+n])
	clear(head[:Header]) // its checksum is whole
	ip := head[Header:]
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	t := head.payload()
	t[13] &^= FIN
	head.sum()
	return head
}

// ResetSender returns the segment that makes the sender of a TCP segment give its connection up: the answer of a host that
// has no such connection.
func (p Packet) ResetSender() Packet {
	s, _ := p.Segment()
	flow := p.Flow()
	if s.Is(ACK) {
		return NewTCP(p.addr(16), p.addr(12), flow.Back(), Segment{Seq: s.Ack, Flags: RST}, nil)
	}
	return NewTCP(p.addr(16), p.addr(12), flow.Back(), Segment{Ack: s.Next(), Flags: RST | ACK}, nil)
}

// ResetReceiver returns the segment that makes the receiver of a TCP segment give its connection up, in place of that
// segment after the first n bytes of its content.
func (p Packet) ResetReceiver(n int) Packet {
	s, _ := p.Segment()
	return NewTCP(p.addr(12), p.addr(16), p.Flow(), Segment{Seq: s.Seq + uint32(n), Ack: s.Ack, Flags: RST | s.Flags&ACK}, nil)
}

// NewTCP returns a packet with a TCP segment.
func NewTCP(from, to [4]byte, flow Flow, s Segment, data []byte) Packet {
	p := make(Packet, Header+ipHeader+tcpHeader, Header+ipHeader+tcpHeader+len(data))
	p = append(p, data...)
	fillIP(p, from, to, TCP)
	t := p.payload()
	binary.BigEndian.PutUint16(t, flow.From)
	binary.BigEndian.PutUint16(t[2:], flow.To)
	binary.BigEndian.PutUint32(t[4:], s.Seq)
	binary.BigEndian.PutUint32(t[8:], s.Ack)
	t[12], t[13] = tcpHeader/4<<4, s.Flags
	p.sum()
	return p
}

// Unreachable returns the answer of a host that has no socket for a UDP packet (RFC 792, type 3, code 3).
func (p Packet) Unreachable() Packet {
	quoted := p[Header:min(len(p), Header+p.ipSize()+8)]
	q := make(Packet, Header+ipHeader+8+len(quoted))
	fillIP(q, p.addr(16), p.addr(12), ICMP)
	t := q.payload()
	t[0], t[1] = 3, 3
	copy(t[8:], quoted)
	q.sum()
	return q
}

func fillIP(p Packet, from, to [4]byte, protocol byte) {
	ip := p[Header:]
	ip[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip[6] = 0x40 // it is not to be fragmented
	ip[8], ip[9] = 64, protocol
	copy(ip[12:], from[:])
	copy(ip[16:], to[:])
}

// sum sets all checksums.
func (p Packet) sum() {
	ip, t := p[Header:Header+p.ipSize()], p.payload()
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], ^fold(add(0, ip)))
	switch p.Protocol() {
	case ICMP:
		binary.BigEndian.PutUint16(t[2:], 0)
		binary.BigEndian.PutUint16(t[2:], ^fold(add(0, t)))
	case TCP:
		binary.BigEndian.PutUint16(t[16:], 0)
		pseudo := add(uint32(TCP)+uint32(len(t)), ip[12:20])
		binary.BigEndian.PutUint16(t[16:], ^fold(add(pseudo, t)))
	}
}

// add adds words in one's complement. It takes at most 64 KiB.
func add(sum uint32, data []byte) uint32 {
	for len(data) >= 2 {
		sum += uint32(binary.BigEndian.Uint16(data))
		data = data[2:]
	}
	if len(data) == 1 {
		sum += uint32(data[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
