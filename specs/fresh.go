package specs

import (
	"context"
	"errors"
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

// anyTime bounds nothing.
const anyTime time.Duration = 0

// passes advances virtual time, which passes only while all goroutines wait.
func (env *environment) passes(ctx SpecContext, d time.Duration) {
	GinkgoHelper()
	if env.cluster.Can(target.Time) {
		env.advance(ctx, d)
	}
}

// fresh are specs about reads on nodes that are behind, were deposed, or were just elected.
func fresh(env *environment) {
	Describe("An acknowledged write", Label("suite:fresh"), func() {
		const count = "SELECT count(*) FROM {ns}.t"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v INTEGER)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		look := func(ctx SpecContext, node *harness.Node, consistency target.Consistency, query string) int64 {
			GinkgoHelper()
			value, err := env.runOn(ctx, node.Reading(consistency), query).Value()
			Expect(err).NotTo(HaveOccurred())
			return value.(int64)
		}

		It("is visible to the next read on every node", func(ctx SpecContext) {
			env.assumes(target.OwnWrites)
			behind := 0
			for i := range int64(12 * env.cluster.Size()) {
				at := int(i) % env.cluster.Size()
				next := (at + 1 + int(i)/env.cluster.Size()%2) % env.cluster.Size()
				consistency := []target.Consistency{target.Strong, target.Leader}[i%2]
				env.runOn(ctx, env.node(at), "INSERT INTO {ns}.t VALUES (?, 1)", i)
				if look(ctx, env.node(next).Inside(), target.Local, count) <= i {
					behind++
				}
				Expect(look(ctx, env.node(next).Inside(), consistency, count)).To(
					Equal(i+1), "node %d does not see a write that node %d acknowledged", next, at)
				Expect(look(ctx, env.node(at).Inside(), target.Local, count)).To(Equal(i+1), "node %d acknowledged a write before it applied it", at)
			}
			if env.cluster.Can(target.Time) {
				Expect(behind).To(BeNumerically(">", 0), "no node was ever behind")
			}
		}, env.patience)

		It("stays visible on every node while others write", func(ctx SpecContext) {
			writing, stop := context.WithCancel(ctx)
			var others sync.WaitGroup
			for writer := range 3 {
				others.Go(func() {
					for i := 0; writing.Err() == nil; i++ {
						_, _ = env.cluster.ExecuteOnRandom(writing, env.sql("INSERT INTO {ns}.t VALUES (?, 0)"), 1000*(writer+1)+i)
					}
				})
			}
			defer others.Wait()
			defer stop()
			leader, seen, behind := env.leader(ctx), int64(0), 0
			followers := env.others(leader)
			alone := make(map[int]int64) // what local reads on each node returned
			for i := range 40 {
				for _, at := range []int{followers[i%len(followers)], leader} {
					node, before := env.node(at).Inside(), seen
					if status := statusOf(ctx, node); status.AppliedIndex < status.CommitIndex {
						behind++
					}
					seen = look(ctx, node, target.Strong, count)
					Expect(seen).To(BeNumerically(">=", before), "a strong read on node %d is older than an earlier one", at)
					shows := look(ctx, node, target.Local, count)
					least := alone[at]
					if env.holds(target.OwnWrites) { // else a node may answer a strong read before it has applied what it answers
						least = max(least, before)
					}
					Expect(shows).To(BeNumerically(">=", least), "node %d returns an older state than before", at)
					alone[at] = shows
					if env.holds(target.ShowsCommitted) {
						seen = shows
					}
				}
			}
			if env.cluster.Can(target.Time) {
				Expect(behind).To(BeNumerically(">", 0), "no node was ever behind its commit index")
			}
		}, env.patience)

		It("on a lagging node is visible there, and takes as long as the node lags", Label("fault:disk"), func(ctx SpecContext) {
			env.requires(target.Disks)
			env.assumes(target.OwnWrites)
			env.assumes(target.ShowsStored)
			follower := env.others(env.leader(ctx))[0]
			const slow = 250 * time.Millisecond
			Expect(env.cluster.SetDisk(ctx, follower, fault.Disk{Slow: slow})).To(Succeed())
			for i := range 3 {
				begun := time.Now()
				env.runOn(ctx, env.node(follower), "INSERT INTO {ns}.t VALUES (?, 1)", i)
				Expect(env.runOn(ctx, env.node(follower).Reading(target.Local), count)).To(
					HaveRows(Row(i+1)), "it acknowledged a write before it applied it")
				Expect(time.Since(begun)).To(BeNumerically(">=", slow/2), "it does not lag")
			}
		}, env.patience)

		It("that a node has shown is visible there after a crash, without other nodes", Label("fault:crash"), func(ctx SpecContext) {
			env.requires(target.Crash)
			env.assumes(target.ReadsAlone)
			for round := range 3 {
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				leader := env.leader(ctx)
				witness := env.others(leader)[round%2]
				local := env.node(witness).Inside().Reading(target.Local)
				env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.t VALUES (?, 1)", round)
				for shown := int64(-1); shown <= int64(round); env.passes(ctx, env.pace.glance()) {
					shown = look(ctx, local, target.Local, count)
				}
				env.leave(ctx, witness, fault.Crash) // as soon as it has shown the write
				for _, other := range env.others(witness) {
					env.leave(ctx, other, fault.Crash)
				}
				Expect(env.cluster.BringNodeOnline(ctx, witness)).To(Succeed())
				env.eventually(ctx, func(g Gomega, ctx context.Context) {
					result, err := local.Execute(ctx, env.sql(count))
					g.Expect(err).NotTo(HaveOccurred())
					if value, err := result.Value(); err != nil || value != int64(round+1) {
						StopTrying("it does not show the write again").Attach("rows", result.Rows()).Now()
					}
				}).Should(Succeed())
				for _, other := range env.others(witness) {
					Expect(env.cluster.BringNodeOnline(ctx, other)).To(Succeed())
				}
			}
		}, env.patience)

		It("of an old leader is visible in the first answer of the next", Label("fault:isolate"), func(ctx SpecContext) {
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 0)")
			const query = "SELECT v FROM {ns}.t"
			const enough = 2
			fastest := time.Hour
			for round, bitten := 1, 0; bitten < enough; round++ {
				if round > 5*enough && !env.cluster.Can(target.Time) {
					Skip(fmt.Sprintf("to isolate a node takes the target %v, by when the others know every write", fastest.Round(time.Millisecond)))
				}
				Expect(round).To(BeNumerically("<=", 5*enough), "the next leader always knew the write before it led")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				leader := env.leader(ctx)
				if env.cluster.Can(target.Links) && !env.cluster.Can(target.Time) { // so that they learn late that it is committed
					for _, other := range env.others(leader) {
						Expect(env.cluster.SetLink(ctx, leader, other, fault.Rule{Latency: env.pace.Election / 4})).To(Succeed())
					}
				}
				env.runOn(ctx, env.node(leader), "UPDATE {ns}.t SET v = ?", round)
				begun := time.Now()
				env.leave(ctx, leader)
				unaware, lost := 0, time.Now()
				fastest = min(fastest, lost.Sub(begun))
				var reading sync.WaitGroup
				for _, other := range env.others(leader) {
					if value, err := env.runOn(ctx, env.node(other).Inside().Reading(target.Local), query).Value(); err != nil || value != int64(round) {
						unaware++
					}
					for _, consistency := range []target.Consistency{target.Strong, target.Leader} {
						reading.Go(func() {
							defer GinkgoRecover()
							env.eventually(ctx, func(g Gomega, ctx context.Context) {
								result, err := env.node(other).Reading(consistency).Execute(ctx, env.sql(query))
								g.Expect(err).NotTo(HaveOccurred())
								if value, err := result.Value(); err != nil || value != int64(round) {
									StopTrying("a read does not see a write that the old leader acknowledged").Attach("rows", result.Rows()).Now()
								}
							}).Should(Succeed())
						})
					}
				}
				reading.Wait()
				if env.cluster.Can(target.Time) {
					Expect(time.Since(lost)).To(BeNumerically("<", env.pace.Failover), "a read waited for the lost leader")
				}
				if unaware == len(env.others(leader)) {
					bitten++
				}
				if env.cluster.Can(target.Links) {
					Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				}
				env.comeBack(ctx, leader)
			}
		}, env.patience)
	})

	Describe("A strong read on a deposed leader with a hanging disk", Label("suite:fresh", "fault:disk", "fault:link"), func() {
		const query = "SELECT v FROM {ns}.t WHERE id = 1"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Disks, target.Links, target.Clocks)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v INTEGER)")
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 0)")
		})

		// cutOff cuts the links between a leader and others.
		cutOff := func(ctx context.Context, leader int, others []int) {
			GinkgoHelper()
			Expect(env.cluster.Cut(ctx, fault.Drop, fault.Around(leader, others)...)).To(Succeed())
		}

		// leads reads the row on the leader. It returns false if the leader is none any more, as happens on a busy machine.
		leads := func(ctx context.Context, leader *harness.Node, value int) bool {
			GinkgoHelper()
			result, err := leader.Execute(ctx, env.sql(query))
			if !env.cluster.Can(target.Time) && errors.Is(err, target.ErrNoLeader) {
				return false
			}
			Expect(result, err).To(HaveRows(Row(value)))
			return true
		}

		// deposed hangs the disk of a leader that has no more than a quorum, calls do after a
		// strong read, and reads again after another leader has changed the row. It returns
		// whether the old leader still believed in its leadership then, within inTime.
		deposed := func(ctx SpecContext, round int, do func(ctx context.Context, old int, quorum []int), inTime time.Duration) (bitten bool) {
			GinkgoHelper()
			hang, answer := env.pace.hang(), env.pace.read()
			if env.cluster.Can(target.Time) {
				hang, answer = env.pace.elections(20), env.pace.hang()
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			old := env.leader(ctx)
			strong := env.node(old).Reading(target.Strong)
			term := statusOf(ctx, env.node(old)).Term
			others, enough := env.others(old), env.cluster.Quorum()-1
			cutOff(ctx, old, others[enough:])
			for _, other := range others[enough:] { // so that it votes at once
				env.eventually(ctx, env.node(other)).Should(BeConnecting())
			}
			Expect(env.cluster.SetDisk(ctx, old, fault.Disk{Slow: hang})).To(Succeed())
			working, end := context.WithCancel(ctx)
			var work sync.WaitGroup
			defer work.Wait()
			defer end()
			work.Go(func() { _, _ = env.node(old).Execute(working, env.sql("INSERT INTO {ns}.t (v) VALUES (0)")) })
			led := true
			for begun := time.Now(); led && time.Since(begun) < env.pace.untilDiskHangs(); {
				led = leads(ctx, env.node(old).Reading(target.Leader), round-1)
			}
			confirmed := time.Now()
			if led = led && leads(ctx, strong, round-1); led {
				do(ctx, old, others[:enough])
				work.Go(func() { _, _ = strong.Execute(working, env.sql(query)) }) // too early to be a proof
			}
			_, err := env.node(others[0]).ExecuteWithRetry(ctx, env.sql("UPDATE {ns}.t SET v = ? WHERE id = 1"), round)
			Expect(err).NotTo(HaveOccurred())
			now, answered := statusUnlessHung(ctx, env.node(old))
			bitten = led && answered && now.Role == "leader" && now.Term == term &&
				(inTime == anyTime || !env.cluster.Can(target.Time) || time.Since(confirmed) < inTime)

			if bitten || !answered {
				reading, cancel := context.WithTimeout(ctx, answer)
				defer cancel()
				if result, err := strong.Execute(reading, env.sql(query)); err == nil {
					env.judges(ctx, target.Recency)
					Expect(result).To(HaveRows(Row(round)), "a strong read was stale")
					env.judges(ctx)
				}
			}
			end()
			work.Wait()
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(strong.Execute(ctx, env.sql(query))).To(HaveRows(Row(round)))
			if !answered {
				Skip("the old leader says nothing while its disk hangs, not even whether it leads")
			}
			return bitten
		}

		DescribeTable("is not stale",
			func(ctx SpecContext, inTime time.Duration, do func(ctx context.Context, old int, quorum []int)) {
				env.assumes(target.ReplacesHung)
				times := 1
				if inTime == anyTime {
					times = 2 // the second with another leader
				}
				for round, bitten := 1, 0; bitten < times; round++ {
					Expect(round).To(BeNumerically("<=", 30), "the old leader always knew the new one, or was confirmed too long ago")
					if deposed(ctx, round, do, inTime) {
						bitten++
					}
				}
			},
			Entry("a moment after a quorum has confirmed the leader", env.patience, env.pace.momentAfterContact(), cutOff),
			Entry("when its clock shows no time since a quorum has confirmed it", Label("fault:clock"), env.patience, anyTime,
				func(ctx context.Context, old int, quorum []int) {
					cutOff(ctx, old, quorum)
					Expect(env.cluster.SetClock(ctx, old, -time.Hour)).To(Succeed())
				}),
			Entry("when a quorum confirms it late, by answers to earlier calls", env.patience, anyTime,
				func(ctx context.Context, old int, quorum []int) {
					for _, other := range quorum {
						Expect(env.cluster.SetLink(ctx, other, old, fault.Rule{Latency: env.pace.elections(8)})).To(Succeed())
					}
				}),
		)
	})
}
