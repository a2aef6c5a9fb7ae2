package specs

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// aMomentAgo is as short as it takes until another is elected and has changed something,
// at best: less than twice the time after which a follower misses its leader.
const aMomentAgo = 95 * time.Millisecond

// fresh are reads of nodes that are behind, that do not lead any more, or only just.
func fresh(w *world) {
	Describe("What was acknowledged", Label("suite:fresh"), func() {
		const count = "SELECT count(*) FROM {ns}.t"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v INTEGER)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		look := func(ctx SpecContext, node *harness.Node, consistency target.Consistency, query string) int64 {
			GinkgoHelper()
			value, err := w.runOn(ctx, node.Reading(consistency), query).Value()
			Expect(err).NotTo(HaveOccurred())
			return value.(int64)
		}

		It("is seen next at every node", func(ctx SpecContext) {
			behind := 0
			for i := range int64(12 * w.cluster.Size()) {
				at := int(i) % w.cluster.Size()
				next := (at + 1 + int(i)/w.cluster.Size()%2) % w.cluster.Size()
				consistency := []target.Consistency{target.Strong, target.Leader}[i%2]
				w.runOn(ctx, w.node(at), "INSERT INTO {ns}.t VALUES (?, 1)", i)
				if look(ctx, w.node(next).Inside(), target.Local, count) <= i {
					behind++
				}
				Expect(look(ctx, w.node(next).Inside(), consistency, count)).To(Equal(i+1), "node %d does not see what node %d has acknowledged", next, at)
				Expect(look(ctx, w.node(at).Inside(), target.Local, count)).To(Equal(i+1), "node %d has acknowledged what it has not applied", at)
			}
			if w.cluster.HasClock() {
				Expect(behind).To(BeNumerically(">", 0), "no node was ever behind")
			}
		}, patience)

		It("never goes away again, whichever node is asked, while others write", func(ctx SpecContext) {
			writing, stop := context.WithCancel(ctx)
			var others sync.WaitGroup
			for writer := range 3 {
				others.Go(func() {
					for i := 0; writing.Err() == nil; i++ {
						_, _ = w.cluster.ExecuteOnRandom(writing, w.sql("INSERT INTO {ns}.t VALUES (?, 0)"), 1000*(writer+1)+i)
					}
				})
			}
			defer others.Wait()
			defer stop()
			leader, seen, behind := w.leader(ctx), int64(0), 0
			followers := w.others(leader)
			alone := make(map[int]int64) // what each node's own state has shown
			for i := range 40 {
				for _, at := range []int{followers[i%len(followers)], leader} {
					node, before := w.node(at).Inside(), seen
					if status := statusOf(ctx, node); status.AppliedIndex < status.CommitIndex {
						behind++
					}
					seen = look(ctx, node, target.Strong, count)
					Expect(seen).To(BeNumerically(">=", before), "a strong read at node %d does not see what one before it saw", at)
					shows := look(ctx, node, target.Local, count)
					Expect(shows).To(BeNumerically(">=", max(alone[at], before)), "node %d shows less than before", at)
					alone[at] = shows
				}
			}
			if w.cluster.HasClock() {
				Expect(behind).To(BeNumerically(">", 0), "no node was ever behind what it knew to be committed")
			}
		}, patience)

		It("by a node that lags is shown by it, and takes as long as the node", Label("fault:disk"), func(ctx SpecContext) {
			w.requires(target.Disks)
			follower := w.others(w.leader(ctx))[0]
			const slow = 250 * time.Millisecond
			Expect(w.cluster.SetDisk(ctx, follower, disk.Faults{Slow: slow})).To(Succeed())
			for i := range 3 {
				begun := time.Now()
				w.runOn(ctx, w.node(follower), "INSERT INTO {ns}.t VALUES (?, 1)", i)
				Expect(w.runOn(ctx, w.node(follower).Reading(target.Local), count)).To(HaveRows(Row(i+1)), "it has acknowledged what it has not applied")
				Expect(time.Since(begun)).To(BeNumerically(">=", slow/2), "it does not lag")
			}
		}, patience)

		It("by a leader is seen at the next, from its first answer on", Label("fault:isolate"), func(ctx SpecContext) {
			w.run(ctx, "INSERT INTO {ns}.t VALUES (1, 0)")
			const query = "SELECT v FROM {ns}.t"
			const enough = 2
			for round, bitten := 1, 0; bitten < enough; round++ {
				Expect(round).To(BeNumerically("<=", 5*enough), "the next leader always knew of the change before it led")
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				leader := w.leader(ctx)
				w.runOn(ctx, w.node(leader), "UPDATE {ns}.t SET v = ?", round)
				w.leave(ctx, leader)
				unaware := 0
				var reading sync.WaitGroup
				for _, other := range w.others(leader) {
					if value, err := w.runOn(ctx, w.node(other).Inside().Reading(target.Local), query).Value(); err != nil || value != int64(round) {
						unaware++
					}
					for _, consistency := range []target.Consistency{target.Strong, target.Leader} {
						reading.Go(func() {
							defer GinkgoRecover()
							Eventually(ctx, func(g Gomega, ctx context.Context) {
								result, err := w.node(other).Reading(consistency).Execute(ctx, w.sql(query))
								g.Expect(err).NotTo(HaveOccurred())
								if value, err := result.Value(); err != nil || value != int64(round) {
									StopTrying("a read does not see what the leader before has acknowledged").Attach("rows", result.Rows()).Now()
								}
							}).Should(Succeed())
						})
					}
				}
				reading.Wait()
				if unaware == len(w.others(leader)) {
					bitten++
				}
				w.comeBack(ctx, leader)
			}
		}, patience)
	})

	Describe("A strong read of a leader that hangs on its disk while another is elected", Label("suite:fresh", "fault:disk", "fault:link"), func() {
		const query = "SELECT v FROM {ns}.t WHERE id = 1"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Disks, target.Links, target.Clocks)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v INTEGER)")
			w.run(ctx, "INSERT INTO {ns}.t VALUES (1, 0)")
		})

		// deposed has a leader hang, does something to it once it has answered a strong
		// read, and asks it again when another has changed what was read. It tells whether the
		// leader still thought that it led, and had been confirmed only just.
		deposed := func(ctx SpecContext, round int, do func(ctx context.Context, old int)) (bitten bool) {
			GinkgoHelper()
			hang, answer := 3*time.Second, longRead
			if w.cluster.HasClock() {
				hang, answer = time.Second, 600*time.Millisecond
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			old := w.leader(ctx)
			strong := w.node(old).Reading(target.Strong)
			term := statusOf(ctx, w.node(old)).Term
			Expect(w.cluster.SetDisk(ctx, old, disk.Faults{Slow: hang})).To(Succeed())
			working, end := context.WithCancel(ctx)
			var work sync.WaitGroup
			defer work.Wait()
			defer end()
			work.Go(func() { _, _ = w.node(old).Execute(working, w.sql("INSERT INTO {ns}.t (v) VALUES (0)")) })
			for range 2 { // of which the second comes when it hangs
				Expect(strong.Execute(ctx, w.sql(query))).To(HaveRows(Row(round - 1)))
			}
			confirmed := time.Now()
			do(ctx, old)
			work.Go(func() { _, _ = strong.Execute(working, w.sql(query)) }) // asked too soon to tell anything
			_, err := w.node(w.others(old)[0]).ExecuteWithRetry(ctx, w.sql("UPDATE {ns}.t SET v = ? WHERE id = 1"), round)
			Expect(err).NotTo(HaveOccurred())
			now := statusOf(ctx, w.node(old))
			bitten = now.Role == "leader" && now.Term == term && (!w.cluster.HasClock() || time.Since(confirmed) < aMomentAgo)

			reading, cancel := context.WithTimeout(ctx, answer)
			defer cancel()
			if result, err := strong.Execute(reading, w.sql(query)); err == nil {
				Expect(result).To(HaveRows(Row(round)), "a strong read was stale")
			}
			end()
			work.Wait()
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(strong.Execute(ctx, w.sql(query))).To(HaveRows(Row(round)))
			return bitten
		}

		DescribeTable("is not stale",
			func(ctx SpecContext, do func(ctx context.Context, old int)) {
				for round := 1; !deposed(ctx, round, do); round++ {
					Expect(round).To(BeNumerically("<", 20), "it always knew that another leads, or was confirmed long ago")
				}
			},
			Entry("though a quorum has confirmed the leader a moment before", patience, func(ctx context.Context, old int) {
				Expect(w.cluster.Cut(ctx, network.Drop, network.Around(old, w.others(old))...)).To(Succeed())
			}),
			Entry("though by the leader's clock no time has passed since a quorum has confirmed it", Label("fault:clock"), patience, func(ctx context.Context, old int) {
				Expect(w.cluster.Cut(ctx, network.Drop, network.Around(old, w.others(old))...)).To(Succeed())
				Expect(w.cluster.SetClock(ctx, old, -time.Hour)).To(Succeed())
			}),
			Entry("though a quorum confirms the leader late, by answers to what it was asked before", patience, func(ctx context.Context, old int) {
				for _, other := range w.others(old) {
					Expect(w.cluster.SetLink(ctx, other, old, network.Rule{Latency: 400 * time.Millisecond})).To(Succeed())
				}
			}),
		)
	})
}
