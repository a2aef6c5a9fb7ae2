package machine_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("Time in the database", func() {
	// at returns an entry that stores the current time as its statements see it.
	at := func(ms int64) machine.Entry {
		return machine.Entry{SQL: "INSERT INTO seen (ms) VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER))", Time: noon + ms}
	}
	seen := func(n *node) (out []int64) {
		GinkgoHelper()
		for _, row := range n.read("SELECT ms FROM seen ORDER BY id") {
			out = append(out, row[0].(int64)-noon)
		}
		return out
	}
	start := func() *node {
		n := open(machine.Options{})
		n.must("CREATE TABLE seen (id INTEGER PRIMARY KEY, ms INTEGER, v UNIQUE)")
		return n
	}

	It("never runs backwards along the log, however the log is cut into batches", func() {
		entries := []machine.Entry{
			at(10), at(5), at(-1_000_000), at(20), {SQL: "SELEC", Time: noon + 25}, at(0), {}, at(24),
			{Time: noon + 30}, at(29), {SQL: "INSERT OR ROLLBACK INTO seen (v) VALUES (1), (1)", Time: noon + 40}, at(31), at(50),
		}
		want := []int64{10, 10, 10, 20, 25, 25, 30, 40, 50}
		one := start()
		one.batch(entries...)
		Expect(seen(one)).To(Equal(want))
		each := start()
		for _, e := range entries {
			each.entry(e)
		}
		Expect(seen(each)).To(Equal(want))
		Expect(each.digest()).To(Equal(one.digest()))
		Expect(each.read("SELECT * FROM rejoin_applied")).To(Equal(one.read("SELECT * FROM rejoin_applied")))
	})

	It("does not run backwards over a snapshot and its restoration", func() {
		n := start()
		n.batch(at(100), at(0))
		other := open(machine.Options{})
		other.entry(machine.Entry{SQL: "SELECT 1", Time: noon + 1_000_000}) // not part of the snapshot
		other.restore(n.snapshot())
		for _, each := range []*node{n, other} {
			each.batch(at(50), at(101), at(60))
			Expect(seen(each)).To(Equal([]int64{100, 100, 100, 101, 101}))
		}
		Expect(other.digest()).To(Equal(n.digest()))
	})

	It("does not change for log entries that are not commands", func() {
		n := start()
		n.entry(at(7))
		log := append([]*raft.Log{{Index: n.index + 1, Term: 2, Type: raft.LogNoop}}, logs(n.index+1, at(6), at(8))...)
		n.apply(log)
		Expect(seen(n)).To(Equal([]int64{7, 7, 8}))
	})

	It("of a repeated request has no effect", func() {
		n := start()
		again := at(10)
		again.ID = "again"
		n.batch(again, at(20))
		again.Time = noon + 15
		n.batch(again, at(12))
		Expect(seen(n)).To(Equal([]int64{10, 20, 20}))
	})
})
