package chaos_test

import (
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// drawn is how many schedules are drawn.
const drawn = 300

var _ = Describe("A schedule that is drawn", func() {
	DescribeTable("can be run", func(space chaos.Space) {
		for seed := range uint64(drawn) {
			Expect(chaos.Draw(seed, space).Validate()).To(Succeed())
		}
	},
		Entry("in virtual time", chaos.Virtual()), Entry("in real time", chaos.Real()), Entry("in an empty space", chaos.Space{}))

	It("is that of its seed", func() {
		different := make(map[string]bool)
		for seed := range uint64(drawn) {
			s := chaos.Draw(seed, chaos.Virtual())
			Expect(chaos.Draw(seed, chaos.Virtual())).To(Equal(s))
			Expect(s.Seed).To(Equal(seed))
			s.Seed = 0
			different[fmt.Sprint(s)] = true
		}
		Expect(len(different)).To(BeNumerically(">", drawn*9/10))
	})

	It("is the same after JSON", func() {
		for seed := range uint64(drawn) {
			s := chaos.Draw(seed, chaos.Virtual())
			text, err := json.Marshal(s)
			Expect(err).NotTo(HaveOccurred())
			var back chaos.Schedule
			Expect(json.Unmarshal(text, &back)).To(Succeed())
			Expect(back).To(Equal(s))
		}
	})

	It("uses some kinds of faults only, and all kinds come up", func() {
		all := make(map[fault.Kind]int)
		for seed := range uint64(drawn) {
			of := make(map[fault.Kind]bool)
			for _, f := range chaos.Draw(seed, chaos.Virtual()).Faults {
				of[f.Kind] = true
			}
			Expect(len(of)).To(BeNumerically("<=", 8))
			for kind := range of {
				all[kind]++
			}
		}
		for _, kind := range nemesis.Names(nemesis.All()) {
			if kind == "pause" || kind == nemesis.DisorderlyLink.Name {
				Expect(all).NotTo(HaveKey(kind), "no node is frozen, and no link carries packets, in virtual time")
				continue
			}
			Expect(all[kind]).To(BeNumerically(">", drawn/50), string(kind))
		}
	})

	It("has its faults in order, spread over all its length", func() {
		early, late := 0, 0
		for seed := range uint64(drawn) {
			s := chaos.Draw(seed, chaos.Virtual())
			before := time.Duration(0)
			for _, f := range s.Faults {
				Expect(f.At).To(BeNumerically(">=", before))
				before = f.At
				if f.At < s.Length/2 {
					early++
				} else {
					late++
				}
			}
		}
		Expect(early).To(BeNumerically("~", late, (early+late)/10))
	})
})

var _ = DescribeTable("A schedule that cannot be run", func(spoil func(*chaos.Schedule), why string) {
	s := chaos.Schedule{Nodes: 3, Workloads: []string{"w"}, Clients: 1, Length: time.Minute}
	s.Faults = []chaos.Entry{{Fault: fault.Fault{Kind: "cut one way", Links: oneLink(0, fault.Clients)}}}
	Expect(s.Validate()).To(Succeed())
	spoil(&s)
	Expect(s.Validate()).To(MatchError(And(HavePrefix("invalid schedule: "), ContainSubstring(why))))
},
	Entry("has no nodes", func(s *chaos.Schedule) { s.Nodes = 0 }, "cluster size 0: must be at least 1"),
	Entry("has no clients", func(s *chaos.Schedule) { s.Clients = 0 }, "no workloads or no clients"),
	Entry("has no workload", func(s *chaos.Schedule) { s.Workloads = nil }, "no workloads or no clients"),
	Entry("has no length", func(s *chaos.Schedule) { s.Length = 0; s.Faults = nil }, "length 0s must be positive"),
	Entry("has an unknown kind", func(s *chaos.Schedule) { s.Faults[0].Kind = "flood" },
		`fault 0 (0s for 0s: flood (0->clients)): there is no kind "flood"`),
	Entry("has a fault too late", func(s *chaos.Schedule) { s.Faults[0].At = time.Hour }, "it begins at 1h0m0s, in a schedule of 1m0s"),
	Entry("has a fault of negative length", func(s *chaos.Schedule) { s.Faults[0].Lasts = -1 }, "duration -1ns must not be negative"),
	Entry("has a fault of no node", func(s *chaos.Schedule) { s.Faults[0].Fault = fault.Fault{Kind: "crash", Node: 3} },
		"there is no node 3"),
	Entry("has a link to itself", func(s *chaos.Schedule) { s.Faults[0].Links = oneLink(0, 0) }, "there is no link 0->0"),
	Entry("flaps without a period", func(s *chaos.Schedule) {
		s.Faults[0].Fault = fault.Fault{Kind: "flapping link", Links: bothWays(0, 1)}
	}, "the period 0s must be at least 1ms"),
)

var _ = It("A schedule that was saved before links had a field of their own is read", func() {
	var s chaos.Schedule
	Expect(json.Unmarshal([]byte(`{"nodes":3,"faults":[
		{"at_ns":1000,"lasts_ns":2000,"kind":"slow link","node":1,"other":-1,"by_ns":5},
		{"at_ns":0,"lasts_ns":0,"kind":"cut both ways","node":1,"other":2,"by_ns":0},
		{"at_ns":0,"lasts_ns":0,"kind":"crash","node":2,"other":0,"by_ns":0}]}`), &s)).To(Succeed())
	Expect(s.Faults).To(Equal([]chaos.Entry{
		{At: 1000, Lasts: 2000, Fault: fault.Fault{Kind: "slow link", Node: 1, Links: oneLink(1, fault.Clients), By: 5}},
		{Fault: fault.Fault{Kind: "cut both ways", Node: 1, Links: bothWays(1, 2)}},
		{Fault: fault.Fault{Kind: "crash", Node: 2}},
	}))
})
