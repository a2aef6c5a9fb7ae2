package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ways are all ways in which a node is lost other than by isolation, which
// Recovery is about.
func ways(w *world) {
	Describe("A way to be lost", Label("suite:ways"), func() {
		const all = "SELECT * FROM {ns}.customers ORDER BY id"

		awayAndBack := func(ctx SpecContext, way harness.Way, leader bool, options ...harness.Return) {
			w.needs(3)
			w.requires(abilities[way])
			if len(options) > 0 {
				w.requires(target.Members)
			}
			w.openShop(ctx)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			victim := w.leader(ctx)
			if !leader {
				victim = (victim + 1) % w.cluster.Size()
			}
			before := statusOf(ctx, w.node(victim))

			By("losing the node: it answers nobody, and the others go on")
			w.leave(ctx, victim, way)
			Expect(w.node(victim)).To(BeOffline())
			w.expectSilence(ctx, victim)
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			w.patiently(ctx, "UPDATE {ns}.customers SET name = 'Ada Lovelace' WHERE id = 1")
			Expect(w.leader(ctx)).NotTo(Equal(victim))

			By("bringing it back")
			w.comeBackAs(ctx, victim, options...)
			Eventually(ctx, w.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(w.cluster).To(BeConsistent(w.sql(all), w.sql("SELECT * FROM {ns}.orders")))
			Expect(w.node(victim).Reading(target.Local).Execute(ctx, w.sql("SELECT id, name FROM {ns}.customers ORDER BY id"))).To(
				HaveRows(Row(1, "Ada Lovelace"), Row(2, "Grace"), Row(3, "Édouard"), Row(4, "林"), Row(5, "Edsger")))
			after := statusOf(ctx, w.node(victim))
			Expect(after.Voter).To(BeTrue(), "it does not count for a quorum any more")
			if len(options) > 0 {
				// Out of the cluster, in again, and a vote again: three entries more than
				// were written, and all of it from the others.
				Expect(after.CommitIndex).To(BeNumerically(">=", before.CommitIndex+2+3), "it was not taken in anew")
			}
			w.patiently(ctx, "DELETE FROM {ns}.customers WHERE id = 5")
		}

		DescribeTable("lets a node come back to exactly what the others hold", awayAndBack,
			Entry("when a follower stops", Label("fault:stop"), patience, harness.Stop, false),
			Entry("when the leader stops", Label("fault:stop"), patience, harness.Stop, true),
			Entry("when a follower crashes", Label("fault:crash"), patience, harness.Crash, false),
			Entry("when the leader crashes", Label("fault:crash"), patience, harness.Crash, true),
			Entry("when a follower freezes", Label("fault:pause"), patience, harness.Pause, false),
			Entry("when the leader freezes", Label("fault:pause"), patience, harness.Pause, true),
			Entry("when a follower crashes and its disk is lost", Label("fault:crash", "fault:wipe"), patience, harness.Crash, false, harness.Wiped),
			Entry("when the leader crashes and its disk is lost", Label("fault:crash", "fault:wipe"), patience, harness.Crash, true, harness.Wiped),
			Entry("when a frozen node's disk is lost", Label("fault:pause", "fault:wipe"), patience, harness.Pause, false, harness.Wiped),
		)

		It("is survived in all ways in turn by a leader that stops: it hands over first", Label("fault:stop"), func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Stop)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			for round := range 2 * w.cluster.Size() {
				leader := w.leader(ctx)
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				w.leave(ctx, leader, harness.Stop)
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", round)
				Expect(w.leader(ctx)).NotTo(Equal(leader))
				w.comeBack(ctx, leader)
			}
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(2 * w.cluster.Size())))
		}, patience)

		It("is refused at once, and changes nothing, if the target cannot do it", func(ctx SpecContext) {
			for way, ability := range abilities {
				if w.cluster.Can(ability) {
					continue
				}
				Expect(w.cluster.TakeNodeOffline(ctx, 0, way)).To(MatchError(harness.ErrUnsupported))
				Expect(w.node(0)).To(BeOnline())
			}
			Expect(w.cluster.TakeNodeOffline(ctx, 0, harness.Isolate, harness.Crash)).NotTo(Succeed())
			Expect(w.node(0)).To(BeOnline())
		}, patience)
	})
}

// longRead is how long a frozen node is given to wake up and answer.
const longRead = 10 * time.Second

// abilities are what a target needs for each way.
var abilities = map[harness.Way]target.Ability{harness.Stop: target.Stop, harness.Crash: target.Crash, harness.Pause: target.Pause}

// silence is how long a node that is gone is given to answer.
const silence = 200 * time.Millisecond

// expectSilence asks a node that is lost, as a client does.
func (w *world) expectSilence(ctx context.Context, node int) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	_, err := w.node(node).Reading(target.Local).Execute(ctx, "SELECT 1")
	Expect(err).To(HaveOccurred(), "a node that is lost has answered")
}
