package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// health are specs about a node's status. Failing is tested by disks.
func health(env *environment) {
	Describe("A node's health", Label("suite:health"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("is connecting without a leader, and online again after the node returns", Label("fault:isolate"), func(ctx SpecContext) {
			victim := env.others(env.leader(ctx))[0]
			env.eventually(ctx, env.node(victim)).Should(BeOnline())
			env.leave(ctx, victim)
			env.eventually(ctx, env.node(victim)).Should(BeConnecting())
			env.comeBack(ctx, victim)
			env.eventually(ctx, env.node(victim)).Should(BeOnline())
		}, env.patience)

		It("is syncing during a long catch-up, with the number of missing entries", Label("fault:disk"), func(ctx SpecContext) {
			env.requires(target.Disks)
			env.assumes(target.ShowsStored)
			leader := env.leader(ctx)
			victim := env.others(leader)[0]
			env.leave(ctx, victim)
			for i := range 100 {
				env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.blobs VALUES (?, randomblob(10))", i)
			}
			// A node that is away for less than its timeout does not miss its leader.
			env.eventually(ctx, env.node(victim)).Should(BeConnecting())
			slow := time.Second
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{Slow: slow})).To(Succeed())
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			// A node that waits for its disk before it listens to its leader needs a disk that is less slow.
			since := time.Now()
			bearable := func(ctx context.Context) (target.Status, error) {
				if time.Since(since) > 2*env.pace.Failover {
					slow, since = slow/4, time.Now()
					if err := env.cluster.SetDisk(ctx, victim, fault.Disk{Slow: slow}); err != nil {
						return target.Status{}, err
					}
				}
				ctx, cancel := context.WithTimeout(ctx, env.pace.Failover)
				defer cancel()
				return env.node(victim).Status(ctx)
			}
			// Both in one status: on a busy machine the node may catch up before a second one.
			env.eventually(ctx, bearable).WithPolling(time.Millisecond).Should(And(
				HaveField("State", target.Syncing), HaveField("Behind", BeNumerically(">=", 50))))
			Expect(env.cluster.SetDisk(ctx, victim, fault.Disk{})).To(Succeed())
			Expect(env.cluster.WaitForNodeOnline(ctx, victim)).To(Succeed())
			env.eventually(ctx, env.node(victim).Status).Should(HaveField("Behind", BeZero()))
		}, env.patience)

		It("counts an entry as applied only when local reads show it", func(ctx SpecContext) {
			leader := env.leader(ctx)
			follower := env.others(leader)[0]
			type look struct {
				applied uint64
				shown   int64
			}
			rounds, rows := int64(3), int64(20001)
			if env.cluster.Can(target.Time) { // rows take no time there, and entries do
				rounds, rows = 6, 1
			}
			execute := env.node(leader).Execute
			if env.cluster.Can(target.Dedup) { // on a busy machine the leader may lose a leadership
				execute = env.node(leader).ExecuteWithRetry
			}
			for round := range rounds {
				var looks []look
				written := make(chan error, 1)
				go func() {
					_, err := execute(ctx, env.sql(`WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
						INSERT INTO {ns}.blobs SELECT 100000 * ? + i, randomblob(20) FROM n`), rows-1, round)
					written <- err
				}()
				// Without a pause on a real clock: applying takes no longer than a pause.
				for last := (look{}); last.shown < rows*(round+1); looks = append(looks, last) {
					env.passes(ctx, 2*env.pace.glance())
					last.applied = statusOf(ctx, env.node(follower)).AppliedIndex
					read, err := env.node(follower).Inside().Reading(target.Local).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.blobs"))
					Expect(err).NotTo(HaveOccurred())
					count, err := read.Value()
					Expect(err).NotTo(HaveOccurred())
					last.shown = count.(int64)
				}
				var err error
				env.eventually(ctx, written).Should(Receive(&err))
				if target.OutcomeOf(err) != target.Unknown { // it was applied, and on a busy machine its answer may be late
					Expect(err).NotTo(HaveOccurred())
				}
				index := statusOf(ctx, env.node(leader)).AppliedIndex
				for _, l := range looks {
					if l.applied >= index {
						Expect(l.shown).To(Equal(rows*(round+1)), "log index %d counted as applied and was not visible", l.applied)
					}
				}
			}
		}, env.patience)

		It("is leaving while the last request completes, then offline", Label("fault:stop"), func(ctx SpecContext) {
			env.requires(target.Stop)
			env.assumes(target.Drains, target.Streams)
			victim := env.others(env.leader(ctx))[0]
			env.run(ctx, "INSERT INTO {ns}.blobs VALUES (1, randomblob(8388608))")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			rows, err := env.node(victim).Reading(target.Local).Query(ctx, env.sql("SELECT v FROM {ns}.blobs, (VALUES (1), (2), (3), (4))"))
			Expect(err).NotTo(HaveOccurred())
			left := make(chan error)
			go func() { left <- env.cluster.TakeNodeOffline(ctx, victim, fault.Stop) }()
			env.eventually(ctx, env.node(victim)).WithPolling(time.Millisecond).Should(BeLeaving())
			_, err = env.node(victim).Reading(target.Local).Execute(ctx, "SELECT 1")
			Expect(err).To(HaveOccurred(), "a leaving node accepts requests")
			got := 0
			for rows.NextResult() {
				for rows.Next() {
					got++
				}
			}
			Expect(rows.Err()).NotTo(HaveOccurred(), "the request under way was aborted")
			Expect(got).To(Equal(4))
			Expect(rows.Close()).To(Succeed())
			env.eventually(ctx, left).Should(Receive(BeNil()))
			Expect(env.node(victim)).To(BeOffline())
		}, env.patience)

		It("is offline with the failure mode when the node does not run", Label("fault:crash"), func(ctx SpecContext) {
			env.requires(target.Crash)
			env.leave(ctx, 1, fault.Crash)
			Expect(env.node(1)).To(BeOffline())
			Expect(statusOf(ctx, env.node(1)).Reason).To(ContainSubstring("crash"))
			link, lost := env.cluster.Lost(1)
			Expect(lost).To(BeTrue())
			Expect(link).To(Equal(fault.Crash))
		}, env.patience)

		It("ends a wait at its deadline, and the error says what was seen", func(ctx SpecContext) {
			env.leave(ctx, 1)
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			err := env.cluster.WaitForNodeOnline(short, 1)
			Expect(err).To(MatchError(And(ContainSubstring("offline"), ContainSubstring("applied index"))))
		}, env.patience)
	})
}
