package specs

import (
	"context"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// sums are specs about flipped bytes on disk.
func sums(env *environment) {
	Describe("A flipped byte", Label("suite:sums", "fault:disk", "fault:crash", "needs:members", "needs:fail-stop", "needs:compacts"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"
		const wide = "SELECT id, hex(v) FROM {ns}.wide"

		// parts are where a byte is flipped: at the beginning, inside and at the end of each file.
		parts := []fault.Part{
			fault.LogFirst, fault.Log, fault.LogLast, fault.LogMeta, fault.SnapshotFirst, fault.Snapshot, fault.SnapshotLast, fault.SnapshotLabel,
			fault.Promises, fault.OwnerFirst, fault.Owner, fault.OwnerLast,
		}

		It("is found at start and when a snapshot is sent, and is never served", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Disks, target.Crash, target.Members)
			env.assumes(target.FailStop, target.Compacts)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			env.run(ctx, "CREATE TABLE {ns}.wide (id INTEGER PRIMARY KEY, v BLOB)")
			env.run(ctx, "INSERT INTO {ns}.wide VALUES (1, randomblob(300000))") // several blocks of a snapshot
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			leader := env.leader(ctx)
			away, victim := env.others(leader)[0], env.others(leader)[1]
			good := env.runOn(ctx, env.node(leader).Reading(target.Local), wide).Rows()
			env.leave(ctx, away, fault.Crash) // not isolated, so that little waits for it at the leader
			env.writeUntilSnapshot(ctx)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1, 'text in which a byte can be flipped')")
			env.leave(ctx, victim, fault.Crash)
			for _, part := range parts {
				file, err := env.cluster.Damage(ctx, victim, part)
				Expect(err).NotTo(HaveOccurred(), "%s", part)
				err = env.cluster.BringNodeOnline(ctx, victim)
				if err == nil {
					env.eventually(ctx, env.node(victim)).Should(BeFailed(), "it runs with a flipped byte in the %s", part)
					err = errors.New(statusOf(ctx, env.node(victim)).Reason)
					_, read := env.node(victim).Reading(target.Local).Execute(ctx, env.sql(rows))
					Expect(read).To(HaveOccurred(), "it serves data with a flipped byte in the %s", part)
					env.leave(ctx, victim, fault.Crash)
				}
				Expect(err).To(MatchError(ContainSubstring(base(file))), "the file of the %s is not named", part)

				By(fmt.Sprintf("flipping the byte in the %s back", part))
				Expect(env.cluster.Damage(ctx, victim, part)).Error().NotTo(HaveOccurred())
			}
			env.comeBack(ctx, victim)
			Expect(env.node(victim).Reading(target.Local).Execute(ctx, env.sql(wide))).To(HaveField("Rows()", good))
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(1)))

			By("flipping a byte in the leader's snapshot, which another node needs")
			leader = env.leader(ctx)
			file, err := env.cluster.Damage(ctx, leader, fault.Snapshot)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.BringNodeOnline(ctx, away)).To(Succeed())
			env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, env.node(leader)).Reason }).Should(
				ContainSubstring(base(file)))
			Expect(env.cluster.WaitForNodeOnline(ctx, away)).To(Succeed())
			Expect(statusOf(ctx, env.node(away)).Restores).To(BeNumerically(">", 0), "it did not need a snapshot")
			Expect(env.node(away).Reading(target.Local).Execute(ctx, env.sql(wide))).To(HaveField("Rows()", good))
			env.leave(ctx, leader, fault.Crash)
			env.comeBackAs(ctx, leader, harness.Wiped)
			Expect(env.cluster).To(BeConsistent(env.sql(rows), env.sql(wide)))
		}, env.patience)

		It("in a log entry is found by the sender, and never reaches another node", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Disks, target.Crash, target.Members)
			env.assumes(target.FailStop, target.Compacts)
			if env.cluster.Size() > 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			leader := env.leader(ctx)
			away := env.others(leader)[0]
			env.leave(ctx, away, fault.Crash)
			const count = 20
			for i := range count {
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, 'text in which a byte can be flipped')", i)
			}

			By("restarting the others, so that no log is in memory")
			others := env.others(away)
			for _, node := range others {
				env.leave(ctx, node, fault.Crash)
			}
			for _, node := range others {
				Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed())
			}
			for _, node := range others {
				Expect(env.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
			}
			leader = env.leader(ctx)
			file, err := env.cluster.Damage(ctx, leader, fault.Log)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.BringNodeOnline(ctx, away)).To(Succeed())
			env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, env.node(leader)).Reason }).Should(
				ContainSubstring(base(file)))
			Expect(env.cluster.WaitForNodeOnline(ctx, away)).To(Succeed())
			Expect(env.patiently(ctx, "SELECT count(*) FROM {ns}.t WHERE v = 'text in which a byte can be flipped'")).To(HaveRows(Row(count)))
			env.leave(ctx, leader, fault.Crash)
			env.comeBackAs(ctx, leader, harness.Wiped)
			Expect(env.cluster).To(BeConsistent(env.sql(rows)))
		}, env.patience)
	})
}

// writeUntilSnapshot writes until every online node has taken a snapshot well past its commit
// index at the call.
func (env *environment) writeUntilSnapshot(ctx context.Context) {
	GinkgoHelper()
	const passed = 100 // entries, more than a node keeps behind its snapshot
	from := make(map[int]uint64)
	for _, node := range env.cluster.OnlineNodes() {
		from[node.Index()] = statusOf(ctx, node).CommitIndex
	}
	env.patiently(ctx, "CREATE TABLE IF NOT EXISTS {ns}.churn (n INTEGER)")
	env.eventually(ctx, func(ctx context.Context) error {
		for range 50 {
			if _, err := env.cluster.ExecuteWithRetry(ctx, env.sql("INSERT INTO {ns}.churn VALUES (1)")); err != nil {
				return err
			}
		}
		var waiting []error
		for _, node := range env.cluster.OnlineNodes() {
			if statusOf(ctx, node).SnapshotIndex < from[node.Index()]+passed {
				waiting = append(waiting, errors.New(node.String()+" has taken no snapshot"))
			}
		}
		return errors.Join(waiting...)
	}).WithTimeout(env.pace.work()).Should(Succeed())
}
