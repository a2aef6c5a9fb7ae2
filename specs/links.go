package specs

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

func links(env *environment) {
	Describe("A faulty link", Label("suite:links", "fault:link"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Links)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// another waits until another node leads in a later term, and commits a write.
		another := func(ctx SpecContext, old int, term uint64) {
			GinkgoHelper()
			env.eventually(ctx, env.cluster.Leader).ShouldNot(Equal(old), "no other leader was elected")
			env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('under another leader')")
			Expect(statusOf(ctx, env.node(env.leader(ctx))).Term).To(BeNumerically(">", term))
		}

		DescribeTable("at the leader, cut in one direction, leads to a failover without a lost write",
			func(ctx SpecContext, link func(leader []int, others []int) []fault.Link) {
				env.assumes(target.StepsDown)
				leader := env.leader(ctx)
				term := statusOf(ctx, env.node(leader)).Term
				Expect(env.cluster.Cut(ctx, fault.Drop, link([]int{leader}, env.others(leader))...)).To(Succeed())
				another(ctx, leader, term)
				env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, env.node(leader)).Role }).ShouldNot(
					Equal("leader"), "it still leads, although it reaches no other node or hears none")
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			},
			Entry("from the leader", env.patience, fault.OneWay),
			Entry("to the leader", env.patience, func(leader, others []int) []fault.Link { return fault.OneWay(others, leader) }),
		)

		It("between the leader and its peers makes it reject client writes", func(ctx SpecContext) {
			term := statusOf(ctx, env.node(env.leader(ctx))).Term
			leader, err := env.cluster.IsolateLeader(ctx)
			Expect(err).NotTo(HaveOccurred())
			_, err = env.node(leader).Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (99, 'without a quorum')"))
			Expect(err).To(env.beRefused())
			another(ctx, leader, term)
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t WHERE id = 99")).To(HaveRows(Row(0)))
		}, env.patience)

		It("between two halves that share one node ends no leadership and blocks no write", func(ctx SpecContext) {
			env.assumes(target.PreVote)
			leader := env.leader(ctx)
			term := statusOf(ctx, env.node(leader)).Term
			others := env.others(leader)
			bridge, right := others[0], others[len(others)-1:]
			left := append([]int{leader}, others[1:len(others)-1]...)
			Expect(env.cluster.Bridge(ctx, left, right, bridge)).To(Succeed())

			const writes = 8 // some of them wait on the cut-off half until a retry
			for i := range writes {
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES (?)", strconv.Itoa(i))
			}
			// On a real clock a busy machine may end the leadership. Then either half may be cut
			// off, or none, if the bridge itself leads.
			env.eventually(ctx, func(ctx context.Context) bool {
				return statusOf(ctx, env.node(left[0])).State == target.Connecting || statusOf(ctx, env.node(right[0])).State == target.Connecting ||
					!env.cluster.Can(target.Time) && statusOf(ctx, env.node(bridge)).Role == "leader"
			}).Should(BeTrue(), "both halves know the leader")
			if env.cluster.Can(target.Time) {
				Expect(env.node(right[0])).To(And(BeConnecting(), Not(HaveCaughtUp())))
				Expect(env.leader(ctx)).To(Equal(leader), "a node without a leader has deposed the leader")
				Expect(statusOf(ctx, env.node(leader)).Term).To(Equal(term))
			}
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(writes)))
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
		}, env.patience)

		It("that flaps loses no acknowledged write", func(ctx SpecContext) {
			leader := env.leader(ctx)
			load := env.load(ctx, 4, env.cluster.ExecuteOnRandom)
			follower := env.node(env.others(leader)[0])
			// Also the link to the other follower, which may be elected meanwhile.
			links := fault.Around(follower.Index(), env.others(follower.Index()))
			stop, err := env.cluster.Flapping(ctx, env.pace.Failover, links...)
			Expect(err).NotTo(HaveOccurred())
			for range 3 {
				env.eventually(ctx, follower).Should(BeConnecting(), "the link is never cut for long")
				env.eventually(ctx, follower).Should(Or(BeSyncing(), BeOnline()), "the link is never restored for long")
				load.goesOn(ctx)
			}
			Expect(stop()).To(Succeed())
			load.verify(ctx, 50)
		}, env.patience)

		DescribeTable("to one follower does not slow down writes",
			func(ctx SpecContext, slow func(ctx context.Context, leader, follower int) error, need target.Ability) {
				env.requires(need)
				env.assumes(target.WaitsForMajority)
				leader := env.leader(ctx)
				follower := env.others(leader)[0]
				Expect(slow(ctx, leader, follower)).To(Succeed())
				before := statusOf(ctx, env.node(follower)).AppliedIndex
				begun := time.Now()
				for i := range 50 {
					env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.t (v) VALUES (?)", strconv.Itoa(i))
				}
				// The slow follower cannot have confirmed any of them.
				Expect(time.Since(begun)).To(BeNumerically("<", env.pace.slowness()), "the leader waits for its slowest follower")
				if now, answered := statusUnlessHung(ctx, env.node(follower)); answered {
					Expect(now.AppliedIndex).To(BeNumerically("<", before+25), "the follower is not slow")
				}
				Expect(env.cluster.Heal(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			},
			Entry("with a high latency", env.patience, env.farAway, target.Links),
			Entry("and a slow disk", Label("fault:disk"), env.patience, env.slowDisk, target.Disks),
		)

		It("that loses messages delays writes and breaks none", func(ctx SpecContext) {
			leader := env.leader(ctx)
			for _, node := range env.others(leader) {
				Expect(env.cluster.SetLink(ctx, leader, node, fault.Rule{Loss: 0.3})).To(Succeed())
			}
			begun, lost := time.Now(), uint64(0)
			for i := range 40 {
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES (?)", strconv.Itoa(i))
			}
			took := time.Since(begun)
			for _, node := range env.others(leader) {
				stats, err := env.cluster.LinkStats(ctx, leader, node)
				Expect(err).NotTo(HaveOccurred())
				lost += stats.Lost
			}
			Expect(lost).To(BeNumerically(">", 0), "nothing was lost")
			// A single write may benefit from an earlier retransmission. All together cannot.
			Expect(took).To(BeNumerically(">=", network.Retransmit), "no write waited for a retransmission")
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(40)))
		}, env.patience)

		It("with little bandwidth takes as long as its bytes", func(ctx SpecContext) {
			leader := env.leader(ctx)
			Expect(env.cluster.SetLink(ctx, fault.Clients, leader, fault.Rule{Bandwidth: 256 << 10})).To(Succeed())
			begun := time.Now()
			env.runOn(ctx, env.node(leader), "INSERT INTO {ns}.t VALUES (1, ?)", strings.Repeat("x", 128<<10))
			Expect(time.Since(begun)).To(BeNumerically(">=", 400*time.Millisecond), "128 KiB at 256 KiB a second")
			Expect(env.run(ctx, "SELECT length(v) FROM {ns}.t")).To(HaveRows(Row(128 << 10)))
		}, env.patience)

		It("that resets connections between nodes breaks nothing", func(ctx SpecContext) {
			const enough, most = 5, 1000
			written := 0
			for fewest := uint64(0); written < 20 || fewest < enough; written++ {
				leader := env.leader(ctx) // resets may cost it its leadership
				links := fault.Around(leader, env.others(leader))
				Expect(written).To(BeNumerically("<", most), "only %d messages were cut in half on one of the links %v", fewest, links)
				for _, link := range links {
					Expect(env.cluster.ResetLink(ctx, link.From, link.To)).To(Succeed())
				}
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES (?)", strconv.Itoa(written))
				fewest = math.MaxUint64
				for _, link := range links {
					stats, err := env.cluster.LinkStats(ctx, link.From, link.To)
					Expect(err).NotTo(HaveOccurred())
					fewest = min(fewest, stats.Resets)
				}
			}
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(written)))
		}, env.patience)
	})

	Describe("A client's link", Label("suite:links", "fault:link"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.requires(target.Links)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("that loses an answer makes the outcome unknown, although the write is applied", func(ctx SpecContext) {
			// With an open connection it is the answer that is lost.
			Expect(env.node(0).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			Expect(env.cluster.Cut(ctx, fault.Drop, fault.Link{From: 0, To: fault.Clients})).To(Succeed())
			err := env.timely(ctx, func(ctx context.Context) error {
				_, err := env.node(0).Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (1, 'unanswered')"))
				return err
			})
			if err != nil && target.OutcomeOf(err) == target.NotApplied {
				Expect(env.cluster.Heal(ctx)).To(Succeed())
				Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(0)), "it said that the write was not applied")
				Skip("the target's clients wait for an answer before they send a write: they begin a transaction")
			}
			Expect(err).To(WithTransform(target.OutcomeOf, Equal(target.Unknown)))
			env.eventually(ctx, func(ctx context.Context) (harness.Result, error) {
				return env.node(0).Inside().Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
			}).Should(HaveRows(Row("unanswered")))
		}, env.patience)

		It("that loses a request applies nothing", func(ctx SpecContext) {
			// With an open connection it is the request that is lost.
			env.runOn(ctx, env.node(0), "INSERT INTO {ns}.t VALUES (1, 'answered')")
			Expect(env.cluster.Cut(ctx, fault.Drop, fault.Link{From: fault.Clients, To: 0})).To(Succeed())
			err := env.timely(ctx, func(ctx context.Context) error {
				_, err := env.node(0).Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (2, 'lost')"))
				return err
			})
			Expect(err).To(WithTransform(target.OutcomeOf, Not(Equal(target.Applied))))
			const lost = "SELECT count(*) FROM {ns}.t WHERE id = 2"
			Expect(env.node(0).Inside().Execute(ctx, env.sql(lost))).To(HaveRows(Row(0)))
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			if target.OutcomeOf(err) == target.Unknown && env.cluster.Can(target.Packets) {
				// TCP still delivers what the client has sent before it gave up.
				Expect(env.run(ctx, lost)).To(Or(HaveRows(Row(0)), HaveRows(Row(1))))
				return
			}
			Expect(env.run(ctx, lost)).To(HaveRows(Row(0)))
		}, env.patience)

		It("that refuses fails its own client at once, and no other", func(ctx SpecContext) {
			Expect(env.cluster.Cut(ctx, fault.Refuse, fault.OneWay([]int{fault.Clients}, []int{0})...)).To(Succeed())
			_, err := env.node(0).Execute(ctx, "SELECT 1")
			Expect(err).To(MatchError(target.ErrUnreachable))
			Expect(env.node(0).Inside().Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1, 'by another client')")
		}, env.patience)

		It("that breaks an answer does not make a retry apply the write twice", Label("suite:retry"), func(ctx SpecContext) {
			env.requires(target.Dedup)
			env.run(ctx, "CREATE TABLE {ns}.hits (n INTEGER); INSERT INTO {ns}.hits VALUES (0)")
			resets := func() (sum uint64) {
				GinkgoHelper()
				for _, node := range env.cluster.Nodes() {
					stats, err := env.cluster.LinkStats(ctx, node.Index(), fault.Clients)
					Expect(err).NotTo(HaveOccurred())
					sum += stats.Resets
				}
				return sum
			}
			before := resets()
			for range 10 {
				for _, node := range env.cluster.Nodes() {
					Expect(env.cluster.ResetLink(ctx, node.Index(), fault.Clients)).To(Succeed())
				}
				// It may fail, or its client may ask again on a new connection.
				_, _ = env.cluster.ExecuteOnRandom(ctx, "SELECT 1")
				Expect(env.patiently(ctx, "UPDATE {ns}.hits SET n = n + 1").Affected()).To(BeEquivalentTo(1), "a retry has another answer")
			}
			Expect(resets()).To(BeNumerically(">", before), "no answer was cut")
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.run(ctx, "SELECT n FROM {ns}.hits")).To(HaveRows(Row(10)))
		}, env.patience)
	})
}

// farAway delays all links of a follower: any other node may lead.
func (env *environment) farAway(ctx context.Context, _, follower int) error {
	var errs []error
	for _, link := range fault.Around(follower, env.others(follower)) {
		errs = append(errs, env.cluster.SetLink(ctx, link.From, link.To, fault.Rule{Latency: env.pace.slowness()}))
	}
	return errors.Join(errs...)
}

// timely runs an operation with a deadline of a second: long enough to send a request on a
// busy machine.
func (env *environment) timely(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return f(ctx)
}
