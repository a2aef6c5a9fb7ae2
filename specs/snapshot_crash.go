package specs

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// snapshotCrash is what happens when nodes die at the worst moments of a
// snapshot. Those moments are made long: by a slow disk, or a narrow link.
func snapshotCrash(w *world) {
	Describe("A crash in the middle of a snapshot", Label("suite:snapshot", "fault:crash", "speed:slow"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Crash)
			w.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
			w.run(ctx, "INSERT INTO {ns}.blobs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, randomblob(2048) FROM n")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		whole := func(ctx SpecContext) {
			GinkgoHelper()
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			w.leavesNothing(ctx)
		}

		// halfway waits until a part of a snapshot is on the node's disk.
		halfway := func(ctx SpecContext, node int) {
			GinkgoHelper()
			if w.cluster.Can(target.Files) {
				Eventually(ctx, w.node(node).Files).Should(ContainElement(HavePrefix(disk.SnapshotDir+"/.")), "no snapshot was under way")
			}
		}

		It("that is taken leaves the node with what it had", func(ctx SpecContext) {
			w.requires(target.Disks)
			leader := w.leader(ctx)
			victim := w.others(leader)[0]
			// So slow that the moment is long, and not so slow that it never comes.
			Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{Slow: 200 * time.Millisecond})).To(Succeed())
			Eventually(ctx, func(ctx context.Context) (string, error) {
				_, err := w.node(leader).Execute(ctx, w.sql("UPDATE {ns}.blobs SET v = randomblob(64) WHERE id = 1"))
				return statusOf(ctx, w.node(victim)).Activity, err
			}).WithTimeout(lastingWork).Should(ContainSubstring("taking a snapshot"))
			w.leave(ctx, victim, harness.Crash)
			Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{})).To(Succeed())
			w.comeBack(ctx, victim)
			whole(ctx)
		}, patience)

		// behind has a node away until the others have compacted what it needs.
		behind := func(ctx SpecContext, victim int) {
			GinkgoHelper()
			w.leave(ctx, victim)
			w.writeUntilCompacted(ctx, statusOf(ctx, w.node(victim)).CommitIndex)
		}

		It("that is sent, of the node that sends it, lets another send its own", func(ctx SpecContext) {
			w.requires(target.Links)
			victim := w.others(w.leader(ctx))[0]
			behind(ctx, victim)
			w.narrowLinksTo(ctx, victim)
			Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			sending := "sending a snapshot to " + w.node(victim).ID()
			var leader int
			Eventually(ctx, func(ctx context.Context) (string, error) {
				leader = w.leader(ctx) // which may change before it sends anything
				status, err := w.node(leader).Status(ctx)
				return status.Activity, err
			}).Should(ContainSubstring(sending))
			w.leave(ctx, leader, harness.Crash)
			Expect(w.cluster.MendLinks(ctx)).To(Succeed())
			Expect(w.cluster.WaitForNodeOnline(ctx, victim)).To(Succeed())
			Expect(statusOf(ctx, w.node(victim)).Restores).To(BeNumerically(">", 0))
			Expect(w.leader(ctx)).NotTo(Equal(leader))
			w.comeBack(ctx, leader)
			whole(ctx)
		}, patience)

		It("that is received, of the node that receives it, leaves it as it was, to be sent another", func(ctx SpecContext) {
			w.requires(target.Links)
			victim := w.others(w.leader(ctx))[0]
			behind(ctx, victim)
			w.narrowLinksTo(ctx, victim)
			Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			w.waitForActivity(ctx, victim, "receiving a snapshot")
			halfway(ctx, victim)
			w.leave(ctx, victim, harness.Crash)
			Expect(w.cluster.MendLinks(ctx)).To(Succeed())
			w.comeBack(ctx, victim)
			Expect(statusOf(ctx, w.node(victim)).Restores).To(BeNumerically(">", 0), "it recovered without a snapshot")
			whole(ctx)
		}, patience)

		It("that is installed, with all of it there and not yet safe, loses it and nothing else", func(ctx SpecContext) {
			w.requires(target.Disks)
			victim := w.others(w.leader(ctx))[0]
			behind(ctx, victim)
			// A term, a vote or an entry may have to be stored first, each as slowly.
			Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{Slow: 500 * time.Millisecond})).To(Succeed())
			Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			w.waitForActivity(ctx, victim, "receiving a snapshot")
			w.leave(ctx, victim, harness.Crash)
			Expect(w.cluster.SetDisk(ctx, victim, disk.Faults{})).To(Succeed())
			w.comeBack(ctx, victim)
			whole(ctx)
		}, patience)
	})
}

// narrow is a link over which a snapshot takes a second and more.
var narrow = network.Rule{Bandwidth: 256 << 10}

// narrowLinksTo makes the links to a node narrow from all others: any of them may lead
// by the time that a snapshot is sent.
func (w *world) narrowLinksTo(ctx context.Context, node int) {
	GinkgoHelper()
	for _, other := range w.others(node) {
		Expect(w.cluster.SetLink(ctx, other, node, narrow)).To(Succeed())
	}
}

// slowDisk makes a node's disk as slow as a link of farAway.
func (w *world) slowDisk(ctx context.Context, _, node int) error {
	return w.cluster.SetDisk(ctx, node, disk.Faults{Slow: slowness})
}

func (w *world) waitForActivity(ctx context.Context, node int, activity string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (string, error) {
		status, err := w.node(node).Status(ctx)
		return status.Activity, err
	}).Should(ContainSubstring(activity))
}

// writeUntilCompacted writes until every online node has taken two snapshots
// past the index: then nothing of the log before it is left.
func (w *world) writeUntilCompacted(ctx context.Context, past uint64) {
	GinkgoHelper()
	passed, snapshots := make(map[int]uint64), make(map[int]int)
	Eventually(ctx, func(ctx context.Context) error {
		for range 50 {
			if _, err := w.cluster.ExecuteWithRetry(ctx, w.sql("CREATE TABLE IF NOT EXISTS {ns}.churn (n INTEGER); INSERT INTO {ns}.churn VALUES (1)")); err != nil {
				return err
			}
		}
		var waiting []error
		for _, node := range w.cluster.OnlineNodes() {
			if taken := statusOf(ctx, node).SnapshotIndex; taken > past && taken > passed[node.Index()] {
				passed[node.Index()] = taken
				snapshots[node.Index()]++
			}
			if snapshots[node.Index()] < 2 {
				waiting = append(waiting, errors.New(node.String()+" has not compacted its log twice"))
			}
		}
		return errors.Join(waiting...)
	}).WithTimeout(lastingWork).Should(Succeed())
}
