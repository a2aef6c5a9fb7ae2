package specs

import (
	"context"
	"errors"
	"reflect"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func disks(env *environment) {
	Describe("A failing disk", Label("suite:disks", "fault:disk", "needs:members", "needs:fail-stop"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Disks, target.Members)
			env.assumes(target.FailStop)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			for i := range 20 {
				env.run(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", i, "text in which a byte can be flipped")
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		victimOf := func(ctx SpecContext, leader bool) int {
			victim := env.leader(ctx)
			if !leader {
				victim = env.others(victim)[0]
			}
			return victim
		}

		// replaced gives the node an empty disk.
		replaced := func(ctx SpecContext, victim int) {
			GinkgoHelper()
			By("replacing the node")
			if up, err := env.cluster.IsNodeOnline(victim); err == nil && up {
				env.leave(ctx, victim, fault.Crash)
			}
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())
			env.comeBackAs(ctx, victim, harness.Wiped)
			env.eventually(ctx, env.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(env.cluster).To(BeConsistent(env.sql(rows)))
		}

		// goOn proves that the others make progress without the node.
		goOn := func(ctx SpecContext, id int) {
			GinkgoHelper()
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, 'by the others')", id)
		}

		// Disks below the node have its database, too, which may be the first to need space.
		inLog := func(cause string) types.GomegaMatcher { return And(ContainSubstring(cause), ContainSubstring("log")) }
		full := Or(inLog("no space left"), ContainSubstring("database or disk is full"))

		DescribeTable("takes down only its own node, and the node says why",
			func(ctx SpecContext, faults fault.Disk, leader bool, why types.GomegaMatcher) {
				victim := victimOf(ctx, leader)
				Expect(env.cluster.SetDisk(ctx, victim, faults)).To(Succeed())
				goOn(ctx, 100)
				env.eventually(ctx, env.node(victim)).Should(BeFailed())
				Expect(statusOf(ctx, env.node(victim)).Reason).To(why)
				_, err := env.node(victim).Reading(target.Local).Execute(ctx, env.sql(rows))
				Expect(err).To(MatchError(target.ErrFailed))
				Expect(env.leader(ctx)).NotTo(Equal(victim))
				goOn(ctx, 101)
				replaced(ctx, victim)
			},
			Entry("a follower's disk is full", env.patience, fault.Disk{Full: true}, false, full),
			Entry("the leader's disk is full", env.patience, fault.Disk{Full: true}, true, full),
			Entry("a follower's disk fails", env.patience, fault.Disk{Failing: true}, false, inLog("input/output error")),
			Entry("the leader's disk fails", env.patience, fault.Disk{Failing: true}, true, inLog("input/output error")),
		)

		DescribeTable("that loses synced writes loses nothing that a quorum has",
			func(ctx SpecContext, leader bool) {
				env.requires(target.Crash)
				victim := victimOf(ctx, leader)
				before := statusOf(ctx, env.node(victim))
				Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{Lying: true})).To(Succeed())
				for i := range 10 {
					goOn(ctx, 100+i)
				}
				for _, node := range env.cluster.Nodes() { // so that the other nodes are a quorum that has everything
					env.eventually(ctx, node).Should(HaveCaughtUp())
				}
				env.leave(ctx, victim, fault.Crash)
				Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())

				By("starting it alone to see what is left")
				for _, other := range env.others(victim) {
					env.leave(ctx, other)
				}
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				Expect(statusOf(ctx, env.node(victim)).LogEntries).To(BeNumerically("<", before.LogEntries+10), "the disk lost nothing")
				for _, other := range env.others(victim) {
					Expect(env.cluster.BringNodeOnline(ctx, other)).To(Succeed())
				}
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql(rows)))
				Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(30)))
			},
			Entry("a follower's", Label("fault:crash"), env.patience, false),
			Entry("the leader's", Label("fault:crash"), env.patience, true),
		)

		DescribeTable("that tears its last write recovers by dropping the fragment",
			func(ctx SpecContext, leader bool) {
				env.requires(target.Crash)
				victim := victimOf(ctx, leader)
				Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{Torn: true})).To(Succeed())
				goOn(ctx, 100)
				env.eventually(ctx, env.node(victim)).ShouldNot(HaveCaughtUp(), "its disk does not hang")
				env.leave(ctx, victim, fault.Crash)
				Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())
				env.comeBack(ctx, victim)
				Expect(env.cluster).To(BeConsistent(env.sql(rows)))
				Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(21)))
			},
			Entry("a follower's", Label("fault:crash"), env.patience, false),
			Entry("the leader's", Label("fault:crash"), env.patience, true),
		)

		DescribeTable("with a flipped byte fails its node at start, and the node names the file",
			func(ctx SpecContext, part fault.Part) {
				env.requires(target.Crash)
				victim := victimOf(ctx, false)
				if part == fault.Snapshot {
					env.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
					env.writeUntilCompacted(ctx, statusOf(ctx, env.node(victim)).CommitIndex)
				}
				env.leave(ctx, victim, fault.Crash)
				file, err := env.cluster.Damage(ctx, victim, part)
				Expect(err).NotTo(HaveOccurred())
				goOn(ctx, 100)

				By("starting it")
				err = env.cluster.BringNodeOnline(ctx, victim)
				if err == nil {
					env.eventually(ctx, env.node(victim)).Should(BeFailed())
					err = errors.New(statusOf(ctx, env.node(victim)).Reason)
				}
				Expect(err).To(MatchError(ContainSubstring(base(file))), "the file is not named")
				_, err = env.node(victim).Reading(target.Local).Execute(ctx, env.sql(rows))
				Expect(err).To(HaveOccurred(), "it serves data from a damaged %s", part)
				goOn(ctx, 101)
				replaced(ctx, victim)
			},
			Entry("in the log", Label("fault:crash"), env.patience, fault.Log),
			Entry("in the newest snapshot", Label("fault:crash"), env.patience, fault.Snapshot),
		)

		It("with a flipped byte in the database of a running node serves no wrong row", func(ctx SpecContext) {
			victim := victimOf(ctx, false)
			// Many pages, which are not written again: writing a page repairs it.
			env.run(ctx, "CREATE TABLE {ns}.big (id INTEGER PRIMARY KEY, v TEXT)")
			env.run(ctx, "INSERT INTO {ns}.big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, 'row ' "+
				"|| i || hex(zeroblob(300)) FROM n")
			const all = "SELECT * FROM {ns}.big ORDER BY id"
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			good, err := env.node(victim).Reading(target.Local).Execute(ctx, env.sql(all))
			Expect(err).NotTo(HaveOccurred())
			Expect(good.Rows()).To(HaveLen(200))
			file, err := env.cluster.Damage(ctx, victim, fault.Database)
			Expect(err).NotTo(HaveOccurred())
			id := 100
			env.eventually(ctx, func(g Gomega, ctx context.Context) {
				// Another write makes the node drop its page cache.
				_, err := env.cluster.ExecuteWithRetry(ctx, env.sql("INSERT INTO {ns}.t VALUES (?, 'by the others')"), id)
				g.Expect(err).NotTo(HaveOccurred())
				id++
				rows, err := env.node(victim).Reading(target.Local).Execute(ctx, env.sql(all))
				if err == nil && !reflect.DeepEqual(rows.Rows(), good.Rows()) {
					StopTrying("it serves rows that were never written").Attach("rows", rows.Rows()).Now()
				}
				g.Expect(env.node(victim)).To(BeFailed())
			}).Should(Succeed())
			Expect(statusOf(ctx, env.node(victim)).Reason).To(ContainSubstring(base(file)))
			goOn(ctx, 1000)
			replaced(ctx, victim)
		}, env.patience)
	})
}
