package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// failing is what becomes of a node whose storage fails, and of its cluster.
func failing(w *world) {
	Describe("A node that has failed", Label("suite:failing", "fault:disk", "fault:isolate", "fault:stop"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Disks, target.Links, target.Stop)
			if w.cluster.Size() > 3 {
				Skip("in a larger cluster the others are a quorum without one of them")
			}
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			w.run(ctx, "INSERT INTO {ns}.t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i, hex(zeroblob(300)) FROM n")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		badDisk := func(faults disk.Faults) func(context.Context, int) {
			return func(ctx context.Context, victim int) {
				GinkgoHelper()
				Expect(w.cluster.SetDisk(ctx, victim, faults)).To(Succeed())
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (100, 'of the others')")
			}
		}
		// badDatabase is found out when it is read. The disk and all that is kept there is sound.
		badDatabase := func(ctx context.Context, victim int) {
			GinkgoHelper()
			_, err := w.cluster.Damage(ctx, victim, disk.Database)
			Expect(err).NotTo(HaveOccurred())
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (100, 'of the others')")
			Eventually(ctx, func(ctx context.Context) string {
				_, err := w.node(victim).Reading(target.Local).Execute(ctx, w.sql(rows))
				return codeOf(err)
			}).Should(Equal("NODE_FAILED"))
		}

		// silent proves that nothing comes from the node any more.
		silent := func(ctx SpecContext, victim int) {
			GinkgoHelper()
			said := func(g Gomega, ctx context.Context) (messages uint64) {
				for _, other := range w.others(victim) {
					stats, err := w.cluster.LinkStats(ctx, victim, other)
					g.Expect(err).NotTo(HaveOccurred())
					messages += stats.Messages
				}
				return messages
			}
			const awhile = 300 * time.Millisecond // several election timeouts
			Eventually(ctx, func(g Gomega, ctx context.Context) {
				before := said(g, ctx)
				g.Consistently(ctx, func(g Gomega, ctx context.Context) uint64 { return said(g, ctx) }).WithTimeout(awhile).Should(Equal(before), "it talks to the others")
			}).WithTimeout(2 * time.Second).Should(Succeed())
		}

		// refuses proves that neither is anything acknowledged by a node nor does it lead
		// when only the failed one is left to confirm it.
		refuses := func(ctx SpecContext, alone, id int) {
			GinkgoHelper()
			_, err := w.node(alone).Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (?, 'without a quorum')"), id)
			Expect(codeOf(err)).To(BeElementOf("NO_LEADER", "NO_QUORUM"), "the node that failed has confirmed a change: %v", err)
			_, err = w.node(alone).Reading(target.Strong).Execute(ctx, w.sql(rows))
			Expect(codeOf(err)).To(Equal("NO_LEADER"), "%v", err)
			Expect(statusOf(ctx, w.node(alone)).Role).NotTo(Equal("leader"), "the node that failed has voted, or follows")
		}

		DescribeTable("tells its clients why, says nothing to the others, and counts for nothing",
			func(ctx SpecContext, leader bool, fail func(ctx context.Context, victim int)) {
				victim := w.leader(ctx)
				if !leader {
					victim = w.others(victim)[0]
				}
				fail(ctx, victim)
				Eventually(ctx, w.node(victim)).Should(BeFailed())
				reason := statusOf(ctx, w.node(victim)).Reason
				Expect(reason).NotTo(BeEmpty())
				for _, consistency := range []target.Consistency{target.Local, target.Leader, target.Strong} {
					_, err := w.node(victim).Reading(consistency).Execute(ctx, w.sql("SELECT 1"))
					Expect(codeOf(err)).To(Equal("NODE_FAILED"), "%s: %v", consistency, err)
					Expect(err).To(MatchError(ContainSubstring(reason)))
				}
				_, err := w.node(victim).Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (101, 'sent to a node that has failed')"))
				Expect(codeOf(err)).To(Equal("NODE_FAILED"), "%v", err)

				By("going on without it")
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (102, 'of the others')")
				Expect(w.leader(ctx)).NotTo(Equal(victim))
				silent(ctx, victim)
				Expect(statusOf(ctx, w.node(victim)).Role).NotTo(Equal("leader"))

				By("losing one more: two are left, and one of them has failed")
				follower := w.others(w.leader(ctx))
				absent := follower[0]
				if absent == victim {
					absent = follower[1]
				}
				w.leave(ctx, absent)
				refuses(ctx, w.leader(ctx), 103)
				w.comeBack(ctx, absent)
				absent = w.leader(ctx)
				alone := 3 - absent - victim // of 0, 1 and 2
				w.leave(ctx, absent)
				refuses(ctx, alone, 104)
				w.comeBack(ctx, absent)

				By("stopping it in good order, and starting it when its disk is sound")
				begun := time.Now()
				w.leave(ctx, victim, harness.Stop)
				Expect(time.Since(begun)).To(BeNumerically("<", longStop), "it does not come to its end")
				Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{})).To(Succeed())
				w.comeBack(ctx, victim)
				Eventually(ctx, w.cluster).Should(BeConsistent(w.sql(rows)))
				Expect(w.patiently(ctx, "SELECT id FROM {ns}.t WHERE id > 50 AND id < 103 ORDER BY id")).To(HaveRows(Row(100), Row(102)))
			},
			Entry("when a follower's disk fails", patience, false, badDisk(disk.Faults{Failing: true})),
			Entry("when the leader's disk fails", patience, true, badDisk(disk.Faults{Failing: true})),
			Entry("when the leader's disk is full", patience, true, badDisk(disk.Faults{Full: true})),
			Entry("when a page of a follower's database is damaged", patience, false, badDatabase),
			Entry("when a page of the leader's database is damaged", patience, true, badDatabase),
		)
	})
}

// longStop is longer than a node takes to stop that has nothing to wait for.
const longStop = 3 * time.Second
