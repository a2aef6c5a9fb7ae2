package specs

import (
	"context"
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

func links(w *world) {
	Describe("A bad link", Label("suite:links", "fault:link"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Links)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// another waits until somebody else leads, in a later term, and can.
		another := func(ctx SpecContext, old int, term uint64) {
			GinkgoHelper()
			Eventually(ctx, w.cluster.Leader).ShouldNot(Equal(old), "nobody else was elected")
			w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('under another leader')")
			Expect(statusOf(ctx, w.node(w.leader(ctx))).Term).To(BeNumerically(">", term))
		}

		DescribeTable("from or to the leader, in one direction only, costs it the leadership and nobody a write",
			func(ctx SpecContext, way func(leader []int, others []int) []network.Way[int]) {
				leader := w.leader(ctx)
				term := statusOf(ctx, w.node(leader)).Term
				Expect(w.cluster.Cut(ctx, network.Drop, way([]int{leader}, w.others(leader))...)).To(Succeed())
				another(ctx, leader, term)
				Eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, w.node(leader)).Role }).ShouldNot(
					Equal("leader"), "it leads on, though nobody hears it or it hears nobody")
				Expect(w.cluster.MendLinks(ctx)).To(Succeed())
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t")))
			},
			Entry("when nobody hears it", patience, network.OneWay[int]),
			Entry("when it hears nobody", patience, func(leader, others []int) []network.Way[int] { return network.OneWay(others, leader) }),
		)

		It("around the leader leaves it to its clients, whom it refuses", func(ctx SpecContext) {
			term := statusOf(ctx, w.node(w.leader(ctx))).Term
			leader, err := w.cluster.IsolateLeader(ctx)
			Expect(err).NotTo(HaveOccurred())
			_, err = w.node(leader).Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (99, 'of nobody')"))
			Expect(codeOf(err)).To(BeElementOf("NO_LEADER", "NO_QUORUM"), "%v", err)
			another(ctx, leader, term)
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t WHERE id = 99")).To(HaveRows(Row(0)))
		}, patience)

		It("between two halves that share one node, a bridge, ends no leadership and holds up no write", func(ctx SpecContext) {
			leader := w.leader(ctx)
			term := statusOf(ctx, w.node(leader)).Term
			others := w.others(leader)
			bridge, right := others[0], others[len(others)-1:]
			left := append([]int{leader}, others[1:len(others)-1]...)
			Expect(w.cluster.Bridge(ctx, left, right, bridge)).To(Succeed())

			const writes = 8 // some of which wait at the far half for a leader, in vain
			for i := range writes {
				w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES (?)", i)
			}
			// On a real clock a busy machine may end a leadership too. Then either half may
			// be the far one, or none, if the bridge itself has come to lead.
			Eventually(ctx, func(ctx context.Context) bool {
				return statusOf(ctx, w.node(left[0])).State == target.Connecting || statusOf(ctx, w.node(right[0])).State == target.Connecting ||
					!w.cluster.HasClock() && statusOf(ctx, w.node(bridge)).Role == "leader"
			}).Should(BeTrue(), "both halves hear of the leader")
			if w.cluster.HasClock() {
				Expect(w.node(right[0])).To(And(BeConnecting(), Not(HaveCaughtUp())))
				Expect(w.leader(ctx)).To(Equal(leader), "who hears nobody has stood for election and won")
				Expect(statusOf(ctx, w.node(leader)).Term).To(Equal(term))
			}
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(writes)))
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
		}, patience)

		It("that flaps loses no acknowledged write", func(ctx SpecContext) {
			leader := w.leader(ctx)
			load := w.load(ctx, 4, w.cluster.ExecuteOnRandom)
			follower := w.node(w.others(leader)[0])
			// Also its link to the other one, which leads if it is elected meanwhile.
			ways := network.Around(follower.Index(), w.others(follower.Index()))
			stop, err := w.cluster.Flapping(ctx, 400*time.Millisecond, ways...)
			Expect(err).NotTo(HaveOccurred())
			for range 3 {
				Eventually(ctx, follower).Should(BeConnecting(), "the link is never cut for long")
				Eventually(ctx, follower).Should(Or(BeSyncing(), BeOnline()), "the link is never mended for long")
				load.goesOn(ctx)
			}
			Expect(stop()).To(Succeed())
			load.verify(ctx, 50)
		}, patience)

		DescribeTable("to one follower does not slow the others",
			func(ctx SpecContext, slow func(ctx context.Context, leader, follower int) error, need target.Ability) {
				w.requires(need)
				leader := w.leader(ctx)
				follower := w.others(leader)[0]
				Expect(slow(ctx, leader, follower)).To(Succeed())
				before := statusOf(ctx, w.node(follower)).AppliedIndex
				begun := time.Now()
				for i := range 50 {
					w.runOn(ctx, w.node(leader), "INSERT INTO {ns}.t (v) VALUES (?)", i)
				}
				// Each takes what two nodes take. The slow one cannot have confirmed any.
				Expect(time.Since(begun)).To(BeNumerically("<", slowness), "the leader waits for its slowest follower")
				Expect(statusOf(ctx, w.node(follower)).AppliedIndex).To(BeNumerically("<", before+25), "the follower is not slow")
				Expect(w.cluster.Heal(ctx)).To(Succeed())
				Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
			},
			Entry("when the way there is long", patience, w.farAway, target.Links),
			Entry("when its disk is slow", Label("fault:disk"), patience, w.slowDisk, target.Disks),
		)

		It("that loses every third message slows the writes that meet it, and breaks none", func(ctx SpecContext) {
			leader := w.leader(ctx)
			for _, node := range w.others(leader) {
				Expect(w.cluster.SetLink(ctx, leader, node, network.Rule{Loss: 0.3})).To(Succeed())
			}
			begun, lost := time.Now(), uint64(0)
			for i := range 40 {
				w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES (?)", i)
			}
			took := time.Since(begun)
			for _, node := range w.others(leader) {
				stats, err := w.cluster.LinkStats(ctx, leader, node)
				Expect(err).NotTo(HaveOccurred())
				lost += stats.Lost
			}
			Expect(lost).To(BeNumerically(">", 0), "nothing was lost")
			// One write may meet a loss that began before it. All writes together cannot.
			Expect(took).To(BeNumerically(">=", network.Retransmit), "no write waited for what was lost")
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(40)))
		}, patience)

		It("that is narrow takes as long as its bytes", func(ctx SpecContext) {
			leader := w.leader(ctx)
			Expect(w.cluster.SetLink(ctx, harness.Clients, leader, network.Rule{Bandwidth: 256 << 10})).To(Succeed())
			begun := time.Now()
			w.runOn(ctx, w.node(leader), "INSERT INTO {ns}.t VALUES (1, ?)", strings.Repeat("x", 128<<10))
			Expect(time.Since(begun)).To(BeNumerically(">=", 400*time.Millisecond), "128 KiB at 256 KiB a second")
			Expect(w.run(ctx, "SELECT length(v) FROM {ns}.t")).To(HaveRows(Row(128 << 10)))
		}, patience)

		It("between nodes that cuts messages in half breaks nothing", func(ctx SpecContext) {
			leader := w.leader(ctx)
			for i := range 20 {
				for _, node := range w.others(leader) {
					Expect(w.cluster.ResetLink(ctx, leader, node)).To(Succeed())
					Expect(w.cluster.ResetLink(ctx, node, leader)).To(Succeed())
				}
				w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES (?)", i)
			}
			for _, way := range network.Around(leader, w.others(leader)) {
				stats, err := w.cluster.LinkStats(ctx, way.From, way.To)
				Expect(err).NotTo(HaveOccurred())
				Expect(stats.Resets).To(BeNumerically(">=", 5), "too few messages from %d to %d were cut in half", way.From, way.To)
			}
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(20)))
		}, patience)
	})

	Describe("A client's link", Label("suite:links", "fault:link"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.requires(target.Links)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("that loses the answer leaves its client in doubt about a write that was applied", func(ctx SpecContext) {
			// A connection that is there, so that it is the answer that gets lost.
			Expect(w.node(0).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			Expect(w.cluster.Cut(ctx, network.Drop, network.Way[int]{From: 0, To: harness.Clients})).To(Succeed())
			Expect(w.timely(ctx, func(ctx context.Context) error {
				_, err := w.node(0).Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (1, 'unanswered')"))
				return err
			})).To(WithTransform(target.OutcomeOf, Equal(target.Unknown)))
			Eventually(ctx, func(ctx context.Context) (harness.Result, error) {
				return w.node(0).Inside().Execute(ctx, w.sql("SELECT v FROM {ns}.t"))
			}).Should(HaveRows(Row("unanswered")))
		}, patience)

		It("that loses the request leaves nothing behind", func(ctx SpecContext) {
			// A connection that is there, so that it is the request that gets lost.
			w.runOn(ctx, w.node(0), "INSERT INTO {ns}.t VALUES (1, 'answered')")
			Expect(w.cluster.Cut(ctx, network.Drop, network.Way[int]{From: harness.Clients, To: 0})).To(Succeed())
			Expect(w.timely(ctx, func(ctx context.Context) error {
				_, err := w.node(0).Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (2, 'lost')"))
				return err
			})).To(WithTransform(target.OutcomeOf, Not(Equal(target.Applied))))
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t WHERE id = 2")).To(HaveRows(Row(0)))
		}, patience)

		It("that refuses fails its client at once, and nobody else", func(ctx SpecContext) {
			Expect(w.cluster.Cut(ctx, network.Refuse, network.OneWay([]int{harness.Clients}, []int{0})...)).To(Succeed())
			_, err := w.node(0).Execute(ctx, "SELECT 1")
			Expect(codeOf(err)).To(Equal("UNREACHABLE"), "%v", err)
			Expect(w.node(0).Inside().Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1, 'by others')")
		}, patience)

		It("that breaks in the middle of an answer does not make a retry apply the write twice", Label("suite:retry"), func(ctx SpecContext) {
			w.run(ctx, "CREATE TABLE {ns}.hits (n INTEGER); INSERT INTO {ns}.hits VALUES (0)")
			broken := 0
			for range 10 {
				for _, node := range w.cluster.Nodes() {
					Expect(w.cluster.ResetLink(ctx, node.Index(), harness.Clients)).To(Succeed())
				}
				_, err := w.cluster.ExecuteOnRandom(ctx, "SELECT 1")
				if err != nil {
					broken++
				}
				Expect(w.patiently(ctx, "UPDATE {ns}.hits SET n = n + 1").Affected()).To(BeEquivalentTo(1), "a retry is answered otherwise")
			}
			Expect(broken).To(BeNumerically(">", 0), "no answer broke off")
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.run(ctx, "SELECT n FROM {ns}.hits")).To(HaveRows(Row(10)))
		}, patience)
	})
}

// slowness is how slow what is slow is made: as long as fifty writes never take.
const slowness = 5 * time.Second

// farAway takes a follower far away from all others: whoever leads is one of them.
func (w *world) farAway(ctx context.Context, _, follower int) error {
	var errs []error
	for _, way := range network.Around(follower, w.others(follower)) {
		errs = append(errs, w.cluster.SetLink(ctx, way.From, way.To, network.Rule{Latency: slowness}))
	}
	return errors.Join(errs...)
}

// timely gives an operation a moment, and returns what came of it. The moment is long
// enough for a request to be sent on a busy machine.
func (w *world) timely(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return f(ctx)
}
