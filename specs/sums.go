package specs

import (
	"context"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// sums are specs about bytes that are not what was written.
func sums(w *world) {
	Describe("A flipped byte", Label("suite:sums", "fault:disk", "fault:crash"), func() {
		const rows = "SELECT * FROM {ns}.t ORDER BY id"
		const wide = "SELECT id, hex(v) FROM {ns}.wide"

		// parts are where a byte is flipped: in each file, at its beginning, within, at its end.
		parts := []disk.Part{
			disk.LogFirst, disk.Log, disk.LogLast, disk.LogMeta, disk.SnapshotFirst, disk.Snapshot, disk.SnapshotLast, disk.SnapshotLabel,
			disk.Promises, disk.OwnerFirst, disk.Owner, disk.OwnerLast,
		}

		It("is found by a node that starts, wherever it is, and by one that sends its snapshot, and is never served", func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Disks, target.Crash, target.Members)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			w.run(ctx, "CREATE TABLE {ns}.wide (id INTEGER PRIMARY KEY, v BLOB)")
			w.run(ctx, "INSERT INTO {ns}.wide VALUES (1, randomblob(300000))") // several blocks of a snapshot
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			leader := w.leader(ctx)
			away, victim := w.others(leader)[0], w.others(leader)[1]
			good := w.runOn(ctx, w.node(leader).Reading(target.Local), wide).Rows()
			w.leave(ctx, away, harness.Crash) // and not cut off: what waits for it at the leader is little
			w.writeUntilSnapshot(ctx)
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1, 'some words of text that a byte may be flipped in')")
			w.leave(ctx, victim, harness.Crash)
			for _, part := range parts {
				file, err := w.cluster.Damage(ctx, victim, part)
				Expect(err).NotTo(HaveOccurred(), "%s", part)
				err = w.cluster.BringNodeOnline(ctx, victim)
				if err == nil {
					Eventually(ctx, w.node(victim)).Should(BeFailed(), "it goes on with a byte flipped in the %s", part)
					err = errors.New(statusOf(ctx, w.node(victim)).Reason)
					_, read := w.node(victim).Reading(target.Local).Execute(ctx, w.sql(rows))
					Expect(read).To(HaveOccurred(), "it serves with a byte flipped in the %s", part)
					w.leave(ctx, victim, harness.Crash)
				}
				Expect(err).To(MatchError(ContainSubstring(base(file))), "the file of the %s is not named", part)

				By(fmt.Sprintf("having found it in the %s, flipping it back", part))
				Expect(w.cluster.Damage(ctx, victim, part)).Error().NotTo(HaveOccurred())
			}
			w.comeBack(ctx, victim)
			Expect(w.node(victim).Reading(target.Local).Execute(ctx, w.sql(wide))).To(HaveField("Rows()", good))
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(1)))

			By("flipping one in the leader's snapshot, which another node needs")
			leader = w.leader(ctx)
			file, err := w.cluster.Damage(ctx, leader, disk.Snapshot)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.BringNodeOnline(ctx, away)).To(Succeed())
			Eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, w.node(leader)).Reason }).Should(ContainSubstring(base(file)))
			Expect(w.cluster.WaitForNodeOnline(ctx, away)).To(Succeed())
			Expect(statusOf(ctx, w.node(away)).Restores).To(BeNumerically(">", 0), "it did not need a snapshot")
			Expect(w.node(away).Reading(target.Local).Execute(ctx, w.sql(wide))).To(HaveField("Rows()", good))
			w.leave(ctx, leader, harness.Crash)
			w.comeBackAs(ctx, leader, harness.Wiped)
			Expect(w.cluster).To(BeConsistent(w.sql(rows), w.sql(wide)))
		}, patience)
	})
}

// writeUntilSnapshot writes until every online node has taken a snapshot, well past where it
// was at the call.
func (w *world) writeUntilSnapshot(ctx context.Context) {
	GinkgoHelper()
	const passed = 100 // entries: more than a node keeps behind its snapshot
	from := make(map[int]uint64)
	for _, node := range w.cluster.OnlineNodes() {
		from[node.Index()] = statusOf(ctx, node).CommitIndex
	}
	w.patiently(ctx, "CREATE TABLE IF NOT EXISTS {ns}.churn (n INTEGER)")
	Eventually(ctx, func(ctx context.Context) error {
		for range 50 {
			if _, err := w.cluster.ExecuteWithRetry(ctx, w.sql("INSERT INTO {ns}.churn VALUES (1)")); err != nil {
				return err
			}
		}
		var waiting []error
		for _, node := range w.cluster.OnlineNodes() {
			if statusOf(ctx, node).SnapshotIndex < from[node.Index()]+passed {
				waiting = append(waiting, errors.New(node.String()+" has taken no snapshot"))
			}
		}
		return errors.Join(waiting...)
	}).WithTimeout(lastingWork).Should(Succeed())
}
