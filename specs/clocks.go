package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func clocks(env *environment) {
	Describe("A skewed clock", Label("suite:clocks", "fault:clock", "needs:clocks"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Clocks)
			env.assumes(target.SameEverywhere)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, at INTEGER DEFAULT (unixepoch()))")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		DescribeTable("breaks neither ordering nor replica agreement",
			func(ctx SpecContext, ahead ...time.Duration) {
				rows := 0
				env.undisturbed(ctx, func(leader int) {
					for _, d := range ahead {
						Expect(env.cluster.SetClock(ctx, leader, d)).To(Succeed())
						begun := time.Now()
						env.patiently(ctx, "INSERT INTO {ns}.t (id) VALUES (?)", rows)
						at, err := env.run(ctx, "SELECT at FROM {ns}.t WHERE id = ?", rows).Value()
						Expect(err).NotTo(HaveOccurred())
						if d > 0 && rows == 0 { // a clock that is behind is held at the last time
							Expect(time.Unix(at.(int64), 0)).To(BeTemporally("~", begun.Add(d), time.Minute), "its clock is not skewed")
						}
						rows++
						Expect(env.node(leader).Reading(target.Strong).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.t"))).To(HaveRows(Row(rows)))
					}
				})

				By("electing a leader with a correct clock")
				leader := env.leader(ctx)
				env.leave(ctx, leader)
				env.patiently(ctx, "INSERT INTO {ns}.t (id) VALUES (1000)")
				env.comeBack(ctx, leader)
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
				Expect(env.run(ctx, `SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY id) AS back FROM {ns}.t) WHERE back`)).To(
					HaveRows(Row(0)), "time ran backwards in the database")
			},
			Entry("an hour ahead", env.patience, time.Hour),
			Entry("an hour behind", env.patience, -time.Hour),
			Entry("jumping", env.patience, time.Hour, -24*time.Hour, 0*time.Hour, 365*24*time.Hour, -time.Second),
		)
	})
}
