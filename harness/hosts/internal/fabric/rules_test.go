package fabric_test

import (
	"slices"
	"strings"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

const ms = time.Millisecond

// spec is a spec in virtual time with two ports.
func spec(text string, f func(p *pair)) bool {
	GinkgoHelper()
	return It(text, func() {
		bubble(func() {
			p := newPair(uint64(GinkgoRandomSeed()))
			defer func() { Expect(p.Close()).To(Succeed()) }()
			f(p)
		})
	})
}

// rule sets the rule of the link from a to b, after the fabric has read all that was sent.
func rule(p *pair, r fault.Rule) {
	GinkgoHelper()
	synctest.Wait()
	Expect(p.SetRule("a", "b", r)).To(Succeed())
}

func stats(p *pair) fault.LinkStats {
	GinkgoHelper()
	s, err := p.Stats("a", "b")
	Expect(err).NotTo(HaveOccurred())
	return s
}

var _ = Describe("a link", func() {
	spec("carries packets, and counts them", func(p *pair) {
		p.there(flow, packet.Segment{Seq: 7, Flags: packet.ACK}, "hello")
		got := p.b.take()
		Expect(got).To(HaveLen(1))
		Expect(string(got[0].packet.Data())).To(Equal("hello"))
		Expect(p.a.take()).To(BeEmpty())
		Expect(stats(p)).To(Equal(fault.LinkStats{Messages: 1, Bytes: 45}))
		p.there(flow, packet.Segment{Seq: 12, Flags: packet.ACK}, "")
		Expect(p.b.take()).To(HaveLen(1))
		Expect(stats(p)).To(Equal(fault.LinkStats{Messages: 2, Bytes: 85, Empty: 1}))
	})

	spec("with latency delivers exactly then, and what is on its way at once when it heals", func(p *pair) {
		rule(p, fault.Rule{Latency: 20 * ms})
		p.segment(flow, 1)
		time.Sleep(15 * ms)
		p.segment(flow, 2)
		time.Sleep(10 * ms)
		got := p.b.take()
		Expect(numbers(got)).To(Equal([]int{1}))
		Expect(got[0].at).To(Equal(20 * ms))
		rule(p, fault.Rule{})
		p.segment(flow, 3)
		got = p.b.take()
		Expect(numbers(got)).To(Equal([]int{2, 3}))
		Expect(got[1].at).To(Equal(25 * ms))
	})

	spec("delivers what is on its way under the new latency if that is earlier", func(p *pair) {
		rule(p, fault.Rule{Latency: time.Hour})
		p.segment(flow, 1)
		time.Sleep(time.Second)
		rule(p, fault.Rule{Latency: 10 * ms})
		rule(p, fault.Rule{Latency: 10 * time.Hour})
		time.Sleep(time.Second)
		Expect(p.b.take()[0].at).To(Equal(1010 * ms))
	})

	spec("with jitter delays packets differently, but none overtakes another one of its flow", func(p *pair) {
		rule(p, fault.Rule{Latency: 5 * ms, Jitter: 50 * ms})
		other := packet.Flow{Protocol: packet.TCP, From: 1, To: 2}
		for i := range 200 {
			p.segment(flow, i)
			p.segment(other, 1000+i)
			time.Sleep(ms)
		}
		time.Sleep(time.Second)
		got := p.b.take()
		Expect(got).To(HaveLen(400))
		one := slices.DeleteFunc(numbers(got), func(i int) bool { return i >= 1000 })
		Expect(slices.IsSorted(one)).To(BeTrue())
		Expect(slices.IsSorted(slices.DeleteFunc(numbers(got), func(i int) bool { return i < 1000 }))).To(BeTrue())
		overtaken := false
		for at, i := range numbers(got)[1:] {
			overtaken = overtaken || i < 1000 && numbers(got)[at] > 1000+i
		}
		Expect(overtaken).To(BeTrue(), "flows overtake each other")
	})

	spec("with loss loses that share of packets, but a SYN comes later", func(p *pair) {
		rule(p, fault.Rule{Loss: 0.25})
		for i := range 4000 {
			p.segment(flow, i)
		}
		got := len(p.b.take())
		Expect(got).To(BeNumerically("~", 3000, 150))
		Expect(stats(p).Lost).To(BeEquivalentTo(4000 - got))
		rule(p, fault.Rule{})
		p.b.take() // the last lost packet comes late

		rule(p, fault.Rule{Loss: 0.999})
		p.there(flow, packet.Segment{Seq: 1, Flags: packet.SYN}, "")
		Expect(p.b.take()).To(BeEmpty())
		before := time.Now()
		rule(p, fault.Rule{Loss: 0.0001})
		time.Sleep(200 * ms)
		got2 := p.b.take()
		Expect(numbers(got2)).To(Equal([]int{1}))
		Expect(got2[0].at).To(BeNumerically("<=", before.Sub(p.b.begun)+200*ms))
	})

	spec("with a bandwidth sends no faster, all flows together", func(p *pair) {
		rule(p, fault.Rule{Bandwidth: 10_000})
		other := packet.Flow{Protocol: packet.TCP, From: 1, To: 2}
		for i := range 10 {
			f := flow
			if i%2 == 1 {
				f = other
			}
			p.there(f, packet.Segment{Seq: uint32(i), Flags: packet.ACK}, strings.Repeat("x", 960))
		}
		time.Sleep(time.Hour)
		got := p.b.take()
		Expect(numbers(got)).To(Equal([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}))
		Expect(got[0].at).To(Equal(100 * ms))
		Expect(got[9].at).To(Equal(time.Second))
	})

	spec("that duplicates delivers twice", func(p *pair) {
		rule(p, fault.Rule{Duplicate: 0.5})
		for i := range 1000 {
			p.segment(flow, i)
		}
		got := numbers(p.b.take())
		Expect(got).To(HaveLen(len(got)))
		Expect(len(got)).To(BeNumerically("~", 1500, 100))
		Expect(slices.IsSorted(got)).To(BeTrue())
		Expect(slices.Compact(got)).To(HaveLen(1000))
		Expect(stats(p).Duplicates).To(BeEquivalentTo(stats(p).Messages - 1000))
	})

	spec("that reorders delivers a packet right after the one that follows it, or alone after 5 ms", func(p *pair) {
		rule(p, fault.Rule{Reorder: 0.3})
		for i := range 1000 {
			p.segment(flow, i)
			synctest.Wait()
		}
		time.Sleep(5 * ms)
		got := numbers(p.b.take())
		Expect(got).To(HaveLen(1000))
		late := 0
		for at, i := range got {
			Expect(i).To(BeNumerically("~", at, 1))
			if i > at {
				late++
				Expect(got[at+1]).To(Equal(at))
			}
		}
		Expect(stats(p).Reordered).To(BeEquivalentTo(late))
		Expect(late).To(BeNumerically("~", 230, 50)) // not each that is drawn: the one before may be late too
	})

	spec("cuts a segment in half, and resets its connection at both ends", func(p *pair) {
		Expect(p.ResetLink("a", "b")).To(Succeed())
		p.there(flow, packet.Segment{Seq: 9, Ack: 50, Flags: packet.ACK}, "")
		Expect(p.b.take()).To(HaveLen(1), "a segment without content passes")
		Expect(p.Armed("a", "b")).To(BeTrue())
		p.there(flow, packet.Segment{Seq: 10, Ack: 50, Flags: packet.ACK | packet.FIN}, "hello")
		got := p.b.take()
		Expect(got).To(HaveLen(2))
		Expect(string(got[0].packet.Data())).To(Equal("he"))
		half, _ := got[0].packet.Segment()
		Expect(half).To(Equal(packet.Segment{Seq: 10, Ack: 50, Flags: packet.ACK, Data: 2}))
		reset, _ := got[1].packet.Segment()
		Expect(reset).To(Equal(packet.Segment{Seq: 12, Ack: 50, Flags: packet.RST | packet.ACK}))
		answer := p.a.take()
		Expect(answer).To(HaveLen(1))
		reset, _ = answer[0].packet.Segment()
		Expect(reset).To(Equal(packet.Segment{Seq: 50, Flags: packet.RST}))
		Expect(answer[0].packet.Flow()).To(Equal(flow.Back()))
		Expect(p.Armed("a", "b")).To(BeFalse())
		Expect(stats(p).Resets).To(BeEquivalentTo(1))
		p.segment(flow, 20)
		Expect(p.b.take()).To(HaveLen(1))
	})

	spec("does not cut a segment that is sent again", func(p *pair) {
		hello := packet.Segment{Seq: 10, Ack: 50, Flags: packet.ACK}
		p.there(flow, hello, "hello")
		synctest.Wait() // it has arrived, and is no new segment from now on
		Expect(p.ResetLink("a", "b")).To(Succeed())
		p.there(flow, hello, "hello")
		Expect(p.b.take()).To(HaveLen(2))
		Expect(p.Armed("a", "b")).To(BeTrue())
		p.there(flow, packet.Segment{Seq: 15, Ack: 50, Flags: packet.ACK}, "more")
		Expect(p.b.take()).To(HaveLen(2))
		Expect(p.Armed("a", "b")).To(BeFalse())
		Expect(stats(p).Resets).To(BeEquivalentTo(1))
	})

	spec("keeps a reset until the link passes, and SetRule cancels it", func(p *pair) {
		rule(p, fault.Rule{Action: fault.Drop})
		Expect(p.ResetLink("a", "b")).To(Succeed())
		p.segment(flow, 1)
		Expect(p.b.take()).To(BeEmpty())
		Expect(p.Armed("a", "b")).To(BeTrue())
		rule(p, fault.Rule{})
		Expect(p.Armed("a", "b")).To(BeFalse())
	})
})

var _ = Describe("a link that drops", func() {
	spec("drops also what is on its way, one way, and delivers the last packets of each flow when it heals", func(p *pair) {
		rule(p, fault.Rule{Latency: 10 * ms})
		p.segment(flow, 1)
		rule(p, fault.Rule{Action: fault.Drop})
		other := packet.Flow{Protocol: packet.TCP, From: 1, To: 2}
		p.segment(flow, 2)
		p.segment(other, 1001)
		p.segment(flow, 3)
		p.there(flow, packet.Segment{Seq: 4, Ack: 600, Flags: packet.ACK}, "")
		time.Sleep(time.Second)
		Expect(p.b.take()).To(BeEmpty())
		Expect(stats(p).Messages).To(BeZero())
		p.back(flow, packet.Segment{Seq: 5, Flags: packet.ACK}, "y")
		Expect(p.a.take()).To(HaveLen(1), "the opposite link is sound")
		rule(p, fault.Rule{})
		Expect(numbers(p.b.take())).To(Equal([]int{1001, 3, 4}))
		p.segment(flow, 4)
		Expect(numbers(p.b.take())).To(Equal([]int{4}))
		rule(p, fault.Rule{})
		Expect(p.b.take()).To(BeEmpty(), "nothing comes twice")
	})

	spec("keeps at most 8 MiB", func(p *pair) {
		rule(p, fault.Rule{Action: fault.Drop})
		for i := range 300 {
			f := packet.Flow{Protocol: packet.TCP, From: uint16(i), To: 1}
			p.there(f, packet.Segment{Seq: uint32(i), Flags: packet.ACK}, strings.Repeat("x", 60_000))
		}
		rule(p, fault.Rule{})
		got := numbers(p.b.take())
		Expect(len(got)).To(BeNumerically("~", 8<<20/60_060, 2))
		Expect(got[len(got)-1]).To(Equal(299))
	})
})

var _ = Describe("a link that refuses", func() {
	spec("answers the first segment of a connection as a host without it does", func(p *pair) {
		rule(p, fault.Rule{Action: fault.Refuse})
		p.there(flow, packet.Segment{Seq: 100, Flags: packet.SYN}, "")
		Expect(p.b.take()).To(BeEmpty())
		got := p.a.take()
		Expect(got).To(HaveLen(1))
		reset, _ := got[0].packet.Segment()
		Expect(reset).To(Equal(packet.Segment{Ack: 101, Flags: packet.RST | packet.ACK}))
		Expect(got[0].packet.Source()).To(Equal(p.addrB))
	})

	spec("resets both ends of each connection at once, with the number that each end expects", func(p *pair) {
		p.there(flow, packet.Segment{Seq: 100, Flags: packet.SYN}, "")
		p.back(flow, packet.Segment{Seq: 200, Ack: 101, Flags: packet.SYN | packet.ACK}, "")
		p.there(flow, packet.Segment{Seq: 101, Ack: 201, Flags: packet.ACK}, "hello")
		p.back(flow, packet.Segment{Seq: 201, Ack: 106, Flags: packet.ACK}, "yes") // which a has not acknowledged
		p.a.take()
		p.b.take()
		rule(p, fault.Rule{Action: fault.Refuse})
		Expect(segments(p.a.take())).To(ConsistOf(
			packet.Segment{Seq: 201, Flags: packet.RST}, packet.Segment{Seq: 204, Flags: packet.RST}))
		Expect(segments(p.b.take())).To(ConsistOf(packet.Segment{Seq: 106, Flags: packet.RST}))
		rule(p, fault.Rule{Action: fault.Refuse, Latency: ms})
		Expect(p.a.take()).To(BeEmpty(), "each is reset once")
	})

	spec("resets a connection that is used", func(p *pair) {
		rule(p, fault.Rule{Action: fault.Refuse})
		p.there(flow, packet.Segment{Seq: 101, Ack: 201, Flags: packet.ACK}, "hello")
		Expect(segments(p.a.take())).To(ConsistOf(packet.Segment{Seq: 201, Flags: packet.RST}))
		Expect(segments(p.b.take())).To(ConsistOf(packet.Segment{Seq: 101, Ack: 201, Flags: packet.RST | packet.ACK}))
		p.there(flow, packet.Segment{Seq: 106, Flags: packet.RST}, "")
		Expect(p.a.take()).To(BeEmpty(), "a reset has no answer")
		Expect(p.b.take()).To(HaveLen(1))
	})
})

func segments(all []arrival) (found []packet.Segment) {
	for _, a := range all {
		s, _ := a.packet.Segment()
		found = append(found, s)
	}
	return found
}
