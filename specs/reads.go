package specs

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func reads(env *environment) {
	Describe("A read", Label("suite:reads", "fault:link", "fault:disk"), func() {
		const count = "SELECT count(*) FROM {ns}.t"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Links)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		DescribeTable("on a lagging node waits for acknowledged writes and returns them",
			func(ctx SpecContext, consistency target.Consistency) {
				env.requires(target.Disks)
				env.assumes(target.ShowsStored, target.AnyQuorum) // else an acknowledged write waits for the slow disk, too
				leader := env.leader(ctx)
				follower := env.others(leader)[0]
				const slow = 250 * time.Millisecond
				Expect(env.cluster.SetDisk(ctx, follower, fault.Disk{Slow: slow})).To(Succeed())
				lagged, longest := 0, time.Duration(0)
				for i := range 3 {
					env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.t VALUES (?, 'x')", i)
					if held, err := env.runOn(ctx, env.node(follower).Inside().Reading(target.Local), count).Value(); err != nil || held != int64(i+1) {
						lagged++
					}
					begun := time.Now()
					Expect(env.runOn(ctx, env.node(follower).Reading(consistency), count)).To(HaveRows(Row(i + 1)))
					longest = max(longest, time.Since(begun))
				}
				// On a busy machine the follower may catch up before the local read, but not always.
				Expect(lagged).To(BeNumerically(">", 0), "the follower does not lag")
				if env.holds(target.OwnWrites) { // else another node may answer
					Expect(longest).To(BeNumerically(">=", slow/2), "no read waited for the slow disk")
				}
			},
			Entry("strong", env.patience, target.Strong),
			Entry("leader", env.patience, target.Leader),
		)

		It("of all nodes detects a single differing value for as long as it differs", func(ctx SpecContext) {
			env.requires(target.Disks)
			env.assumes(target.ShowsStored, target.AnyQuorum) // else an acknowledged write waits for the slow disk, too
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old'), (2, 'same')")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			leader := env.leader(ctx)
			Expect(env.cluster.SetDisk(ctx, env.others(leader)[0], fault.Disk{Slow: longerThanTwoComparisons})).To(Succeed())
			env.runOn(ctx, env.node(leader), "UPDATE {ns}.t SET v = 'new' WHERE id = 1")
			for _, query := range []string{"SELECT * FROM {ns}.t", "SELECT v FROM {ns}.t ORDER BY id"} {
				Expect(env.cluster.AsIs()).NotTo(BeConsistent(env.sql(query)), "the comparison does not see the lagging node")
			}
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t"), env.sql("SELECT v FROM {ns}.t ORDER BY id")))
		}, env.patience)

		DescribeTable("on a deposed leader is refused, and after healing sees the new leader's write",
			func(ctx SpecContext, consistency target.Consistency) {
				env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old')")
				old, err := env.cluster.IsolateLeader(ctx)
				Expect(err).NotTo(HaveOccurred())
				env.elsewhere(ctx, old, "UPDATE {ns}.t SET v = 'new'")
				env.eventually(ctx, func(ctx context.Context) (harness.Result, error) { // a database may restart it to depose it
					return env.node(old).Inside().Reading(target.Local).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
				}).Should(HaveRows(Row("old")), "it is not isolated")

				_, err = env.node(old).Reading(consistency).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
				Expect(err).To(MatchError(target.ErrNoLeader), "it served a read as if it led")
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(env.node(old).Reading(consistency).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))).To(HaveRows(Row("new")))
			},
			Entry("strong", env.patience, target.Strong),
			Entry("leader", env.patience, target.Leader),
		)

		It("on a leader with a hanging disk that does not know its successor is not stale when strong", func(ctx SpecContext) {
			env.requires(target.Disks)
			env.assumes(target.ReplacesHung)
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old')")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			old := env.leader(ctx)
			term := statusOf(ctx, env.node(old)).Term
			Expect(env.cluster.SetDisk(ctx, old, fault.Disk{Slow: env.pace.hang()})).To(Succeed())
			hanging, hung := context.WithCancel(ctx)
			var writing sync.WaitGroup
			writing.Go(func() { _, _ = env.node(old).Execute(hanging, env.sql("INSERT INTO {ns}.t VALUES (2, 'blocked')")) })
			defer writing.Wait()
			defer hung()

			env.elsewhere(ctx, old, "UPDATE {ns}.t SET v = 'new' WHERE id = 1")
			// One that says nothing while its disk hangs may still serve reads.
			if now, answered := statusUnlessHung(ctx, env.node(old)); answered && (now.Role != "leader" || now.Term != term) {
				Expect(env.holds(target.StepsDown)).To(BeFalse(), "it knows its successor")
				hung()
				Skip("the leader with the hanging disk learned of its successor")
			}
			reading, cancel := context.WithTimeout(ctx, env.pace.read())
			defer cancel()
			result, err := env.node(old).Reading(target.Strong).Execute(reading, env.sql("SELECT v FROM {ns}.t WHERE id = 1"))
			if err == nil {
				env.judges(ctx, target.Recency)
				Expect(result).To(HaveRows(Row("new")), "a strong read was stale")
				env.judges(ctx)
			}
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.node(old).Reading(target.Strong).Execute(ctx, env.sql("SELECT v FROM {ns}.t WHERE id = 1"))).To(HaveRows(Row("new")))
		}, env.patience)
	})
}

// longerThanTwoComparisons is how long a node lags so that it is compared twice, even on a busy machine.
const longerThanTwoComparisons = 3 * time.Second

// elsewhere writes once another node than the old leader leads.
func (env *environment) elsewhere(ctx context.Context, led int, sql string) {
	GinkgoHelper()
	others := env.others(led)
	env.eventually(ctx, func(ctx context.Context) error {
		node := env.node(others[0])
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		if status.Leader == env.node(led).ID() || status.Leader == "" {
			return fmt.Errorf("%s follows %q", node.ID(), status.Leader)
		}
		_, err = node.Execute(ctx, env.sql(sql))
		return err
	}).Should(Succeed())
}
