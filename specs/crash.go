package specs

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func crash(env *environment) {
	Describe("A crash under load", Label("suite:crash", "fault:crash"), func() {
		const writers = 6

		BeforeEach(func(SpecContext) {
			env.needs(3)
			env.requires(target.Crash)
		})

		It("of the leader loses no acknowledged write", func(ctx SpecContext) {
			load := env.load(ctx, writers, env.cluster.ExecuteOnRandom)
			for range 3 {
				leader := env.leader(ctx)
				term := statusOf(ctx, env.node(leader)).Term
				load.goesOn(ctx)
				env.leave(ctx, leader, fault.Crash)
				load.goesOn(ctx)
				Expect(statusOf(ctx, env.node(env.leader(ctx))).Term).To(BeNumerically(">", term), "no other leader was elected")
				env.comeBack(ctx, leader)
			}
			load.verify(ctx, 3*2*2*writers)
		}, env.patience)

		It("of a majority stops writes until a quorum returns, and loses none", func(ctx SpecContext) {
			load := env.load(ctx, writers, env.cluster.ExecuteOnRandom)
			load.goesOn(ctx)
			lost := env.cluster.Quorum()
			for node := range lost {
				env.leave(ctx, node, fault.Crash)
			}
			last := env.cluster.Size() - 1
			env.eventually(ctx, env.node(last)).ShouldNot(BeOnline(), "it still knows of a leader")
			_, err := env.node(last).Execute(ctx, env.sql("INSERT INTO {ns}.entries VALUES ('of a minority', 0)"))
			Expect(err).To(env.beRefused())
			Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied))

			env.comeBack(ctx, 0)
			load.goesOn(ctx)
			for node := 1; node < lost; node++ {
				env.comeBack(ctx, node)
			}
			load.goesOn(ctx)
			load.verify(ctx, 3*2*writers)
		}, env.patience)

		It("of all nodes at once keeps every acknowledged write", func(ctx SpecContext) {
			load := env.load(ctx, writers, env.cluster.ExecuteOnRandom)
			for range 2 {
				load.goesOn(ctx)
				env.each(func(node int) { env.leave(ctx, node, fault.Crash) })
				Expect(env.cluster.OnlineNodes()).To(BeEmpty())
				env.each(func(node int) { Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				env.eventually(ctx, env.cluster).Should(HaveLeader())
			}
			load.goesOn(ctx)
			load.verify(ctx, 3*2*writers)
		}, env.patience)

		It("of all nodes applies no change again, even one without a request ID", func(ctx SpecContext) {
			const changes = 3
			nameless := env.hearing(ctx, &told{request: func(_ int, request target.Request) target.Request {
				request.ID = ""
				return request
			}})
			env.run(ctx, "CREATE TABLE {ns}.t (times INTEGER)")
			env.run(ctx, "INSERT INTO {ns}.t VALUES (0)")
			var acknowledged, unknown int64
			for range 2 {
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				env.eventually(ctx, env.cluster).Should(HaveLeader())
				for done := 0; done < changes; {
					_, err := nameless.ExecuteOnRandom(ctx, env.sql("UPDATE {ns}.t SET times = times + 1"))
					switch {
					case err == nil:
						acknowledged++
						done++
					case target.OutcomeOf(err) != target.NotApplied:
						unknown++
					}
					Expect(ctx.Err()).NotTo(HaveOccurred(), "last: %v", err)
				}
				env.each(func(node int) { env.leave(ctx, node, fault.Crash) })
				env.each(func(node int) { Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				times, err := env.runOn(ctx, node.Reading(target.Local), "SELECT times FROM {ns}.t").Value()
				Expect(err).NotTo(HaveOccurred())
				Expect(times).To(And(BeNumerically(">=", acknowledged), BeNumerically("<=", acknowledged+unknown)),
					"%s: acknowledged changes were lost or applied twice", node)
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)

		It("of every node that has a write, right after its acknowledgement, keeps it", func(ctx SpecContext) {
			const rows = 5
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			absent := env.others(env.leader(ctx))[:env.cluster.Size()-env.cluster.Quorum()]
			for _, node := range absent {
				env.leave(ctx, node)
			}
			for i := range rows {
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", i)
			}
			var holders []int
			for _, node := range env.cluster.OnlineNodes() {
				holders = append(holders, node.Index())
			}
			for _, node := range holders {
				env.leave(ctx, node, fault.Crash)
			}
			env.comeBack(ctx, holders...)
			Expect(env.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(rows)), "an acknowledged write is lost")
			env.comeBack(ctx, absent...)
			env.eventually(ctx, env.cluster).Should(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)
	})
}

// each calls f for all nodes at once.
func (env *environment) each(f func(node int)) {
	var wg sync.WaitGroup
	for _, node := range env.cluster.Nodes() {
		wg.Go(func() {
			defer GinkgoRecover()
			f(node.Index())
		})
	}
	wg.Wait()
}
