package specs

import (
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func lostLog(env *environment) {
	Describe("A restarted node", Label("suite:lost-log", "fault:crash"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Crash)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			for i := range 10 {
				env.run(ctx, "INSERT INTO {ns}.t VALUES (?, 'all have it')", i)
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				env.eventually(ctx, node).Should(HaveCaughtUp())
			}
		})

		DescribeTable("without its log fails, and no row is lost",
			func(ctx SpecContext, part fault.Part) {
				env.requires(target.Disks, target.Members)
				env.assumes(target.FailStop)
				if env.cluster.Size() > 3 {
					Skip("the spec needs a cluster of exactly 3 nodes")
				}
				others := env.others(env.leader(ctx))
				victim, away := others[0], others[1]
				env.leave(ctx, away, fault.Crash)
				for i := range 10 {
					env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, 'two have it')", 100+i)
				}
				env.leave(ctx, victim, fault.Crash)
				file, err := env.cluster.Damage(ctx, victim, part)
				Expect(err).NotTo(HaveOccurred())

				By("starting the node without its log")
				err = env.cluster.BringNodeOnline(ctx, victim)
				if err == nil {
					env.eventually(ctx, env.node(victim)).Should(BeFailed(), "it takes a lost log for an empty one")
					err = errors.New(statusOf(ctx, env.node(victim)).Reason)
				}
				lostPart := base(file)
				if part == fault.LogFolder {
					lostPart = "log/meta"
				}
				Expect(err).To(MatchError(And(ContainSubstring(lostPart), ContainSubstring("replace"))))

				By("bringing the other node back, for a quorum")
				env.comeBack(ctx, away)
				Expect(env.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(20)))
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (200, 'by the others')")

				By("replacing the node")
				env.comeBackAs(ctx, victim, harness.Wiped)
				env.eventually(ctx, env.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
				Expect(env.cluster).To(BeConsistent(env.sql(rows)))
				Expect(env.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(21)))
			},
			Entry("the last file is missing", env.patience, fault.LogFile),
			Entry("the last file is truncated to an earlier append", env.patience, fault.LogEnd),
			Entry("all files are missing", env.patience, fault.LogFolder),
		)

		DescribeTable("without a quorum serves local reads of all that it had applied",
			func(ctx SpecContext, mode fault.Mode) {
				env.assumes(target.ReadsAlone)
				if mode == fault.Stop {
					env.requires(target.Stop)
				}
				witness := env.others(env.leader(ctx))[0]
				for _, other := range env.others(witness) {
					env.leave(ctx, other, mode)
				}
				env.leave(ctx, witness, mode)
				Expect(env.cluster.BringNodeOnline(ctx, witness)).To(Succeed())
				local := env.node(witness).Reading(target.Local)
				var result harness.Result
				env.eventually(ctx, func() (err error) {
					result, err = local.Execute(ctx, env.sql("SELECT count(*) FROM {ns}.t"))
					if err != nil && !errors.Is(err, target.ErrReplaying) {
						StopTrying("it fails other than by replaying").Wrap(err).Now()
					}
					return err
				}).Should(Succeed())
				Expect(result).To(HaveRows(Row(10)))
			},
			Entry("after a crash", env.patience, fault.Crash),
			Entry("after a stop", env.patience, fault.Stop),
		)
	})
}
