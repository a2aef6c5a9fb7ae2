package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// modes are specs about every failure mode but isolation, for which there is recovery.
func modes(env *environment) {
	Describe("A failure mode", Label("suite:modes"), func() {
		const all = "SELECT * FROM {ns}.customers ORDER BY id"

		awayAndBack := func(ctx SpecContext, mode fault.Mode, leader bool, options ...harness.ReturnOption) {
			env.needs(3)
			env.requires(abilities[mode])
			if len(options) > 0 {
				env.requires(target.Members)
			}
			env.openShop(ctx)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			victim := env.leader(ctx)
			if !leader {
				victim = (victim + 1) % env.cluster.Size()
			}
			before := statusOf(ctx, env.node(victim))

			By("losing the node, which answers no client, while the others make progress")
			env.leave(ctx, victim, mode)
			Expect(env.node(victim)).To(BeOffline())
			env.expectSilence(ctx, victim)
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			env.patiently(ctx, "UPDATE {ns}.customers SET name = 'Ada Lovelace' WHERE id = 1")
			Expect(env.leader(ctx)).NotTo(Equal(victim))

			By("bringing it back")
			env.comeBackAs(ctx, victim, options...)
			env.eventually(ctx, env.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(env.cluster).To(BeConsistent(env.sql(all), env.sql("SELECT * FROM {ns}.orders")))
			Expect(env.node(victim).Reading(target.Local).Execute(ctx, env.sql("SELECT id, name FROM {ns}.customers ORDER BY id"))).To(
				HaveRows(Row(1, "Ada Lovelace"), Row(2, "Grace"), Row(3, "Édouard"), Row(4, "林"), Row(5, "Edsger")))
			after := statusOf(ctx, env.node(victim))
			Expect(after.Voter).To(BeTrue(), "it is no voter")
			if len(options) > 0 && after.LogEntries > 0 { // an index of the log counts members too, one of commits does not
				// Two writes, and three changes of the members: removed, added, made a voter.
				Expect(after.CommitIndex).To(BeNumerically(">=", before.CommitIndex+2+3), "it was not removed and added again")
			}
			env.patiently(ctx, "DELETE FROM {ns}.customers WHERE id = 5")
		}

		DescribeTable("ends with the node holding exactly what the others hold", awayAndBack,
			Entry("a follower stops", Label("fault:stop"), env.patience, fault.Stop, false),
			Entry("the leader stops", Label("fault:stop"), env.patience, fault.Stop, true),
			Entry("a follower crashes", Label("fault:crash"), env.patience, fault.Crash, false),
			Entry("the leader crashes", Label("fault:crash"), env.patience, fault.Crash, true),
			Entry("a follower is paused", Label("fault:pause"), env.patience, fault.Pause, false),
			Entry("the leader is paused", Label("fault:pause"), env.patience, fault.Pause, true),
			Entry("a follower crashes and loses its disk", Label("fault:crash", "fault:wipe"), env.patience, fault.Crash, false, harness.Wiped),
			Entry("the leader crashes and loses its disk", Label("fault:crash", "fault:wipe"), env.patience, fault.Crash, true, harness.Wiped),
			Entry("a paused node loses its disk", Label("fault:pause", "fault:wipe"), env.patience, fault.Pause, false, harness.Wiped),
		)

		It("of a leader that stops, repeated: each transfers its leadership first", Label("fault:stop"), func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Stop)
			env.assumes(target.Drains)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			for round := range 2 * env.cluster.Size() {
				leader := env.leader(ctx)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				env.leave(ctx, leader, fault.Stop)
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", round)
				Expect(env.leader(ctx)).NotTo(Equal(leader))
				env.comeBack(ctx, leader)
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(2 * env.cluster.Size())))
		}, env.patience)

		It("that the target does not support is refused without effect", func(ctx SpecContext) {
			for mode, ability := range abilities {
				if env.cluster.Can(ability) {
					continue
				}
				Expect(env.cluster.TakeNodeOffline(ctx, 0, mode)).To(MatchError(harness.ErrUnsupported))
				env.eventually(ctx, env.node(0)).Should(BeOnline())
			}
			Expect(env.cluster.TakeNodeOffline(ctx, 0, fault.Isolate, fault.Crash)).NotTo(Succeed())
			env.eventually(ctx, env.node(0)).Should(BeOnline())
		}, env.patience)
	})
}

// abilities are what a target needs for each failure mode.
var abilities = map[fault.Mode]target.Ability{fault.Stop: target.Stop, fault.Crash: target.Crash, fault.Pause: target.Pause}

// silence is how long a lost node is given to answer.
const silence = 200 * time.Millisecond

// expectSilence asks a lost node as a client does, and expects no answer.
func (env *environment) expectSilence(ctx context.Context, node int) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	_, err := env.node(node).Reading(target.Local).Execute(ctx, "SELECT 1")
	Expect(err).To(HaveOccurred(), "a lost node has answered")
}
