package packet_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

func TestPacket(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Packet")
}

var (
	from = netip.MustParseAddr("10.0.0.1")
	to   = netip.MustParseAddr("10.0.0.2")
	flow = packet.Flow{Protocol: packet.TCP, From: 40000, To: 7000}
)

func segment(s packet.Segment, data string) packet.Packet {
	return packet.NewTCP(from.As4(), to.As4(), flow, s, []byte(data))
}

// sound checks the checksums word by word, as RFC 1071 defines them.
func sound(p packet.Packet) {
	GinkgoHelper()
	Expect(p.Valid()).To(BeTrue())
	ip := p[packet.Header:]
	Expect(sum(ip[:20])).To(BeEquivalentTo(0xffff))
	upper := append([]byte(nil), ip[20:]...)
	if p.Protocol() == packet.TCP {
		pseudo := append(append([]byte(nil), ip[12:20]...), 0, packet.TCP)
		upper = append(binary.BigEndian.AppendUint16(pseudo, uint16(len(ip)-20)), upper...)
	}
	Expect(sum(upper)).To(BeEquivalentTo(0xffff))
}

func sum(data []byte) (total uint64) {
	for i, b := range data {
		total += uint64(b) << (8 * (1 - i%2))
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return total
}

var _ = Describe("a packet", func() {
	It("says what it is", func() {
		p := segment(packet.Segment{Seq: 5, Ack: 9, Flags: packet.ACK | packet.FIN}, "hello")
		sound(p)
		Expect(p.Source()).To(Equal(from))
		Expect(p.Destination()).To(Equal(to))
		Expect(p.Flow()).To(Equal(flow))
		Expect(p.Size()).To(Equal(45))
		s, ok := p.Segment()
		Expect(ok).To(BeTrue())
		Expect(s).To(Equal(packet.Segment{Seq: 5, Ack: 9, Flags: packet.ACK | packet.FIN, Data: 5}))
		Expect(s.Next()).To(BeEquivalentTo(11))
	})

	DescribeTable("has a head with sound checksums", func(size, n int) {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * 7)
		}
		head := segment(packet.Segment{Seq: 5, Flags: packet.ACK | packet.FIN}, string(data)).Head(n)
		sound(head)
		Expect(head.Data()).To(Equal(data[:n]))
		s, _ := head.Segment()
		Expect(s.Flags).To(BeEquivalentTo(packet.ACK))
	}, Entry("odd", 7, 3), Entry("even", 8, 4), Entry("empty", 1, 0), Entry("long", 64_000, 32_000))

	It("is answered by resets and by an ICMP message with sound checksums", func() {
		p := segment(packet.Segment{Seq: 5, Ack: 9, Flags: packet.ACK}, "hello")
		sound(p.ResetSender())
		sound(p.ResetReceiver(2))
		sound(p.Unreachable())
		s, _ := p.ResetSender().Segment()
		Expect(s).To(Equal(packet.Segment{Seq: 9, Flags: packet.RST}))
		Expect(p.ResetSender().Destination()).To(Equal(from))
		s, _ = p.ResetReceiver(2).Segment()
		Expect(s).To(Equal(packet.Segment{Seq: 7, Ack: 9, Flags: packet.RST | packet.ACK}))
		Expect(p.Unreachable().Destination()).To(Equal(from))
	})
})

// FuzzValid checks that a packet that is valid can be read and answered.
func FuzzValid(f *testing.F) {
	f.Add([]byte(segment(packet.Segment{Seq: 5, Flags: packet.ACK}, "hello")))
	f.Add([]byte(segment(packet.Segment{}, "").Unreachable()))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := packet.Packet(data)
		if !p.Valid() {
			return
		}
		if s, ok := p.Segment(); ok {
			if s.Data != len(p.Data()) || !p.Head(s.Data/2).Valid() || !p.ResetSender().Valid() || !p.ResetReceiver(0).Valid() {
				t.Fatal("its answers are not valid")
			}
		}
		if p.Flow(); !p.Unreachable().Valid() {
			t.Fatal("its answer is not valid")
		}
	})
}
