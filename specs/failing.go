package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// failing are specs about a node whose storage has failed, and about its cluster.
func failing(env *environment) {
	Describe("A node with failed storage", Label("suite:failing", "fault:disk", "fault:isolate", "fault:stop", "needs:fail-stop"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Disks, target.Links, target.Stop)
			env.assumes(target.FailStop)
			if env.cluster.Size() > 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			env.run(ctx, "INSERT INTO {ns}.t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i, "+
				"hex(zeroblob(300)) FROM n")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		badDisk := func(faults fault.Disk) func(context.Context, int) {
			return func(ctx context.Context, victim int) {
				GinkgoHelper()
				Expect(env.cluster.SetDisk(ctx, victim, faults)).To(Succeed())
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (100, 'by the others')")
			}
		}
		// badDatabase is damage that is found when the page is read. The disk itself is sound.
		badDatabase := func(ctx context.Context, victim int) {
			GinkgoHelper()
			_, err := env.cluster.Damage(ctx, victim, fault.Database)
			Expect(err).NotTo(HaveOccurred())
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (100, 'by the others')")
			env.eventually(ctx, func(ctx context.Context) error {
				_, err := env.node(victim).Reading(target.Local).Execute(ctx, env.sql(rows))
				return err
			}).Should(MatchError(target.ErrFailed))
		}

		// silent proves that the node sends nothing to the others.
		silent := func(ctx SpecContext, victim int) {
			GinkgoHelper()
			said := func(g Gomega, ctx context.Context) (messages uint64) {
				for _, other := range env.others(victim) {
					stats, err := env.cluster.LinkStats(ctx, victim, other)
					g.Expect(err).NotTo(HaveOccurred())
					messages += stats.Messages - stats.Empty // its kernel acknowledges what it receives
				}
				return messages
			}
			env.eventually(ctx, func(g Gomega, ctx context.Context) {
				before := said(g, ctx)
				g.Consistently(ctx, func(g Gomega, ctx context.Context) uint64 { return said(g, ctx) }).WithTimeout(env.pace.quiet()).Should(
					Equal(before), "it sends messages to the others")
			}).WithTimeout(env.pace.manyElections()).Should(Succeed())
		}

		// refuses proves that a node refuses requests and does not lead if only the failed
		// node could confirm it.
		refuses := func(ctx SpecContext, alone, id int) {
			GinkgoHelper()
			_, err := env.node(alone).Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (?, 'without a quorum')"), id)
			Expect(err).To(beWithoutQuorum(), "the failed node has confirmed a change")
			_, err = env.node(alone).Reading(target.Strong).Execute(ctx, env.sql(rows))
			Expect(err).To(MatchError(target.ErrNoLeader))
			Expect(statusOf(ctx, env.node(alone)).Role).NotTo(Equal("leader"), "the failed node counts for a quorum")
		}

		DescribeTable("tells clients the reason, is silent to other nodes and counts for no quorum",
			func(ctx SpecContext, leader bool, fail func(ctx context.Context, victim int)) {
				victim := env.leader(ctx)
				if !leader {
					victim = env.others(victim)[0]
				}
				fail(ctx, victim)
				env.eventually(ctx, env.node(victim)).Should(BeFailed())
				reason := statusOf(ctx, env.node(victim)).Reason
				Expect(reason).NotTo(BeEmpty())
				for _, consistency := range []target.Consistency{target.Local, target.Leader, target.Strong} {
					_, err := env.node(victim).Reading(consistency).Execute(ctx, env.sql("SELECT 1"))
					Expect(err).To(MatchError(target.ErrFailed), string(consistency))
					Expect(err).To(MatchError(ContainSubstring(reason)))
				}
				_, err := env.node(victim).Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (101, 'sent to the failed node')"))
				Expect(err).To(MatchError(target.ErrFailed))

				By("making progress without it")
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (102, 'by the others')")
				Expect(env.leader(ctx)).NotTo(Equal(victim))
				silent(ctx, victim)
				Expect(statusOf(ctx, env.node(victim)).Role).NotTo(Equal("leader"))

				By("losing another node, so that there is no quorum")
				follower := env.others(env.leader(ctx))
				absent := follower[0]
				if absent == victim {
					absent = follower[1]
				}
				env.leave(ctx, absent)
				refuses(ctx, env.leader(ctx), 103)
				env.comeBack(ctx, absent)
				absent = env.leader(ctx)
				alone := 3 - absent - victim // of 0, 1 and 2
				env.leave(ctx, absent)
				refuses(ctx, alone, 104)
				env.comeBack(ctx, absent)

				By("stopping it, and starting it with a sound disk")
				begun := time.Now()
				env.leave(ctx, victim, fault.Stop)
				Expect(time.Since(begun)).To(BeNumerically("<", env.pace.stop()), "it does not stop")
				Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())
				env.comeBack(ctx, victim)
				env.eventually(ctx, env.cluster).Should(BeConsistent(env.sql(rows)))
				Expect(env.patiently(ctx, "SELECT id FROM {ns}.t WHERE id > 50 AND id < 103 ORDER BY id")).To(HaveRows(Row(100), Row(102)))
			},
			Entry("a follower's disk fails", env.patience, false, badDisk(fault.Disk{Failing: true})),
			Entry("the leader's disk fails", env.patience, true, badDisk(fault.Disk{Failing: true})),
			Entry("the leader's disk is full", env.patience, true, badDisk(fault.Disk{Full: true})),
			Entry("a page of a follower's database is damaged", env.patience, false, badDatabase),
			Entry("a page of the leader's database is damaged", env.patience, true, badDatabase),
		)
	})
}
