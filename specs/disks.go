package specs

import (
	"context"
	"errors"
	"reflect"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func disks(w *world) {
	Describe("A bad disk", Label("suite:disks", "fault:disk"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Disks, target.Members)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			for i := range 20 {
				w.run(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", i, "some words of text that a byte may be flipped in")
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		victimOf := func(ctx SpecContext, leader bool) int {
			victim := w.leader(ctx)
			if !leader {
				victim = w.others(victim)[0]
			}
			return victim
		}

		// replaced gives a node whose disk is bad another one.
		replaced := func(ctx SpecContext, victim int) {
			GinkgoHelper()
			By("replacing it")
			if up, err := w.cluster.IsNodeOnline(victim); err == nil && up {
				w.leave(ctx, victim, harness.Crash)
			}
			Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{})).To(Succeed())
			w.comeBackAs(ctx, victim, harness.Wiped)
			Eventually(ctx, w.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(w.cluster).To(BeConsistent(w.sql(rows)))
		}

		// goOn proves that the others do without the node.
		goOn := func(ctx SpecContext, id int) {
			GinkgoHelper()
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, 'of the others')", id)
		}

		DescribeTable("fails its node with a reason, and nobody else",
			func(ctx SpecContext, faults disk.Faults, leader bool, said string) {
				victim := victimOf(ctx, leader)
				Expect(w.cluster.SetDisk(ctx, victim, faults)).To(Succeed())
				goOn(ctx, 100)
				Eventually(ctx, w.node(victim)).Should(BeFailed())
				Expect(statusOf(ctx, w.node(victim)).Reason).To(And(ContainSubstring(said), ContainSubstring("log")))
				_, err := w.node(victim).Reading(target.Local).Execute(ctx, w.sql(rows))
				Expect(codeOf(err)).To(Equal("NODE_FAILED"), "%v", err)
				Expect(w.leader(ctx)).NotTo(Equal(victim))
				goOn(ctx, 101)
				replaced(ctx, victim)
			},
			Entry("when a follower's is full", patience, disk.Faults{Full: true}, false, "no space left"),
			Entry("when the leader's is full", patience, disk.Faults{Full: true}, true, "no space left"),
			Entry("when a follower's fails", patience, disk.Faults{Failing: true}, false, "input/output error"),
			Entry("when the leader's fails", patience, disk.Faults{Failing: true}, true, "input/output error"),
		)

		DescribeTable("that loses what it said was safe loses nothing that a quorum has",
			func(ctx SpecContext, leader bool) {
				w.requires(target.Crash)
				victim := victimOf(ctx, leader)
				before := statusOf(ctx, w.node(victim))
				Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{Lying: true})).To(Succeed())
				for i := range 10 {
					goOn(ctx, 100+i)
				}
				for _, node := range w.cluster.Nodes() { // a quorum has only what others than the liar have
					Eventually(ctx, node).Should(HaveCaughtUp())
				}
				w.leave(ctx, victim, harness.Crash)
				Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{})).To(Succeed())

				By("starting it alone, so that it shows what is left")
				for _, other := range w.others(victim) {
					w.leave(ctx, other)
				}
				Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				Expect(statusOf(ctx, w.node(victim)).LogEntries).To(BeNumerically("<", before.LogEntries+10), "the lie cost nothing")
				for _, other := range w.others(victim) {
					Expect(w.cluster.BringNodeOnline(ctx, other)).To(Succeed())
				}
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(w.cluster).To(BeConsistent(w.sql(rows)))
				Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(30)))
			},
			Entry("when it is a follower's", Label("fault:crash"), patience, false),
			Entry("when it is the leader's", Label("fault:crash"), patience, true),
		)

		DescribeTable("that tears its last write drops the piece, and catches up",
			func(ctx SpecContext, leader bool) {
				w.requires(target.Crash)
				victim := victimOf(ctx, leader)
				Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{Torn: true})).To(Succeed())
				goOn(ctx, 100)
				Eventually(ctx, w.node(victim)).ShouldNot(HaveCaughtUp(), "its disk goes on")
				w.leave(ctx, victim, harness.Crash)
				Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{})).To(Succeed())
				w.comeBack(ctx, victim)
				Expect(w.cluster).To(BeConsistent(w.sql(rows)))
				Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(21)))
			},
			Entry("when it is a follower's", Label("fault:crash"), patience, false),
			Entry("when it is the leader's", Label("fault:crash"), patience, true),
		)

		DescribeTable("with one byte flipped fails its node when it starts, by the name of the file",
			func(ctx SpecContext, part disk.Part) {
				w.requires(target.Crash)
				victim := victimOf(ctx, false)
				if part == disk.Snapshot {
					w.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
					w.writeUntilCompacted(ctx, statusOf(ctx, w.node(victim)).CommitIndex)
				}
				w.leave(ctx, victim, harness.Crash)
				file, err := w.cluster.Damage(ctx, victim, part)
				Expect(err).NotTo(HaveOccurred())
				goOn(ctx, 100)

				By("starting it: it must not serve what it cannot know")
				err = w.cluster.BringNodeOnline(ctx, victim)
				if err == nil {
					Eventually(ctx, w.node(victim)).Should(BeFailed())
					err = errors.New(statusOf(ctx, w.node(victim)).Reason)
				}
				Expect(err).To(MatchError(ContainSubstring(base(file))), "the file is not named")
				_, err = w.node(victim).Reading(target.Local).Execute(ctx, w.sql(rows))
				Expect(err).To(HaveOccurred(), "it serves from a damaged %s", part)
				goOn(ctx, 101)
				replaced(ctx, victim)
			},
			Entry("of the log", Label("fault:crash"), patience, disk.Log),
			Entry("of the newest snapshot", Label("fault:crash"), patience, disk.Snapshot),
		)

		It("with one byte flipped in the database of a running node serves no wrong row, ever", func(ctx SpecContext) {
			victim := victimOf(ctx, false)
			// Of many pages, and not written again: a page that is written is whole again.
			w.run(ctx, "CREATE TABLE {ns}.big (id INTEGER PRIMARY KEY, v TEXT)")
			w.run(ctx, "INSERT INTO {ns}.big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, 'row ' || i || hex(zeroblob(300)) FROM n")
			const all = "SELECT * FROM {ns}.big ORDER BY id"
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			good, err := w.node(victim).Reading(target.Local).Execute(ctx, w.sql(all))
			Expect(err).NotTo(HaveOccurred())
			Expect(good.Rows()).To(HaveLen(200))
			file, err := w.cluster.Damage(ctx, victim, disk.Database)
			Expect(err).NotTo(HaveOccurred())
			id := 100
			Eventually(ctx, func(g Gomega, ctx context.Context) {
				// A write more makes the node forget what it has in memory.
				_, err := w.cluster.ExecuteWithRetry(ctx, w.sql("INSERT INTO {ns}.t VALUES (?, 'of the others')"), id)
				g.Expect(err).NotTo(HaveOccurred())
				id++
				rows, err := w.node(victim).Reading(target.Local).Execute(ctx, w.sql(all))
				if err == nil && !reflect.DeepEqual(rows.Rows(), good.Rows()) {
					StopTrying("it serves other rows than were written").Attach("rows", rows.Rows()).Now()
				}
				g.Expect(w.node(victim)).To(BeFailed())
			}).Should(Succeed())
			Expect(statusOf(ctx, w.node(victim)).Reason).To(ContainSubstring(base(file)))
			goOn(ctx, 1000)
			replaced(ctx, victim)
		}, patience)
	})
}
