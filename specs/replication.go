package specs

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// replication is about what a leader sends to its followers, and when.
func replication(env *environment) {
	Describe("Replication", Label("suite:replication"), func() {
		BeforeEach(func() { env.needs(3) })

		It("resumes within a second when a node is back, however long it was away", Label("fault:isolate"), func(ctx SpecContext) {
			env.needsClock(ctx)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i, away := range []time.Duration{5 * time.Second, 20 * time.Second, time.Minute} {
				victim := env.others(env.leader(ctx))[0]
				env.leave(ctx, victim)
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", i)
				env.advance(ctx, away)
				back := time.Now()
				env.comeBack(ctx, victim)
				Expect(time.Since(back)).To(BeNumerically("<", time.Second), "it was away for %v", away)
			}
		}, env.patience)

		It("of a snapshot to a candidate does not keep the candidate from voting, when the leader is lost",
			Label("fault:isolate", "fault:link", "fault:crash", "speed:slow"), func(ctx SpecContext) {
				env.requires(target.Crash, target.Links)
				leader, victim := env.awayUntilCompacted(ctx)

				By("sending it a snapshot, over a link on which heartbeats come later than its election timeout")
				Expect(env.cluster.SetLink(ctx, leader, victim, lateAndNarrow)).To(Succeed())
				Expect(env.cluster.SetLink(ctx, victim, leader, fault.Rule{Latency: lateAndNarrow.Latency})).To(Succeed())
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				Eventually(ctx, func(ctx context.Context) (bool, error) {
					status := statusOf(ctx, env.node(victim))
					receiving := isAt(status, target.ReceivingSnapshot)
					if receiving && status.Role == "follower" {
						return false, env.interrupt(ctx, leader, victim, lateAndNarrow)
					}
					return receiving && status.Role == "candidate", nil
				}).WithPolling(time.Millisecond).WithTimeout(env.pace.work()).Should(BeTrue(), "it never received one as a candidate")

				By("losing the leader")
				env.leave(ctx, leader, fault.Crash)
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				env.patiently(ctx, "DELETE FROM {ns}.blobs WHERE id = 1")
				env.comeBack(ctx, leader)
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			}, env.patience)

		It("of large rows over a narrow link is applied as they come, and not all at once at the end", Label("fault:isolate", "fault:bandwidth"),
			func(ctx SpecContext) {
				env.requires(target.Links)
				env.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v BLOB)")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				victim := env.others(env.leader(ctx))[0]
				env.leave(ctx, victim)
				const rows = 12
				for i := range rows {
					env.patiently(ctx, "INSERT INTO {ns}.large VALUES (?, ?)", i, bytes.Repeat([]byte{byte(i)}, 1<<20))
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
				Expect(len(steps)).To(BeNumerically(">=", rows/2), "it came to log indexes %v only", steps)
				Expect(env.cluster.Heal(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT id, length(v), hex(substr(v, 1, 8)) FROM {ns}.large ORDER BY id")))
			}, env.patience)

		It("of a snapshot that is repeated after the node was replaced does not undo what the new node has",
			Label("fault:crash", "fault:link", "fault:wipe"), func(ctx SpecContext) {
				env.needsClock(ctx)
				env.requires(target.Crash, target.Links, target.Members)
				leader, victim := env.awayUntilCompacted(ctx)
				Expect(env.cluster.SetLink(ctx, leader, victim, narrow)).To(Succeed())
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())

				By("interrupting the snapshot, so that the leader waits longer each time before it repeats it")
				for range 5 {
					env.waitForWork(ctx, victim, target.ReceivingSnapshot)
					Expect(env.interrupt(ctx, leader, victim, narrow)).To(Succeed())
				}

				By("replacing the node meanwhile")
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

// lateAndNarrow is a link over which a heartbeat takes several election timeouts, and a snapshot
// a second and more.
var lateAndNarrow = fault.Rule{Latency: 120 * time.Millisecond, Bandwidth: 256 << 10}

// awayUntilCompacted takes a follower away until it needs a snapshot of 400 KB. It returns who
// leads then, and the follower.
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

// interrupt breaks the link from a leader that sends a snapshot to a node, until the node has
// noticed, so that the leader has to repeat it. The link has the rule afterwards.
func (env *environment) interrupt(ctx context.Context, leader, node int, rule fault.Rule) error {
	if err := env.cluster.SetLink(ctx, leader, node, fault.Rule{Action: fault.Refuse}); err != nil {
		return err
	}
	Eventually(ctx, func(ctx context.Context) target.Activities { return statusOf(ctx, env.node(node)).Activities }).Should(BeEmpty())
	return env.cluster.SetLink(ctx, leader, node, rule)
}

// inNoHurry is replication where Raft calls a follower every few seconds.
func inNoHurry(env *environment) {
	It("A follower answers a change when it is committed, and not when its leader calls it next", Label("suite:replication"),
		func(ctx SpecContext) {
			env.needs(3)
			env.needsClock(ctx)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			follower := env.node(env.others(env.leader(ctx))[0])
			for i := range 20 {
				asked := time.Now()
				Expect(follower.Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (?)"), i)).Error().NotTo(HaveOccurred())
				Expect(time.Since(asked)).To(BeNumerically("<", 200*time.Millisecond))
				env.advance(ctx, time.Second)
			}
		}, env.patience)
}

// loggedBytes is about how much of its log a node keeps, by size. One node is enough.
func loggedBytes(env *environment) {
	It("A node takes a snapshot of a log that is large, however few its entries", Label("suite:replication", "speed:slow"),
		func(ctx SpecContext) {
			const size, writes = 15 << 20, 10 // more than the 128 MiB after which a snapshot is due
			if body := env.options.Limits.Body; body > 0 && body < size+1<<10 {
				Skip("a request may not be as large as this needs")
			}
			env.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v TEXT)")
			before := statusOf(ctx, env.node(0)).SnapshotIndex
			for i := range writes {
				env.patiently(ctx, "REPLACE INTO {ns}.large VALUES (1, ?)", strings.Repeat(string(rune('a'+i)), size))
			}
			Eventually(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, env.node(0)).SnapshotIndex }).
				Should(BeNumerically(">", before), "its log has grown by %d MiB", size*writes>>20)
			Expect(env.run(ctx, "SELECT id, length(v), substr(v, 1, 1) FROM {ns}.large")).To(HaveRows(Row(1, size, "j")))
		}, env.patience, longest)
}

// isAt tells whether the node is at that work.
func isAt(status target.Status, work target.Work) bool {
	return slices.ContainsFunc(status.Activities, func(a target.Activity) bool { return a.Work == work })
}
