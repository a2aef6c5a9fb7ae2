package specs

import (
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func lostLog(w *world) {
	Describe("A node that starts again", Label("suite:lost-log", "fault:crash"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Crash)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			for i := range 10 {
				w.run(ctx, "INSERT INTO {ns}.t VALUES (?, 'all have it')", i)
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range w.cluster.Nodes() {
				Eventually(ctx, node).Should(HaveCaughtUp())
			}
		})

		DescribeTable("without the log that it had refuses to, and no row is lost",
			func(ctx SpecContext, part disk.Part) {
				w.requires(target.Disks, target.Members)
				if w.cluster.Size() > 3 {
					Skip("in a larger cluster two nodes are no quorum")
				}
				others := w.others(w.leader(ctx))
				victim, away := others[0], others[1]
				w.leave(ctx, away, harness.Crash)
				for i := range 10 {
					w.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, 'two have it')", 100+i)
				}
				w.leave(ctx, victim, harness.Crash)
				file, err := w.cluster.Damage(ctx, victim, part)
				Expect(err).NotTo(HaveOccurred())

				By("starting it without its log")
				err = w.cluster.BringNodeOnline(ctx, victim)
				if err == nil {
					Eventually(ctx, w.node(victim)).Should(BeFailed(), "it takes a lost log for an empty one")
					err = errors.New(statusOf(ctx, w.node(victim)).Reason)
				}
				lostPart := base(file)
				if part == disk.LogFolder {
					lostPart = "log/meta"
				}
				Expect(err).To(MatchError(And(ContainSubstring(lostPart), ContainSubstring("replace"))))

				By("bringing the node back that was away: with the one that has all it is a quorum")
				w.comeBack(ctx, away)
				Expect(w.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(20)))
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (200, 'of the others')")

				By("replacing the node")
				w.comeBackAs(ctx, victim, harness.Wiped)
				Eventually(ctx, w.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
				Expect(w.cluster).To(BeConsistent(w.sql(rows)))
				Expect(w.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(21)))
			},
			Entry("whose last file is gone", patience, disk.LogFile),
			Entry("whose last file ends where an earlier append did", patience, disk.LogEnd),
			Entry("whose files are all gone", patience, disk.LogFolder),
		)

		DescribeTable("without a quorum serves local reads of all that it served before",
			func(ctx SpecContext, way harness.Way) {
				if way == harness.Stop {
					w.requires(target.Stop)
				}
				witness := w.others(w.leader(ctx))[0]
				for _, other := range w.others(witness) {
					w.leave(ctx, other, way)
				}
				w.leave(ctx, witness, way)
				Expect(w.cluster.BringNodeOnline(ctx, witness)).To(Succeed())
				local := w.node(witness).Reading(target.Local)
				var result harness.Result
				Eventually(ctx, func() (err error) {
					result, err = local.Execute(ctx, w.sql("SELECT count(*) FROM {ns}.t"))
					if err != nil && codeOf(err) != "REPLAYING" {
						StopTrying("it answers from before its time").Wrap(err).Now()
					}
					return err
				}).Should(Succeed())
				Expect(result).To(HaveRows(Row(10)))
			},
			Entry("after a crash", patience, harness.Crash),
			Entry("after it was stopped", patience, harness.Stop),
		)
	})
}
