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
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// directions are specs about the exact effect of each fault: what is in force, in which
// direction, by target.FaultInspector.
func directions(env *environment) {
	Describe("A fault", Label("suite:directions", "fault:isolate", "fault:link"), func() {
		type link = fault.Link

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Links, target.Survey)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// places are all nodes and the clients, and links all directed links between two of them.
		places := func() []int {
			all := []int{fault.Clients}
			for _, node := range env.cluster.Nodes() {
				all = append(all, node.Index())
			}
			return all
		}
		links := func(of func(from, to int) bool) (links []link) {
			for _, from := range places() {
				for _, to := range places() {
					if from != to && (from != fault.Clients || to != fault.Clients) && of(from, to) {
						links = append(links, link{From: from, To: to})
					}
				}
			}
			return links
		}
		around := func(nodes ...int) []link {
			return links(func(from, to int) bool { return slices.Contains(nodes, from) || slices.Contains(nodes, to) })
		}
		// between are the links from a node of one list to one of the other, and back.
		between := func(one, other []int) []link {
			return links(func(from, to int) bool {
				return slices.Contains(one, from) && slices.Contains(other, to) || slices.Contains(other, from) && slices.Contains(one, to)
			})
		}
		survey := func(ctx context.Context) harness.Faults {
			GinkgoHelper()
			found, err := env.cluster.Survey(ctx)
			Expect(err).NotTo(HaveOccurred())
			return found
		}
		cut := func(ctx context.Context) []link {
			GinkgoHelper()
			var links []link
			for link, rule := range survey(ctx).Links {
				Expect(rule.Action).NotTo(Equal(fault.Pass), "%v", link)
				links = append(links, link)
			}
			return links
		}
		sound := func(ctx context.Context) {
			GinkgoHelper()
			found := survey(ctx)
			Expect(found.Lines()).To(BeEmpty())
			Expect(env.cluster.Faults().Lines()).To(BeEmpty())
		}
		// passed is how many messages each of the links has passed on.
		passed := func(ctx context.Context, links []link) map[link]uint64 {
			GinkgoHelper()
			passed := make(map[link]uint64)
			for _, link := range links {
				stats, err := env.cluster.LinkStats(ctx, link.From, link.To)
				Expect(err).NotTo(HaveOccurred())
				passed[link] = stats.Messages
			}
			return passed
		}

		It("that isolates a node cuts all of its links in both directions, and no other", func(ctx SpecContext) {
			sound(ctx)
			for _, node := range env.cluster.Nodes() {
				env.leave(ctx, node.Index())
				Expect(cut(ctx)).To(ConsistOf(around(node.Index())))
				before := passed(ctx, around(node.Index()))

				By("writing elsewhere, and asking the isolated node")
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('without it')")
				env.isAlone(ctx, node.Index())
				env.expectSilence(ctx, node.Index())
				Expect(passed(ctx, around(node.Index()))).To(Equal(before), "a message passed to or from %s", node)

				env.comeBack(ctx, node.Index())
				env.whole(ctx)
				sound(ctx)
			}
			last := env.cluster.Size() - 1
			env.leave(ctx, 0)
			env.leave(ctx, last)
			Expect(cut(ctx)).To(ConsistOf(around(0, last)))
			Expect(env.cluster.BringNodeOnline(ctx, 0)).To(Succeed())
			Expect(cut(ctx)).To(ConsistOf(around(last)))
			env.comeBack(ctx, last)
			sound(ctx)
		}, env.patience)

		It("that isolates a node cuts it off from nodes that are added later", func(ctx SpecContext) {
			env.requires(target.Members)
			env.assumes(target.Learners)
			env.leave(ctx, 1)
			Expect(env.cluster.AddNode(ctx, harness.NonVoter)).Error().NotTo(HaveOccurred())
			Expect(cut(ctx)).To(ConsistOf(around(1)))
			env.comeBack(ctx, 1)
			sound(ctx)
			env.leave(ctx, env.cluster.Size()-1)
			Expect(cut(ctx)).To(ConsistOf(around(env.cluster.Size() - 1)))
			env.comeBack(ctx, env.cluster.Size()-1)
			sound(ctx)
		}, env.patience)

		It("that cuts a link in one direction leaves the other", func(ctx SpecContext) {
			for _, link := range links(func(int, int) bool { return true }) {
				mode := fault.Drop
				if link.From == fault.Clients {
					mode = fault.Refuse
				}
				Expect(env.cluster.Cut(ctx, mode, link)).To(Succeed())
				found := survey(ctx)
				Expect(found.Links).To(Equal(map[fault.Link]fault.Rule{link: {Action: mode}}))
				Expect(env.cluster.Mend(ctx, link)).To(Succeed())
			}
			sound(ctx)
			link := link{From: 1, To: 2}
			rule := fault.Rule{Latency: time.Millisecond, Jitter: time.Microsecond, Loss: 0.01, Bandwidth: 1 << 20}
			Expect(env.cluster.SetLink(ctx, link.From, link.To, rule)).To(Succeed())
			Expect(survey(ctx).Links).To(Equal(map[fault.Link]fault.Rule{link: rule}))
			Expect(env.cluster.Cut(ctx, fault.Drop, link)).To(Succeed())
			rule.Action = fault.Drop
			Expect(survey(ctx).Links).To(Equal(map[fault.Link]fault.Rule{link: rule}))
			Expect(env.cluster.Mend(ctx, link)).To(Succeed())
			rule.Action = fault.Pass
			Expect(survey(ctx).Links).To(Equal(map[fault.Link]fault.Rule{link: rule}), "the rest of its rule is lost")
			Expect(env.cluster.MendLinks(ctx)).To(Succeed())
			sound(ctx)
		}, env.patience)

		It("with a shape cuts exactly the links of the shape", func(ctx SpecContext) {
			for _, node := range env.cluster.Nodes() {
				alone, others := []int{node.Index()}, env.others(node.Index())
				Expect(env.cluster.Partition(ctx, alone, others)).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(between(alone, others)))
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				sound(ctx)

				left, right := others[:1], others[1:]
				Expect(env.cluster.Bridge(ctx, left, right, node.Index())).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(between(left, right)))
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())

				Expect(env.cluster.Cut(ctx, fault.Drop, fault.OneWay(alone, others)...)).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(links(func(from, to int) bool { return from == node.Index() && to != fault.Clients })))
				Expect(env.cluster.Mend(ctx, fault.OneWay(alone, others)...)).To(Succeed())
				sound(ctx)

				Expect(env.cluster.Cut(ctx, fault.Drop, fault.Around(node.Index(), others)...)).To(Succeed())
				Expect(cut(ctx)).To(ConsistOf(between(alone, others)))
				Expect(env.cluster.Heal(ctx)).To(Succeed())
			}
			Expect(env.cluster.Partition(ctx, []int{0}, []int{1}, []int{2})).To(Succeed())
			Expect(cut(ctx)).To(ConsistOf(append(between([]int{0}, []int{1, 2}), between([]int{1}, []int{2})...)))
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			leader, err := env.cluster.IsolateLeader(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(cut(ctx)).To(ConsistOf(between([]int{leader}, env.others(leader))))
			Expect(env.cluster.IsNodeOnline(leader)).To(BeTrue())
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			sound(ctx)
		}, env.patience)

		It("that flaps cuts and restores all of its links in turn until it is stopped", func(ctx SpecContext) {
			others := env.others(env.leader(ctx))
			links := between(others[:1], others[1:])
			links = append(links, link{From: fault.Clients, To: 0})
			// While a link changes, its two ends may differ, which is an error of Survey.
			looking := func(ctx context.Context) ([]link, error) {
				found, err := env.cluster.Survey(ctx)
				return slices.Collect(maps.Keys(found.Links)), err
			}
			interval := env.pace.Failover
			stop, err := env.cluster.Flapping(ctx, interval, links...)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.Faults().Flapping).To(HaveLen(1))
			for range 2 {
				env.eventually(ctx, looking).Should(ConsistOf(links))
				env.eventually(ctx, looking).Should(BeEmpty())
			}
			env.eventually(ctx, looking).Should(ConsistOf(links))
			Expect(stop()).To(Succeed())
			sound(ctx)
			_, err = env.cluster.Flapping(ctx, interval, links...)
			Expect(err).NotTo(HaveOccurred())
			env.eventually(ctx, looking).Should(ConsistOf(links))
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			sound(ctx)
			Expect(looking(ctx)).To(BeEmpty())
		}, env.patience)

		It("that refuses ends client connections at once, and one that drops lets none begin", func(ctx SpecContext) {
			for _, node := range env.cluster.Nodes() {
				i := node.Index()
				for _, link := range []link{{From: fault.Clients, To: i}, {From: i, To: fault.Clients}} {
					Expect(node.Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)), "there is no connection")
					Expect(env.cluster.Cut(ctx, fault.Refuse, link)).To(Succeed())
					for range 2 { // on the existing connection, and on a new one
						err := env.timely(ctx, func(ctx context.Context) error { _, err := node.Execute(ctx, "SELECT 1"); return err })
						Expect(err).To(MatchError(target.ErrUnreachable), "%v", link)
						Expect(err).NotTo(MatchError(context.DeadlineExceeded), "%v is not refused at once", link)
					}
					Expect(env.cluster.Cut(ctx, fault.Drop, link)).To(Succeed())
					short, cancel := context.WithTimeout(ctx, silence)
					_, err := node.Execute(short, env.sql("INSERT INTO {ns}.t VALUES (?, 'never sent')"), i)
					cancel()
					Expect(err).To(WithTransform(target.OutcomeOf, Equal(target.NotApplied)), "%v: %v", link, err)
					Expect(node.Inside().Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
					Expect(env.cluster.Mend(ctx, link)).To(Succeed())
				}
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(0)))
			sound(ctx)
		}, env.patience)

		It("that resets a link cuts one message in half, unless Heal removes it", func(ctx SpecContext) {
			for _, node := range env.cluster.Nodes() {
				for _, link := range []link{{From: fault.Clients, To: node.Index()}, {From: node.Index(), To: fault.Clients}} {
					Expect(node.Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
					before, err := env.cluster.LinkStats(ctx, link.From, link.To)
					Expect(err).NotTo(HaveOccurred())
					Expect(env.cluster.ResetLink(ctx, link.From, link.To)).To(Succeed())
					Expect(survey(ctx).Resets).To(Equal(map[fault.Link]bool{link: true}))
					Expect(env.cluster.Heal(ctx)).To(Succeed())
					sound(ctx)
					Expect(node.Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
					Expect(env.cluster.ResetLink(ctx, link.From, link.To)).To(Succeed())
					_, _ = node.Execute(ctx, "SELECT 1") // it fails, or its client asks again on a new connection
					Expect(survey(ctx).Resets).To(BeEmpty())
					Expect(env.cluster.LinkStats(ctx, link.From, link.To)).To(HaveField("Resets", before.Resets+1))
				}
			}
		}, env.patience)

		It("of a disk or a clock affects its node only", Label("fault:disk", "fault:clock"), func(ctx SpecContext) {
			env.requires(target.Disks, target.Clocks)
			for _, node := range env.cluster.Nodes() {
				i := node.Index()
				Expect(env.cluster.SetDisk(ctx, i, fault.Disk{Slow: time.Millisecond})).To(Succeed())
				Expect(env.cluster.SetClock(ctx, i, -time.Hour)).To(Succeed())
				found := survey(ctx)
				Expect(found.Disks).To(Equal(map[int]fault.Disk{i: {Slow: time.Millisecond}}))
				Expect(found.Clocks).To(Equal(map[int]time.Duration{i: -time.Hour}))
				Expect(env.cluster.SetDisk(ctx, i, fault.Disk{})).To(Succeed())
				Expect(env.cluster.SetClock(ctx, i, 0)).To(Succeed())
				sound(ctx)
			}
		}, env.patience)

		DescribeTable("is healed together with all others",
			func(ctx SpecContext, lose fault.Mode, need target.Ability) {
				env.requires(target.Disks, target.Clocks, need)
				for _, node := range env.cluster.Nodes() {
					i := node.Index()
					Expect(env.cluster.SetClock(ctx, i, time.Duration(i+1)*time.Hour)).To(Succeed())
					Expect(env.cluster.SetDisk(ctx, i, fault.Disk{Slow: time.Duration(i+1) * time.Millisecond})).To(Succeed())
				}
				all := links(func(int, int) bool { return true })
				for i, link := range all {
					rule := fault.Rule{Latency: time.Duration(i+1) * time.Microsecond}
					if i%3 == 0 {
						rule.Action = fault.Drop
					}
					Expect(env.cluster.SetLink(ctx, link.From, link.To, rule)).To(Succeed())
				}
				_, err := env.cluster.Flapping(ctx, time.Second, all[1])
				Expect(err).NotTo(HaveOccurred())
				_, err = env.cluster.Flapping(ctx, time.Second, all[len(all)-1])
				Expect(err).NotTo(HaveOccurred())
				found := survey(ctx)
				Expect(found.Links).To(HaveLen(len(all)))
				Expect(found.Clocks).To(HaveLen(env.cluster.Size()))
				Expect(found.Disks).To(HaveLen(env.cluster.Size()))
				for _, node := range env.cluster.Nodes() {
					env.leave(ctx, node.Index(), lose)
				}
				for _, link := range all { // crashed nodes have lost the resets set before
					Expect(env.cluster.ResetLink(ctx, link.From, link.To)).To(Succeed())
				}

				Expect(env.cluster.Heal(ctx)).To(Succeed())
				sound(ctx)
				for _, node := range env.cluster.Nodes() {
					Expect(env.cluster.IsNodeOnline(node.Index())).To(BeTrue())
					if env.cluster.Can(target.Time) {
						Expect(node).To(BeOnline())
					} else { // a busy machine may end a leadership at any time
						env.eventually(ctx, node).Should(BeOnline())
					}
				}
				for _, node := range env.cluster.Nodes() {
					env.runOn(ctx, node, "INSERT INTO {ns}.t (v) VALUES (?)", fmt.Sprint(node))
				}
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			},
			Entry("with isolated nodes", env.patience, fault.Isolate, target.Links),
			Entry("with stopped nodes", Label("fault:stop"), env.patience, fault.Stop, target.Stop),
			Entry("with crashed nodes", Label("fault:crash"), env.patience, fault.Crash, target.Crash),
			Entry("with paused nodes", Label("fault:pause"), env.patience, fault.Pause, target.Pause),
		)
	})
}

// rings are specs about the shape that needs more nodes than most specs have.
func rings(env *environment) {
	It("can be made a ring, where each node reaches two others", Label("suite:directions", "fault:link"), func(ctx SpecContext) {
		env.needs(4)
		env.requires(target.Links, target.Survey)
		Expect(env.cluster.Ring(ctx)).To(Succeed())
		found, err := env.cluster.Survey(ctx)
		Expect(err).NotTo(HaveOccurred())
		size := env.cluster.Size()
		for from := range size {
			for to := range size {
				apart := (to - from + size) % size
				cut := apart > 1 && apart < size-1
				action := fault.Pass
				if cut {
					action = fault.Drop
				}
				Expect(found.Links[fault.Link{From: from, To: to}].Action).To(Equal(action), "from %d to %d", from, to)
			}
		}
		Expect(found.Links).To(HaveLen(size * (size - 3)))
		Expect(env.cluster.Heal(ctx)).To(Succeed())
		Expect(env.cluster.Survey(ctx)).To(HaveField("Links", BeEmpty()))
	}, env.patience)
}
