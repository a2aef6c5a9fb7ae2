package specs

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// packets are specs about what only a network of packets does. They skip on links of messages.
func packets(env *environment) {
	Describe("A network of packets", Label("suite:packets", "fault:link"), func() {
		DescribeTable("that delivers packets loses no acknowledged write, and applies none twice",
			func(ctx SpecContext, rule fault.Rule, bites func(fault.LinkStats) uint64) {
				env.needs(3)
				env.requires(target.Links, target.Packets)
				var all []fault.Link
				for _, node := range env.cluster.Nodes() {
					all = append(all, fault.Link{From: fault.Clients, To: node.Index()}, fault.Link{From: node.Index(), To: fault.Clients})
					all = append(all, fault.OneWay([]int{node.Index()}, env.others(node.Index()))...)
				}
				stats := func(link fault.Link) fault.LinkStats {
					GinkgoHelper()
					stats, err := env.cluster.LinkStats(ctx, link.From, link.To)
					Expect(err).NotTo(HaveOccurred())
					return stats
				}
				before := make(map[fault.Link]uint64) // packets that no rule has met, since nodes found each other
				for _, link := range all {
					Expect(env.cluster.SetLink(ctx, link.From, link.To, rule)).To(Succeed())
					before[link] = stats(link).Messages
				}
				env.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v TEXT)")
				load := env.load(ctx, 4, env.cluster.ExecuteOnRandom)
				const (
					rows, length = 10, 256 << 10 // of several packets each
					enough       = 60            // packets of which the rule spares all with a probability below one in a billion
				)
				for i := range rows {
					env.patiently(ctx, "INSERT INTO {ns}.large VALUES (?, ?)", i, strings.Repeat(string(rune('a'+i)), length))
				}
				load.goesOn(ctx)
				busy := 0
				for _, link := range all {
					now := stats(link)
					if now.Messages-before[link] >= enough {
						busy++
						Expect(bites(now)).To(BeNumerically(">", 0), "the rule did nothing on the link %v: %+v", link, now)
					}
				}
				Expect(busy).To(BeNumerically(">=", 4), "too few links carried %d packets", enough)
				load.verify(ctx, 20)
				Expect(env.run(ctx, "SELECT count(*), sum(length(v)) FROM {ns}.large")).To(HaveRows(Row(rows, rows*length)))
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.large ORDER BY id")))
			},
			Entry("twice", env.patience, fault.Rule{Duplicate: 0.3}, func(s fault.LinkStats) uint64 { return s.Duplicates }),
			Entry("out of order", env.patience, fault.Rule{Reorder: 0.3}, func(s fault.LinkStats) uint64 { return s.Reordered }),
		)
	})
}
