package specs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// directions are about what a fault does, and what it leaves alone: in each direction, at
// each place, by the word of who carries it out.
func directions(w *world) {
	Describe("A fault", Label("suite:directions", "fault:isolate", "fault:link"), func() {
		type way = network.Way[int]

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Links, target.Survey)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// places are all nodes and the clients, and links all ways between two of them.
		places := func() []int {
			all := []int{harness.Clients}
			for _, node := range w.cluster.Nodes() {
				all = append(all, node.Index())
			}
			return all
		}
		links := func(of func(from, to int) bool) (ways []way) {
			for _, from := range places() {
				for _, to := range places() {
					if from != to && (from != harness.Clients || to != harness.Clients) && of(from, to) {
						ways = append(ways, way{From: from, To: to})
					}
				}
			}
			return ways
		}
		around := func(nodes ...int) []way {
			return links(func(from, to int) bool { return slices.Contains(nodes, from) || slices.Contains(nodes, to) })
		}
		// between is every way from a node of one list to one of the other, and back.
		between := func(one, other []int) []way {
			return links(func(from, to int) bool {
				return slices.Contains(one, from) && slices.Contains(other, to) || slices.Contains(other, from) && slices.Contains(one, to)
			})
		}
		survey := func(ctx context.Context) harness.Faults {
			GinkgoHelper()
			found, err := w.cluster.Survey(ctx)
			Expect(err).NotTo(HaveOccurred())
			return found
		}
		cut := func(ctx context.Context) []way {
			GinkgoHelper()
			var ways []way
			for way, rule := range survey(ctx).Links {
				Expect(rule.Mode).NotTo(Equal(network.Up), "%v", way)
				ways = append(ways, way)
			}
			return ways
		}
		sound := func(ctx context.Context) {
			GinkgoHelper()
			found := survey(ctx)
			Expect(found.Lines()).To(BeEmpty())
			Expect(w.cluster.Faults().Lines()).To(BeEmpty())
		}
		// passed is how much each of the links has passed on.
		passed := func(ctx context.Context, ways []way) map[way]uint64 {
			GinkgoHelper()
			passed := make(map[way]uint64)
			for _, way := range ways {
				stats, err := w.cluster.LinkStats(ctx, way.From, way.To)
				Expect(err).NotTo(HaveOccurred())
				passed[way] = stats.Messages
			}
			return passed
		}

		It("that isolates a node cuts each of its links, both ways, and no other; nothing passes any more", func(ctx SpecContext) {
			sound(ctx)
			for _, node := range w.cluster.Nodes() {
				w.leave(ctx, node.Index())
				Expect(cut(ctx)).To(ConsistOf(around(node.Index())))
				before := passed(ctx, around(node.Index()))

				By("others and clients trying")
				w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('without it')")
				Eventually(ctx, node).Should(BeConnecting())
				w.expectSilence(ctx, node.Index())
				Expect(passed(ctx, around(node.Index()))).To(Equal(before), "something passed to or from %s", node)

				w.comeBack(ctx, node.Index())
				sound(ctx)
			}
			last := w.cluster.Size() - 1
			w.leave(ctx, 0)
			w.leave(ctx, last)
			Expect(cut(ctx)).To(ConsistOf(around(0, last)))
			Expect(w.cluster.BringNodeOnline(ctx, 0)).To(Succeed())
			Expect(cut(ctx)).To(ConsistOf(around(last)))
			w.comeBack(ctx, last)
			sound(ctx)
		}, patience)

		It("that isolates a node cuts it off from one that is added later, too", func(ctx SpecContext) {
			w.requires(target.Members)
			w.leave(ctx, 1)
			Expect(w.cluster.AddNode(ctx, harness.NonVoter)).Error().NotTo(HaveOccurred())
			Expect(cut(ctx)).To(ConsistOf(around(1)))
			w.comeBack(ctx, 1)
			sound(ctx)
			w.leave(ctx, w.cluster.Size()-1)
			Expect(cut(ctx)).To(ConsistOf(around(w.cluster.Size() - 1)))
			w.comeBack(ctx, w.cluster.Size()-1)
			sound(ctx)
		}, patience)

		It("that cuts one way cuts that way, and leaves the way back", func(ctx SpecContext) {
			for _, way := range links(func(int, int) bool { return true }) {
				mode := network.Drop
				if way.From == harness.Clients {
					mode = network.Refuse
				}
				Expect(w.cluster.Cut(ctx, mode, way)).To(Succeed())
				found := survey(ctx)
				Expect(found.Links).To(Equal(map[network.Way[int]]network.Rule{way: {Mode: mode}}))
				Expect(w.cluster.Mend(ctx, way)).To(Succeed())
			}
			sound(ctx)
			way := way{From: 1, To: 2}
			rule := network.Rule{Latency: time.Millisecond, Jitter: time.Microsecond, Loss: 0.01, Bandwidth: 1 << 20}
			Expect(w.cluster.SetLink(ctx, way.From, way.To, rule)).To(Succeed())
			Expect(survey(ctx).Links).To(Equal(map[network.Way[int]]network.Rule{way: rule}))
			Expect(w.cluster.Cut(ctx, network.Drop, way)).To(Succeed())
			rule.Mode = network.Drop
			Expect(survey(ctx).Links).To(Equal(map[network.Way[int]]network.Rule{way: rule}))
			Expect(w.cluster.Mend(ctx, way)).To(Succeed())
			rule.Mode = network.Up
			Expect(survey(ctx).Links).To(Equal(map[network.Way[int]]network.Rule{way: rule}), "the rest of its rule is gone")
			Expect(w.cluster.MendLinks(ctx)).To(Succeed())
			sound(ctx)
		}, patience)

		It("that has a shape cuts what the shape says, in both directions", func(ctx SpecContext) {
			for _, node := range w.cluster.Nodes() {
				alone, others := []int{node.Index()}, w.others(node.Index())
				Expect(w.cluster.Partition(ctx, alone, others)).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(between(alone, others)))
				Expect(w.cluster.MendLinks(ctx)).To(Succeed())
				sound(ctx)

				left, right := others[:1], others[1:]
				Expect(w.cluster.Bridge(ctx, left, right, node.Index())).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(between(left, right)))
				Expect(w.cluster.MendLinks(ctx)).To(Succeed())

				Expect(w.cluster.Cut(ctx, network.Drop, network.OneWay(alone, others)...)).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(links(func(from, to int) bool { return from == node.Index() && to != harness.Clients })))
				Expect(w.cluster.Mend(ctx, network.OneWay(alone, others)...)).To(Succeed())
				sound(ctx)

				Expect(w.cluster.Cut(ctx, network.Drop, network.Around(node.Index(), others)...)).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(between(alone, others)))
				Expect(w.cluster.Heal(ctx)).To(Succeed())
			}
			Expect(w.cluster.Partition(ctx, []int{0}, []int{1}, []int{2})).To(Succeed())
			Expect(cut(ctx)).To(ConsistOf(append(between([]int{0}, []int{1, 2}), between([]int{1}, []int{2})...)))
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			leader, err := w.cluster.IsolateLeader(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(cut(ctx)).To(ConsistOf(between([]int{leader}, w.others(leader))))
			Expect(w.cluster.IsNodeOnline(leader)).To(BeTrue())
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			sound(ctx)
		}, patience)

		It("that flaps cuts all of its ways and mends them, in turn, until it is stopped", func(ctx SpecContext) {
			others := w.others(w.leader(ctx))
			ways := between(others[:1], others[1:])
			ways = append(ways, way{From: harness.Clients, To: 0})
			looking := func(ctx context.Context) []way { return slices.Collect(maps.Keys(survey(ctx).Links)) }
			stop, err := w.cluster.Flapping(ctx, 100*time.Millisecond, ways...)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.Faults().Flapping).To(HaveLen(1))
			for range 2 {
				Eventually(ctx, looking).Should(ConsistOf(ways))
				Eventually(ctx, looking).Should(BeEmpty())
			}
			Eventually(ctx, looking).Should(ConsistOf(ways))
			Expect(stop()).To(Succeed())
			sound(ctx)
			_, err = w.cluster.Flapping(ctx, 100*time.Millisecond, ways...)
			Expect(err).NotTo(HaveOccurred())
			Eventually(ctx, looking).Should(ConsistOf(ways))
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			sound(ctx)
			Expect(looking(ctx)).To(BeEmpty())
		}, patience)

		It("of a link that resets cuts one message in half, that way, and Heal disarms it", func(ctx SpecContext) {
			for _, node := range w.cluster.Nodes() {
				for _, way := range []way{{From: harness.Clients, To: node.Index()}, {From: node.Index(), To: harness.Clients}} {
					Expect(node.Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
					before, err := w.cluster.LinkStats(ctx, way.From, way.To)
					Expect(err).NotTo(HaveOccurred())
					Expect(w.cluster.ResetLink(ctx, way.From, way.To)).To(Succeed())
					Expect(survey(ctx).Resets).To(Equal(map[network.Way[int]]bool{way: true}))
					Expect(w.cluster.Heal(ctx)).To(Succeed())
					sound(ctx)
					Expect(node.Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
					Expect(w.cluster.ResetLink(ctx, way.From, way.To)).To(Succeed())
					Expect(node.Execute(ctx, "SELECT 1")).Error().To(HaveOccurred(), "%v", way)
					Expect(survey(ctx).Resets).To(BeEmpty())
					Expect(w.cluster.LinkStats(ctx, way.From, way.To)).To(HaveField("Resets", before.Resets+1))
				}
			}
		}, patience)

		It("of a disk or a clock is that of its node alone", Label("fault:disk", "fault:clock"), func(ctx SpecContext) {
			w.requires(target.Disks, target.Clocks)
			for _, node := range w.cluster.Nodes() {
				i := node.Index()
				Expect(w.cluster.SetDisk(ctx, i, disk.Faults{Slow: time.Millisecond})).To(Succeed())
				Expect(w.cluster.SetClock(ctx, i, -time.Hour)).To(Succeed())
				found := survey(ctx)
				Expect(found.Disks).To(Equal(map[int]disk.Faults{i: {Slow: time.Millisecond}}))
				Expect(found.Clocks).To(Equal(map[int]time.Duration{i: -time.Hour}))
				Expect(w.cluster.SetDisk(ctx, i, disk.Faults{})).To(Succeed())
				Expect(w.cluster.SetClock(ctx, i, 0)).To(Succeed())
				sound(ctx)
			}
		}, patience)

		DescribeTable("is healed, with all others that there are at once, at every place",
			func(ctx SpecContext, lose harness.Way, need target.Ability) {
				w.requires(target.Disks, target.Clocks, need)
				for _, node := range w.cluster.Nodes() {
					i := node.Index()
					Expect(w.cluster.SetClock(ctx, i, time.Duration(i+1)*time.Hour)).To(Succeed())
					Expect(w.cluster.SetDisk(ctx, i, disk.Faults{Slow: time.Duration(i+1) * time.Millisecond})).To(Succeed())
				}
				all := links(func(int, int) bool { return true })
				for i, way := range all {
					rule := network.Rule{Latency: time.Duration(i+1) * time.Microsecond}
					if i%3 == 0 {
						rule.Mode = network.Drop
					}
					Expect(w.cluster.SetLink(ctx, way.From, way.To, rule)).To(Succeed())
				}
				_, err := w.cluster.Flapping(ctx, time.Second, all[1])
				Expect(err).NotTo(HaveOccurred())
				_, err = w.cluster.Flapping(ctx, time.Second, all[len(all)-1])
				Expect(err).NotTo(HaveOccurred())
				found := survey(ctx)
				Expect(found.Links).To(HaveLen(len(all)))
				Expect(found.Clocks).To(HaveLen(w.cluster.Size()))
				Expect(found.Disks).To(HaveLen(w.cluster.Size()))
				for _, node := range w.cluster.Nodes() {
					w.leave(ctx, node.Index(), lose)
				}
				for _, way := range all { // what was set before is armed no more
					Expect(w.cluster.ResetLink(ctx, way.From, way.To)).To(Succeed())
				}

				Expect(w.cluster.Heal(ctx)).To(Succeed())
				sound(ctx)
				for _, node := range w.cluster.Nodes() {
					Expect(w.cluster.IsNodeOnline(node.Index())).To(BeTrue())
					Expect(node).To(BeOnline())
				}
				for _, node := range w.cluster.Nodes() {
					w.runOn(ctx, node, "INSERT INTO {ns}.t (v) VALUES (?)", fmt.Sprint(node))
				}
				Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
			},
			Entry("with nodes that are isolated", patience, harness.Isolate, target.Links),
			Entry("with nodes that were stopped", Label("fault:stop"), patience, harness.Stop, target.Stop),
			Entry("with nodes that crashed", Label("fault:crash"), patience, harness.Crash, target.Crash),
			Entry("with nodes that are frozen", Label("fault:pause"), patience, harness.Pause, target.Pause),
		)
	})
}

// rings are about the shape that needs more nodes than most specs have.
func rings(w *world) {
	It("can be made a ring, in which each node reaches two", Label("suite:directions", "fault:link"), func(ctx SpecContext) {
		w.needs(4)
		w.requires(target.Links, target.Survey)
		Expect(w.cluster.Ring(ctx)).To(Succeed())
		found, err := w.cluster.Survey(ctx)
		Expect(err).NotTo(HaveOccurred())
		size := w.cluster.Size()
		for from := range size {
			for to := range size {
				apart := (to - from + size) % size
				cut := apart > 1 && apart < size-1
				Expect(found.Links[network.Way[int]{From: from, To: to}].Mode == network.Drop).To(Equal(cut), "from %d to %d", from, to)
			}
		}
		Expect(found.Links).To(HaveLen(size * (size - 3)))
		Expect(w.cluster.Heal(ctx)).To(Succeed())
		Expect(w.cluster.Survey(ctx)).To(HaveField("Links", BeEmpty()))
	}, patience)
}
