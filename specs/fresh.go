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
const (
	aMomentAgo = 95 * time.Millisecond
	anyTime    = time.Hour
)

// handingOver is less than it takes until one part of a node hears from another.
const handingOver = 30 * time.Microsecond

// passes lets time pass where it does so only while a goroutine waits.
func (w *world) passes(ctx SpecContext, d time.Duration) {
	GinkgoHelper()
	if w.cluster.HasClock() {
		w.advance(ctx, d)
	}
}

// itHangs is after how long a leader hangs that was sent something to store.
const itHangs = 5 * time.Millisecond

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
					alone[at], seen = shows, shows // what is shown is committed
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

		It("and shown once is shown by the same node, alone, after a crash", Label("fault:crash"), func(ctx SpecContext) {
			w.requires(target.Crash)
			for round := range 3 {
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				leader := w.leader(ctx)
				witness := w.others(leader)[round%2]
				local := w.node(witness).Inside().Reading(target.Local)
				w.runOn(ctx, w.node(leader), "INSERT INTO {ns}.t VALUES (?, 1)", round)
				for shown := int64(-1); shown <= int64(round); w.passes(ctx, handingOver) {
					shown = look(ctx, local, target.Local, count)
				}
				w.leave(ctx, witness, harness.Crash) // the very moment it has shown it
				for _, other := range w.others(witness) {
					w.leave(ctx, other, harness.Crash)
				}
				Expect(w.cluster.BringNodeOnline(ctx, witness)).To(Succeed())
				Eventually(ctx, func(g Gomega, ctx context.Context) {
					result, err := local.Execute(ctx, w.sql(count))
					g.Expect(err).NotTo(HaveOccurred())
					if value, err := result.Value(); err != nil || value != int64(round+1) {
						StopTrying("it does not show any more what it has shown").Attach("rows", result.Rows()).Now()
					}
				}).Should(Succeed())
				for _, other := range w.others(witness) {
					Expect(w.cluster.BringNodeOnline(ctx, other)).To(Succeed())
				}
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
				unaware, lost := 0, time.Now()
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
				if w.cluster.HasClock() {
					Expect(time.Since(lost)).To(BeNumerically("<", failover), "a read waited for the leader that is gone")
				}
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

		// cutOff cuts a leader off from others.
		cutOff := func(ctx context.Context, leader int, others []int) {
			GinkgoHelper()
			Expect(w.cluster.Cut(ctx, network.Drop, network.Around(leader, others)...)).To(Succeed())
		}

		// deposed has a leader hang that only just has a quorum, does something to it once it
		// has answered a strong read, and asks it again when another has changed what was read.
		// It tells whether the leader still thought that it led then, in time.
		deposed := func(ctx SpecContext, round int, do func(ctx context.Context, old int, quorum []int), inTime time.Duration) (bitten bool) {
			GinkgoHelper()
			hang, answer := 3*time.Second, longRead
			if w.cluster.HasClock() {
				hang, answer = time.Second, 3*time.Second
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			old := w.leader(ctx)
			strong := w.node(old).Reading(target.Strong)
			term := statusOf(ctx, w.node(old)).Term
			others, enough := w.others(old), w.cluster.Quorum()-1
			cutOff(ctx, old, others[enough:])
			for _, other := range others[enough:] { // so that it votes for another at once
				Eventually(ctx, w.node(other)).Should(BeConnecting())
			}
			Expect(w.cluster.SetDisk(ctx, old, disk.Faults{Slow: hang})).To(Succeed())
			working, end := context.WithCancel(ctx)
			var work sync.WaitGroup
			defer work.Wait()
			defer end()
			work.Go(func() { _, _ = w.node(old).Execute(working, w.sql("INSERT INTO {ns}.t (v) VALUES (0)")) })
			for begun := time.Now(); time.Since(begun) < itHangs; {
				Expect(w.node(old).Reading(target.Leader).Execute(ctx, w.sql(query))).To(HaveRows(Row(round - 1)))
			}
			confirmed := time.Now()
			Expect(strong.Execute(ctx, w.sql(query))).To(HaveRows(Row(round - 1)))
			do(ctx, old, others[:enough])
			work.Go(func() { _, _ = strong.Execute(working, w.sql(query)) }) // asked too soon to tell anything
			_, err := w.node(others[0]).ExecuteWithRetry(ctx, w.sql("UPDATE {ns}.t SET v = ? WHERE id = 1"), round)
			Expect(err).NotTo(HaveOccurred())
			now := statusOf(ctx, w.node(old))
			bitten = now.Role == "leader" && now.Term == term && (!w.cluster.HasClock() || time.Since(confirmed) < inTime)

			if bitten {
				reading, cancel := context.WithTimeout(ctx, answer)
				defer cancel()
				if result, err := strong.Execute(reading, w.sql(query)); err == nil {
					Expect(result).To(HaveRows(Row(round)), "a strong read was stale")
				}
			}
			end()
			work.Wait()
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(strong.Execute(ctx, w.sql(query))).To(HaveRows(Row(round)))
			return bitten
		}

		DescribeTable("is not stale",
			func(ctx SpecContext, inTime time.Duration, do func(ctx context.Context, old int, quorum []int)) {
				times := 1
				if inTime == anyTime {
					times = 2 // of which the second is another leader's
				}
				for round, bitten := 1, 0; bitten < times; round++ {
					Expect(round).To(BeNumerically("<=", 30), "it always knew that another leads, or was confirmed long ago")
					if deposed(ctx, round, do, inTime) {
						bitten++
					}
				}
			},
			Entry("though a quorum has confirmed the leader a moment before", patience, aMomentAgo, cutOff),
			Entry("though by the leader's clock no time has passed since a quorum has confirmed it", Label("fault:clock"), patience, anyTime,
				func(ctx context.Context, old int, quorum []int) {
					cutOff(ctx, old, quorum)
					Expect(w.cluster.SetClock(ctx, old, -time.Hour)).To(Succeed())
				}),
			Entry("though a quorum confirms the leader late, by answers to what it was asked before", patience, anyTime,
				func(ctx context.Context, old int, quorum []int) {
					for _, other := range quorum {
						Expect(w.cluster.SetLink(ctx, other, old, network.Rule{Latency: 400 * time.Millisecond})).To(Succeed())
					}
				}),
		)
	})
}
