package fabric_test

import (
	"math/rand/v2"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/fabric"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

var _ = Describe("under random rules", func() {
	spec("that lose nothing, each packet arrives once, in the order of its flow", func(p *pair) {
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 1))
		delay := func() time.Duration { return time.Duration(random.IntN(3)) * time.Duration(random.IntN(20)) * ms }
		const flows = 5
		sent := make([]int, flows)
		for range 3000 {
			switch random.IntN(20) {
			case 0:
				rule(p, fault.Rule{Latency: delay(), Jitter: delay(), Bandwidth: int64(random.IntN(2)) * 100_000})
			case 1:
				rule(p, fault.Rule{})
			case 2:
				time.Sleep(delay())
			default:
				f := random.IntN(flows)
				p.segment(packet.Flow{Protocol: packet.TCP, From: uint16(f), To: 1}, sent[f])
				sent[f]++
			}
		}
		time.Sleep(time.Hour)
		got := make([]int, flows)
		for _, a := range p.b.take() {
			f := a.packet.Flow().From
			s, _ := a.packet.Segment()
			Expect(s.Seq).To(BeEquivalentTo(got[f]), "flow %d", f)
			got[f]++
		}
		Expect(got).To(Equal(sent))
	})

	spec("the link is as it was when it is sound again", func(p *pair) {
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 2))
		for i := range 2000 {
			if random.IntN(10) == 0 {
				rule(p, fault.Rule{
					Action: fault.Action(random.IntN(3)), Latency: time.Duration(random.IntN(5)) * ms, Loss: random.Float64() / 2,
					Duplicate: random.Float64() / 2, Reorder: random.Float64() / 2, Bandwidth: int64(random.IntN(1_000_000)),
				})
				time.Sleep(ms)
			}
			p.segment(flow, i)
		}
		rule(p, fault.Rule{})
		time.Sleep(time.Hour)
		p.b.take()
		for i := range 10 {
			p.segment(flow, i)
		}
		Expect(numbers(p.b.take())).To(Equal([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}))
	})
})

var _ = Describe("a fabric", func() {
	spec("closes while packets are on their way", func(p *pair) {
		rule(p, fault.Rule{Latency: time.Hour})
		p.segment(flow, 1)
	})

	spec("rejects names that it does not have, links to oneself, and invalid rules", func(p *pair) {
		Expect(p.SetRule("a", "c", fault.Rule{})).To(MatchError(ContainSubstring(`no host "c"`)))
		Expect(p.ResetLink("c", "a")).To(MatchError(ContainSubstring(`no host "c"`)))
		Expect(p.SetRule("a", "a", fault.Rule{})).To(MatchError(ContainSubstring("always reaches itself")))
		Expect(p.SetRule("a", "b", fault.Rule{Loss: 2})).To(MatchError(ContainSubstring("loss")))
		Expect(p.Rule("a", "b")).To(Equal(fault.Rule{}))
		_, err := p.Add("a")
		Expect(err).To(MatchError(ContainSubstring("already")))
	})

	It("connects a port to another device, and carries nothing meanwhile", func() {
		bubble(func() {
			p := newPair(1)
			defer func() { Expect(p.Close()).To(Succeed()) }()
			c, err := p.Add("c")
			Expect(err).NotTo(HaveOccurred())
			d := newDevice()
			Expect(c.Connect(d)).To(Succeed())
			Expect(c.Connect(newDevice())).NotTo(Succeed())
			Expect(c.Disconnect()).To(Succeed())
			to := packet.NewTCP(p.addrA.As4(), c.Addr().As4(), flow, packet.Segment{Flags: packet.ACK}, nil)
			p.a.sent <- to
			synctest.Wait()
			again := newDevice()
			Expect(c.Connect(again)).To(Succeed())
			p.a.sent <- to
			Expect(again.take()).To(HaveLen(1))
			Expect(d.take()).To(BeEmpty())
		})
	})

	It("does not carry what is no packet, or for an address without a port", func() {
		bubble(func() {
			p := newPair(1)
			defer func() { Expect(p.Close()).To(Succeed()) }()
			p.a.sent <- packet.Packet("rubbish")
			p.a.sent <- packet.NewTCP(p.addrA.As4(), [4]byte{10, 77, 9, 9}, flow, packet.Segment{}, nil)
			p.a.sent <- packet.NewTCP(p.addrA.As4(), [4]byte{8, 8, 8, 8}, flow, packet.Segment{}, nil)
			p.a.sent <- packet.NewTCP(p.addrA.As4(), fabric.Network.Addr().As4(), flow, packet.Segment{}, nil)
			Expect(p.b.take()).To(BeEmpty())
			p.segment(flow, 1)
			Expect(p.b.take()).To(HaveLen(1))
		})
	})
})
