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

// ways are all ways in which a node is lost other than by isolation, which
// Recovery is about.
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

			By("losing the node: it answers nobody, and the others go on")
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
			Expect(after.Voter).To(BeTrue(), "it does not count for a quorum any more")
			if len(options) > 0 {
				// Out of the cluster, in again, and a vote again: three entries more than
				// were written, and all of it from the others.
				Expect(after.CommitIndex).To(BeNumerically(">=", before.CommitIndex+2+3), "it was not taken in anew")
			}
			env.patiently(ctx, "DELETE FROM {ns}.customers WHERE id = 5")
		}

		DescribeTable("lets a node come back to exactly what the others hold", awayAndBack,
			Entry("when a follower stops", Label("fault:stop"), env.patience, fault.Stop, false),
			Entry("when the leader stops", Label("fault:stop"), env.patience, fault.Stop, true),
			Entry("when a follower crashes", Label("fault:crash"), env.patience, fault.Crash, false),
			Entry("when the leader crashes", Label("fault:crash"), env.patience, fault.Crash, true),
			Entry("when a follower freezes", Label("fault:pause"), env.patience, fault.Pause, false),
			Entry("when the leader freezes", Label("fault:pause"), env.patience, fault.Pause, true),
			Entry("when a follower crashes and its disk is lost", Label("fault:crash", "fault:wipe"), env.patience, fault.Crash, false, harness.Wiped),
			Entry("when the leader crashes and its disk is lost", Label("fault:crash", "fault:wipe"), env.patience, fault.Crash, true, harness.Wiped),
			Entry("when a frozen node's disk is lost", Label("fault:pause", "fault:wipe"), env.patience, fault.Pause, false, harness.Wiped),
		)

		It("is survived in all ways in turn by a leader that stops: it hands over first", Label("fault:stop"), func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Stop)
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

		It("is refused at once, and changes nothing, if the target cannot do it", func(ctx SpecContext) {
			for mode, ability := range abilities {
				if env.cluster.Can(ability) {
					continue
				}
				Expect(env.cluster.TakeNodeOffline(ctx, 0, mode)).To(MatchError(harness.ErrUnsupported))
				Expect(env.node(0)).To(BeOnline())
			}
			Expect(env.cluster.TakeNodeOffline(ctx, 0, fault.Isolate, fault.Crash)).NotTo(Succeed())
			Expect(env.node(0)).To(BeOnline())
		}, env.patience)
	})
}

// abilities are what a target needs for each way.
var abilities = map[fault.Mode]target.Ability{fault.Stop: target.Stop, fault.Crash: target.Crash, fault.Pause: target.Pause}

// silence is how long a node that is gone is given to answer.
const silence = 200 * time.Millisecond

// expectSilence asks a node that is lost, as a client does.
func (env *environment) expectSilence(ctx context.Context, node int) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	_, err := env.node(node).Reading(target.Local).Execute(ctx, "SELECT 1")
	Expect(err).To(HaveOccurred(), "a node that is lost has answered")
}
