package fault_test

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("A fault", func() {
	link := fault.Link{From: 0, To: fault.Clients}

	DescribeTable("in words", func(f fault.Fault, words string) { Expect(f.String()).To(Equal(words)) },
		Entry("of a node", fault.Fault{Kind: "crash", Node: 1}, "crash (node 1)"),
		Entry("of no node", fault.Fault{Kind: "storm", Node: fault.NoNode}, "storm"),
		Entry("of a link", fault.Fault{Kind: "slow link", Links: []fault.Link{link}, By: time.Second}, "slow link (0->clients, by 1s)"),
		Entry("of a link with a rule", fault.Fault{Kind: "link", Links: []fault.Link{link, link.Back()}, Rule: &fault.Rule{Loss: 0.2}},
			"link (0->clients clients->0, loss 20%)"),
		Entry("of a disk", fault.Fault{Kind: "disk", Disk: &fault.Disk{Full: true}}, "disk (node 0, full)"),
		Entry("of groups of nodes", fault.Fault{Kind: "partition", Groups: [][]int{{0}, {1, 2}}, Links: []fault.Link{link}},
			"partition (0 | 1 2)"),
		Entry("of a part of a disk", fault.Fault{Kind: "damage", Node: 2, Part: fault.Log}, "damage (node 2, log)"),
		Entry("of many links", fault.Fault{Kind: "cut", Links: fault.OneWay([]int{0, 1}, []int{2, 3, 4, 5, 6, 7, 8})},
			"cut (0->2 0->3 0->4 0->5 0->6 0->7 0->8 1->2 1->3 1->4 1->5 1->6 and 2 more)"),
	)

	It("is the same after JSON", func() {
		f := fault.Fault{Kind: "k", Node: 1, Links: []fault.Link{link}, Groups: [][]int{{0}, {1}}, Rule: &fault.Rule{Latency: 1, Loss: 0.5},
			Disk: &fault.Disk{Slow: 2}, Part: fault.Owner, By: -3}
		text, err := json.Marshal(f)
		Expect(err).NotTo(HaveOccurred())
		var back fault.Fault
		Expect(json.Unmarshal(text, &back)).To(Succeed())
		Expect(back.Equal(f)).To(BeTrue())
		back.Rule.Loss = 0.25
		Expect(back.Equal(f)).To(BeFalse())
	})
})
