package machine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// costs holds the cost of entries that were applied alone, by log index.
type costs map[uint64]sqlite.Cost

// openCounting opens a machine and records the cost of its entries.
func openCounting(options machine.Options) (*node, costs) {
	noted := make(costs)
	options.Observe = func(index uint64, cost sqlite.Cost, alone bool) {
		if alone {
			noted[index] = cost
		}
	}
	return open(options), noted
}

// firstDifferent describes the first entry whose cost differs between two machines. It returns ""
// if there is none. Only entries that both machines applied alone count.
func firstDifferent(log []*raft.Log, a, b costs) string {
	for _, l := range log {
		x, inA := a[l.Index]
		y, inB := b[l.Index]
		if inA && inB && x != y {
			entry, err := machine.Decode(l.Data)
			return fmt.Sprintf("log index %d: %+v and %+v, %v: %s", l.Index, x, y, err, entry.SQL)
		}
	}
	return ""
}

var _ = Describe("The cost of an entry", func() {
	It("is the same on every machine, to the step and to the byte, for all batches and snapshots", func() {
		const lives, length = 25, 80
		// Low limits, so that most entries are applied alone and measured exactly.
		options := []machine.Options{{Memory: 50 << 10}, {Budget: 9_000}}
		compared := 0
		for seed := range uint64(lives) {
			a := author{rand.New(rand.NewPCG(seed, uint64(GinkgoRandomSeed())))}
			log := a.log(length)
			half := 1 + a.IntN(len(log)-1)
			life := fmt.Sprintf("life %d of seed %d, half %d", seed, GinkgoRandomSeed(), half)

			single, alone := openCounting(options[seed%2])
			for _, entry := range log {
				single.apply([]*raft.Log{entry})
			}
			whole, together := openCounting(options[seed%2])
			whole.apply(log)
			Expect(firstDifferent(log, alone, together)).To(BeEmpty(), life)

			first, before := openCounting(options[seed%2])
			for _, batch := range split(a.Rand, log[:half]) {
				first.apply(batch)
			}
			second, after := openCounting(options[seed%2])
			second.restore(first.snapshot())
			for _, batch := range split(a.Rand, log[half:]) {
				second.apply(batch)
			}
			maps.Copy(before, after)
			Expect(firstDifferent(log, alone, before)).To(BeEmpty(), life)
			compared += len(before)
			for _, n := range []*node{single, whole, first, second} {
				Expect(n.Failed()).NotTo(HaveOccurred(), life)
				Expect(n.Close()).To(Succeed())
			}
		}
		Expect(compared).To(BeNumerically(">", lives*length/100))
	})
})
