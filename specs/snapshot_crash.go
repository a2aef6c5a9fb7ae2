package specs

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// snapshotCrash are specs about crashes in the middle of a snapshot. A slow disk or a narrow
// link makes those moments long.
func snapshotCrash(env *environment) {
	Describe("A crash during a snapshot", Label("suite:snapshot", "fault:crash", "speed:slow", "needs:compacts"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Crash)
			env.assumes(target.Compacts)
			env.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
			env.run(ctx, "INSERT INTO {ns}.blobs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, "+
				"randomblob(2048) FROM n")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		whole := func(ctx SpecContext) {
			GinkgoHelper()
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			env.leavesNothing(ctx)
		}

		// halfway waits until a part of a snapshot is on the node's disk.
		halfway := func(ctx SpecContext, node int) {
			GinkgoHelper()
			if env.cluster.Can(target.Files) && env.holds(target.EmbeddedFiles) {
				env.eventually(ctx, env.node(node).Files).Should(ContainElement(HavePrefix(disk.SnapshotDir+"/.")), "no snapshot is under way")
			}
		}

		It("of the node that takes it loses nothing", func(ctx SpecContext) {
			env.requires(target.Disks)
			leader := env.leader(ctx)
			victim := env.others(leader)[0]
			// Slow enough for a long snapshot, and fast enough for writes.
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{Slow: 200 * time.Millisecond})).To(Succeed())
			env.eventually(ctx, func(ctx context.Context) (target.Activities, error) {
				_, err := env.node(leader).Execute(ctx, env.sql("UPDATE {ns}.blobs SET v = randomblob(64) WHERE id = 1"))
				return statusOf(ctx, env.node(victim)).Activities, err
			}).WithTimeout(env.pace.work()).Should(ContainElement(HaveField("Work", target.TakingSnapshot)))
			env.leave(ctx, victim, fault.Crash)
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())
			env.comeBack(ctx, victim)
			whole(ctx)
		}, env.patience)

		// behind isolates a node until the others have compacted the log that it needs.
		behind := func(ctx SpecContext, victim int) {
			GinkgoHelper()
			env.leave(ctx, victim)
			env.writeUntilCompacted(ctx, statusOf(ctx, env.node(victim)).CommitIndex)
		}

		It("of the sender makes the new leader send its own snapshot", func(ctx SpecContext) {
			env.requires(target.Links)
			victim := env.others(env.leader(ctx))[0]
			behind(ctx, victim)
			env.narrowLinksTo(ctx, victim)
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			sending := target.Activity{Work: target.SendingSnapshot, Peer: env.node(victim).ID()}
			var leader int
			env.eventually(ctx, func(ctx context.Context) (target.Activities, error) {
				leader = env.leader(ctx) // it may change before it sends anything
				status, err := env.node(leader).Status(ctx)
				return status.Activities, err
			}).Should(ContainElement(sending))
			env.leave(ctx, leader, fault.Crash)
			Expect(env.cluster.MendLinks(ctx)).To(Succeed())
			Expect(env.cluster.WaitForNodeOnline(ctx, victim)).To(Succeed())
			Expect(statusOf(ctx, env.node(victim)).Restores).To(BeNumerically(">", 0))
			Expect(env.leader(ctx)).NotTo(Equal(leader))
			env.comeBack(ctx, leader)
			whole(ctx)
		}, env.patience)

		It("of the receiver leaves its old state, and it is sent another snapshot", func(ctx SpecContext) {
			env.requires(target.Links)
			victim := env.others(env.leader(ctx))[0]
			behind(ctx, victim)
			env.narrowLinksTo(ctx, victim)
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			env.waitUntilReceiving(ctx, victim)
			halfway(ctx, victim)
			env.leave(ctx, victim, fault.Crash)
			Expect(env.cluster.MendLinks(ctx)).To(Succeed())
			env.comeBack(ctx, victim)
			Expect(statusOf(ctx, env.node(victim)).Restores).To(BeNumerically(">", 0), "it recovered without a snapshot")
			whole(ctx)
		}, env.patience)

		It("of a receiver whose snapshot is not synced loses the snapshot only", func(ctx SpecContext) {
			env.requires(target.Disks)
			victim := env.others(env.leader(ctx))[0]
			behind(ctx, victim)
			// A term, a vote or an entry may have to be stored first.
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{Slow: 500 * time.Millisecond})).To(Succeed())
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			env.waitUntilReceiving(ctx, victim)
			env.leave(ctx, victim, fault.Crash)
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())
			env.comeBack(ctx, victim)
			whole(ctx)
		}, env.patience)
	})
}

// narrow is a link on which a snapshot takes more than a second.
var narrow = fault.Rule{Bandwidth: 256 << 10}

// narrowLinksTo limits the links from all nodes to one: any of them may be the leader that sends
// the snapshot.
func (env *environment) narrowLinksTo(ctx context.Context, node int) {
	GinkgoHelper()
	for _, other := range env.others(node) {
		Expect(env.cluster.SetLink(ctx, other, node, narrow)).To(Succeed())
	}
}

// slowDisk delays a node's disk like farAway its links.
func (env *environment) slowDisk(ctx context.Context, _, node int) error {
	return env.cluster.SetDisk(ctx, node, fault.Disk{Slow: env.pace.slowness()})
}

// waitUntilReceiving waits until a node receives a snapshot.
func (env *environment) waitUntilReceiving(ctx context.Context, node int) {
	GinkgoHelper()
	env.eventually(ctx, func(ctx context.Context) (target.Activities, error) {
		status, err := env.node(node).Status(ctx)
		return status.Activities, err
	}).Should(ContainElement(HaveField("Work", target.ReceivingSnapshot)))
}

// writeUntilCompacted writes until every online node has taken two snapshots past the index:
// then its log has nothing left before it.
func (env *environment) writeUntilCompacted(ctx context.Context, past uint64) {
	GinkgoHelper()
	passed, snapshots := make(map[int]uint64), make(map[int]int)
	env.eventually(ctx, func(ctx context.Context) error {
		for range 50 {
			if _, err := env.cluster.ExecuteWithRetry(ctx,
				env.sql("CREATE TABLE IF NOT EXISTS {ns}.churn (n INTEGER); INSERT INTO {ns}.churn VALUES (1)")); err != nil {
				return err
			}
		}
		var waiting []error
		for _, node := range env.cluster.OnlineNodes() {
			if taken := statusOf(ctx, node).SnapshotIndex; taken > past && taken > passed[node.Index()] {
				passed[node.Index()] = taken
				snapshots[node.Index()]++
			}
			if snapshots[node.Index()] < 2 {
				waiting = append(waiting, errors.New(node.String()+" has not compacted its log twice"))
			}
		}
		return errors.Join(waiting...)
	}).WithTimeout(env.pace.work()).Should(Succeed())
}
