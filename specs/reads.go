package specs

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func reads(w *world) {
	Describe("A read", Label("suite:reads", "fault:link", "fault:disk"), func() {
		const count = "SELECT count(*) FROM {ns}.t"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Links)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		DescribeTable("of a node that lags sees what was acknowledged before it, and takes its time",
			func(ctx SpecContext, consistency target.Consistency) {
				w.requires(target.Disks)
				leader := w.leader(ctx)
				follower := w.others(leader)[0]
				const slow = 250 * time.Millisecond
				Expect(w.cluster.SetDisk(ctx, follower, disk.Faults{Slow: slow})).To(Succeed())
				lagged, longest := 0, time.Duration(0)
				for i := range 3 {
					w.runOn(ctx, w.node(leader), "INSERT INTO {ns}.t VALUES (?, 'x')", i)
					if held, err := w.runOn(ctx, w.node(follower).Inside().Reading(target.Local), count).Value(); err != nil || held != int64(i+1) {
						lagged++
					}
					begun := time.Now()
					Expect(w.runOn(ctx, w.node(follower).Reading(consistency), count)).To(HaveRows(Row(i + 1)))
					longest = max(longest, time.Since(begun))
				}
				// On a busy machine the follower may catch up before it is looked at, but not always.
				Expect(lagged).To(BeNumerically(">", 0), "the follower does not lag")
				Expect(longest).To(BeNumerically(">=", slow/2), "no read waited for the slow disk")
			},
			Entry("when it is strong", patience, target.Strong),
			Entry("when it is what the leader has applied", patience, target.Leader),
		)

		It("of all nodes tells them apart when they differ in one value, as long as they do", func(ctx SpecContext) {
			w.requires(target.Disks)
			w.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old'), (2, 'same')")
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t")))
			leader := w.leader(ctx)
			Expect(w.cluster.SetDisk(ctx, w.others(leader)[0], disk.Faults{Slow: longerThanTwoLooks})).To(Succeed())
			w.runOn(ctx, w.node(leader), "UPDATE {ns}.t SET v = 'new' WHERE id = 1")
			for _, query := range []string{"SELECT * FROM {ns}.t", "SELECT v FROM {ns}.t ORDER BY id"} {
				Expect(w.cluster.AsIs()).NotTo(BeConsistent(w.sql(query)), "one node lags, and the comparison does not see it")
			}
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t"), w.sql("SELECT v FROM {ns}.t ORDER BY id")))
		}, patience)

		DescribeTable("of a leader that was deposed is refused, or sees what its successor did",
			func(ctx SpecContext, consistency target.Consistency) {
				w.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old')")
				old, err := w.cluster.IsolateLeader(ctx)
				Expect(err).NotTo(HaveOccurred())
				w.elsewhere(ctx, old, "UPDATE {ns}.t SET v = 'new'")
				Expect(w.node(old).Inside().Reading(target.Local).Execute(ctx, w.sql("SELECT v FROM {ns}.t"))).To(
					HaveRows(Row("old")), "it is not cut off")

				_, err = w.node(old).Reading(consistency).Execute(ctx, w.sql("SELECT v FROM {ns}.t"))
				Expect(codeOf(err)).To(Equal("NO_LEADER"), "it served a read as if it led: %v", err)
				Expect(w.cluster.MendLinks(ctx)).To(Succeed())
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(w.node(old).Reading(consistency).Execute(ctx, w.sql("SELECT v FROM {ns}.t"))).To(HaveRows(Row("new")))
			},
			Entry("when it is strong", patience, target.Strong),
			Entry("when it is what the leader has applied", patience, target.Leader),
		)

		It("of a leader that hangs on its disk, and does not know that another leads, is not stale when it is strong", func(ctx SpecContext) {
			w.requires(target.Disks)
			w.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old')")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			old := w.leader(ctx)
			term := statusOf(ctx, w.node(old)).Term
			Expect(w.cluster.SetDisk(ctx, old, disk.Faults{Slow: 3 * time.Second})).To(Succeed())
			hanging, hung := context.WithCancel(ctx)
			var writing sync.WaitGroup
			writing.Go(func() { _, _ = w.node(old).Execute(hanging, w.sql("INSERT INTO {ns}.t VALUES (2, 'hangs')")) })
			defer writing.Wait()
			defer hung()

			w.elsewhere(ctx, old, "UPDATE {ns}.t SET v = 'new' WHERE id = 1")
			Expect(statusOf(ctx, w.node(old))).To(And(HaveField("Role", "leader"), HaveField("Term", term)), "it knows that another leads")
			reading, cancel := context.WithTimeout(ctx, longRead)
			defer cancel()
			result, err := w.node(old).Reading(target.Strong).Execute(reading, w.sql("SELECT v FROM {ns}.t WHERE id = 1"))
			if err == nil {
				Expect(result).To(HaveRows(Row("new")), "a strong read was stale")
			}
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.node(old).Reading(target.Strong).Execute(ctx, w.sql("SELECT v FROM {ns}.t WHERE id = 1"))).To(HaveRows(Row("new")))
		}, patience)
	})
}

// longerThanTwoLooks is how long a node lags while it is compared twice, on a busy machine too.
const longerThanTwoLooks = 3 * time.Second

// elsewhere changes something at whoever leads instead of the node that led.
func (w *world) elsewhere(ctx context.Context, led int, sql string) {
	GinkgoHelper()
	others := w.others(led)
	Eventually(ctx, func(ctx context.Context) error {
		node := w.node(others[0])
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		if status.Leader == w.node(led).ID() || status.Leader == "" {
			return fmt.Errorf("%s follows %q", node.ID(), status.Leader)
		}
		_, err = node.Execute(ctx, w.sql(sql))
		return err
	}).Should(Succeed())
}
