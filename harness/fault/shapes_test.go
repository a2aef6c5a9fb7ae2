package fault_test

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("A shape", func() {
	// drawn shows links as "from>to".
	drawn := func(links []fault.Link) []string {
		all := []string{}
		for _, w := range links {
			all = append(all, fmt.Sprintf("%d>%d", w.From, w.To))
		}
		return all
	}

	DescribeTable("is these links, in this order",
		func(links []fault.Link, expected ...string) {
			Expect(drawn(links)).To(Equal(append([]string{}, expected...)))
		},
		Entry("partition", fault.Partition([]int{0}, []int{1, 2}), "0>1", "1>0", "0>2", "2>0"),
		Entry("partition of three groups", fault.Partition([]int{0}, []int{1}, []int{2}), "0>1", "1>0", "0>2", "2>0", "1>2", "2>1"),
		Entry("partition with a host in two groups", fault.Partition([]int{0, 1}, []int{1, 2}),
			"0>1", "1>0", "0>2", "2>0", "1>2", "2>1"),
		Entry("partition of one group", fault.Partition([]int{0, 1, 2})),
		Entry("ring of four", fault.Ring([]int{0, 1, 2, 3}), "0>2", "2>0", "1>3", "3>1"),
		Entry("ring of three", fault.Ring([]int{0, 1, 2})),
		Entry("bridge", fault.Bridge([]int{0}, []int{1}, 2), "0>1", "1>0"),
		Entry("bridge that is on a side too", fault.Bridge([]int{0, 2}, []int{1}, 2), "0>1", "1>0"),
		Entry("one way", fault.OneWay([]int{0, 0}, []int{0, 1, 2}), "0>1", "0>2"),
		Entry("around", fault.Around(1, []int{0, 1, 2}), "1>0", "0>1", "1>2", "2>1"),
		Entry("around a node without others", fault.Around(1, nil)),
	)

	DescribeTable("a ring leaves each host its two neighbours",
		func(size int) {
			hosts := make([]int, size)
			for i := range hosts {
				hosts[i] = i
			}
			cut := fault.Ring(hosts)
			for a := range hosts {
				var reached []int
				for b := range hosts {
					there, back := fault.Link{From: a, To: b}, fault.Link{From: b, To: a}
					Expect(slices.Contains(cut, there)).To(Equal(slices.Contains(cut, back)))
					if a != b && !slices.Contains(cut, there) {
						reached = append(reached, b)
					}
				}
				Expect(reached).To(ConsistOf((a+1)%size, (a+size-1)%size))
			}
		},
		Entry(nil, 3), Entry(nil, 4), Entry(nil, 5), Entry(nil, 7),
	)
})
