package specs

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// replication are specs about what a leader sends to its followers, and when.
func replication(env *environment) {
	Describe("Replication", Label("suite:replication"), func() {
		BeforeEach(func() { env.needs(3) })

		It("resumes at once when a node returns, however long it was away", Label("fault:isolate"), func(ctx SpecContext) {
			env.needsClock(ctx)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i, away := range []time.Duration{env.pace.elections(100), env.pace.elections(400), env.pace.elections(1200)} {
				victim := env.others(env.leader(ctx))[0]
				env.leave(ctx, victim)
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", i)
				env.advance(ctx, away)
				back := time.Now()
				env.comeBack(ctx, victim)
				Expect(time.Since(back)).To(BeNumerically("<", env.pace.elections(20)), "it was away for %v", away)
			}
		}, env.patience)

		It("of a snapshot to a candidate does not keep it from voting when the leader is lost",
			Label("fault:isolate", "fault:link", "fault:crash", "speed:slow"), func(ctx SpecContext) {
				env.requires(target.Crash, target.Links)
				env.assumes(target.Compacts)
				leader, victim := env.awayUntilCompacted(ctx)
				late := func() {
					GinkgoHelper()
					Expect(env.cluster.SetLink(ctx, leader, victim, env.pace.lateAndNarrow())).To(Succeed())
					Expect(env.cluster.SetLink(ctx, victim, leader, fault.Rule{Latency: env.pace.lateAndNarrow().Latency})).To(Succeed())
				}

				By("sending it a snapshot on a link that delays heartbeats beyond the election timeout")
				late()
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				Eventually(ctx, func(ctx context.Context) (bool, error) {
					status := statusOf(ctx, env.node(victim))
					for _, other := range env.others(victim) {
						if other != leader && env.node(other).ID() == status.Leader { // on a busy machine, another node may lead
							Expect(env.cluster.MendLinks(ctx)).To(Succeed())
							leader = other
							late()
						}
					}
					receiving := status.Activities.Include(target.ReceivingSnapshot)
					if receiving && status.Role == "follower" {
						return false, env.interrupt(ctx, leader, victim, env.pace.lateAndNarrow())
					}
					return receiving && status.Role == "candidate", nil
				}).WithPolling(time.Millisecond).WithTimeout(env.pace.work()).Should(BeTrue(), "no candidate received a snapshot")

				By("crashing the leader")
				env.leave(ctx, leader, fault.Crash)
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				env.patiently(ctx, "DELETE FROM {ns}.blobs WHERE id = 1")
				env.comeBack(ctx, leader)
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			}, env.patience)

		It("of large rows over a narrow link applies them one by one", Label("fault:isolate", "fault:bandwidth"),
			func(ctx SpecContext) {
				env.requires(target.Links)
				env.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v BLOB)")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				victim := env.others(env.leader(ctx))[0]
				env.leave(ctx, victim)
				const rows = 12
				for i := range rows {
					env.patiently(ctx, "INSERT INTO {ns}.large VALUES (?, ?)", i, incompressible(i, 1<<20))
				}
				behind := statusOf(ctx, env.node(env.leader(ctx))).AppliedIndex
				for _, node := range env.others(victim) {
					Expect(env.cluster.SetLink(ctx, node, victim, fault.Rule{Bandwidth: 4 << 20})).To(Succeed())
				}
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				steps := make(map[uint64]bool)
				Eventually(ctx, func(ctx context.Context) uint64 {
					applied := statusOf(ctx, env.node(victim)).AppliedIndex
					steps[applied] = true
					return applied
				}).WithPolling(10 * time.Millisecond).WithTimeout(env.pace.work()).Should(BeNumerically(">=", behind))
				Expect(len(steps)).To(BeNumerically(">=", rows/2), "it was seen at the log indexes %v only", steps)
				Expect(env.cluster.Heal(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT id, length(v), hex(substr(v, 1, 8)) FROM {ns}.large ORDER BY id")))
			}, env.patience)

		It("resumes with the entries after a snapshot, though the answer to the first of them was lost",
			Label("fault:link"), func(ctx SpecContext) {
				env.needsClock(ctx)
				env.requires(target.Links)
				env.assumes(target.Compacts)
				leader, victim := env.awayUntilCompacted(ctx)
				env.run(ctx, "DELETE FROM {ns}.blobs WHERE id <= 10")

				By("restoring the node over a link on which its answers are late")
				Expect(env.cluster.SetLink(ctx, victim, leader, fault.Rule{Latency: 20 * time.Millisecond})).To(Succeed())
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				env.eventually(ctx, func(ctx context.Context) bool {
					status := statusOf(ctx, env.node(victim))
					return status.Restores > 0 && status.AppliedIndex > status.SnapshotIndex
				}).WithPolling(time.Millisecond).WithTimeout(env.pace.work()).Should(BeTrue(), "it got no entries after a snapshot")

				By("losing the answer")
				Expect(env.cluster.SetLink(ctx, victim, leader, fault.Rule{Action: fault.Refuse})).To(Succeed())
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				env.patiently(ctx, "DELETE FROM {ns}.blobs WHERE id = 11")
				within, cancel := context.WithTimeout(ctx, env.pace.work())
				defer cancel()
				Expect(env.cluster.WaitForNodeOnline(within, victim)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			}, env.patience)

		It("of a repeated snapshot does not undo entries of a node that was replaced meanwhile",
			Label("fault:crash", "fault:link", "fault:wipe"), func(ctx SpecContext) {
				env.needsClock(ctx)
				env.requires(target.Crash, target.Links, target.Members)
				env.assumes(target.Compacts)
				leader, victim := env.awayUntilCompacted(ctx)
				Expect(env.cluster.SetLink(ctx, leader, victim, narrow)).To(Succeed())
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())

				By("interrupting the snapshot repeatedly, so that the leader waits before the next attempt")
				for range 5 {
					env.waitUntilReceiving(ctx, victim)
					Expect(env.interrupt(ctx, leader, victim, narrow)).To(Succeed())
				}

				By("replacing the node")
				env.leave(ctx, victim, fault.Crash)
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				env.comeBackAs(ctx, victim, harness.Wiped)
				for i := range 100 {
					env.patiently(ctx, "DELETE FROM {ns}.blobs WHERE id = ?", i)
					env.advance(ctx, 100*time.Millisecond)
				}
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			}, env.patience)
	})
}

// awayUntilCompacted isolates a follower until it needs a snapshot of 400 KB. It returns the
// leader and the follower.
func (env *environment) awayUntilCompacted(ctx context.Context) (leader, follower int) {
	GinkgoHelper()
	env.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
	env.run(ctx, `INSERT INTO {ns}.blobs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
		SELECT i, randomblob(2048) FROM n`)
	Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
	follower = env.others(env.leader(ctx))[0]
	env.leave(ctx, follower)
	env.writeUntilCompacted(ctx, statusOf(ctx, env.node(follower)).CommitIndex)
	return env.leader(ctx), follower
}

// interrupt cuts the link from a leader to a node that receives its snapshot, until the node has
// noticed, so that the leader must repeat it. The link has the rule afterwards.
func (env *environment) interrupt(ctx context.Context, leader, node int, rule fault.Rule) error {
	if err := env.cluster.SetLink(ctx, leader, node, fault.Rule{Action: fault.Refuse}); err != nil {
		return err
	}
	env.eventually(ctx, func(ctx context.Context) target.Activities { return statusOf(ctx, env.node(node)).Activities }).Should(BeEmpty())
	return env.cluster.SetLink(ctx, leader, node, rule)
}

// inNoHurry is a spec about replication with a long election timeout, where heartbeats are rare.
func inNoHurry(env *environment) {
	It("A follower answers a write when it is committed, without waiting for the next heartbeat", Label("suite:replication"),
		func(ctx SpecContext) {
			env.needs(3)
			env.needsClock(ctx)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			follower := env.node(env.others(env.leader(ctx))[0])
			for i := range 20 {
				asked := time.Now()
				Expect(follower.Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (?)"), i)).Error().NotTo(HaveOccurred())
				Expect(time.Since(asked)).To(BeNumerically("<", env.pace.Election/300))
				env.advance(ctx, time.Second)
			}
		}, env.patience)
}

// loggedBytes is a spec about the size of the log, for one node.
func loggedBytes(env *environment) {
	// Where a disk has faults from below, each page of the rows is handed to another process, which takes its time on a busy machine.
	muchWork := 3 * env.patience
	It("A node with a large log takes a snapshot, however few its entries", Label("suite:replication", "speed:slow"),
		func(ctx SpecContext) {
			env.assumes(target.Compacts)
			const size, writes = 5 << 20, 30 // more than the 128 MiB after which a snapshot is taken
			value := func(i int) string { return strings.Repeat(string(rune('A'+i)), size) }
			if body := env.options.Limits.Body; body > 0 && body < size+1<<10 {
				Skip("the limit of a request is too low for the spec")
			}
			env.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v TEXT)")
			before := statusOf(ctx, env.node(0)).SnapshotIndex
			for i := range writes {
				env.patiently(ctx, "REPLACE INTO {ns}.large VALUES (1, ?)", value(i))
			}
			env.eventually(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, env.node(0)).SnapshotIndex }).
				Should(BeNumerically(">", before), "no snapshot after %d MiB of log", size*writes>>20)
			Expect(env.run(ctx, "SELECT id, length(v), substr(v, 1, 1) FROM {ns}.large")).To(HaveRows(Row(1, size, value(writes - 1)[:1])))
		}, muchWork, longest)
}
