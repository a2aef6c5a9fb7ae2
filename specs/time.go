package specs

import (
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// electionTimeout is the election timeout for specs that take hours of virtual time: with few
// heartbeats they take less real time.
const electionTimeout = time.Minute

// timely are specs that take hours of virtual time.
func timely(env *environment) {
	Describe("Over a long time", Label("suite:time"), func() {
		BeforeEach(func(ctx SpecContext) { env.needsClock(ctx) })

		When("a node is away for a day, with a write every minute", Label("fault:isolate", "speed:slow"), func() {
			It("it catches up to exactly what the others hold", func(ctx SpecContext) {
				env.needs(3)
				env.run(ctx, "CREATE TABLE {ns}.minutes (id INTEGER PRIMARY KEY, minute INTEGER)")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				const victim = 1
				begun := time.Now()
				env.leave(ctx, victim)
				for minute := range 24 * 60 {
					env.run(ctx, "INSERT INTO {ns}.minutes (minute) VALUES (?)", minute)
					env.advance(ctx, time.Minute)
				}
				Expect(env.node(victim)).NotTo(HaveCaughtUp())
				Expect(statusOf(ctx, env.node(victim)).LastContact).To(BeNumerically(">", 23*time.Hour), "it was not away")

				env.comeBack(ctx, victim)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(time.Since(begun)).To(BeNumerically("~", 24*time.Hour, 10*time.Minute))
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.minutes ORDER BY id")))
				Expect(env.node(victim).Reading(target.Local).Execute(ctx, env.sql("SELECT count(*), sum(minute) FROM {ns}.minutes"))).To(
					HaveRows(Row(24*60, 24*60*(24*60-1)/2)))
			}, env.patience, longest)
		})

		When("there is no fault", func() {
			It("the leader stays for an hour", func(ctx SpecContext) {
				env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
				leader := env.leader(ctx)
				term := statusOf(ctx, env.node(leader)).Term
				for range 60 {
					env.advance(ctx, time.Minute)
					for _, node := range env.cluster.Nodes() {
						status := statusOf(ctx, node)
						Expect(status.Term).To(Equal(term), "%s has seen another election", node)
						Expect(status.Leader).To(Equal(env.node(leader).ID()), "%s follows another node", node)
						Expect(status.LastContact).To(BeNumerically("<", env.pace.Election), "%s has not heard from its leader", node)
					}
				}
			}, env.patience)
		})

		When("the leader is isolated", Label("fault:isolate"), func() {
			It("it steps down within its lease", func(ctx SpecContext) {
				env.assumes(target.StepsDown)
				env.needs(3)
				env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
				old := env.leader(ctx)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				env.leave(ctx, old)
				Expect(statusOf(ctx, env.node(old)).Role).To(Equal("leader"))
				env.advance(ctx, env.pace.elections(2))
				Expect(statusOf(ctx, env.node(old)).Role).NotTo(Equal("leader"))
				_, err := env.node(old).Inside().Reading(target.Leader).Execute(ctx, env.sql("SELECT * FROM {ns}.t"))
				Expect(err).To(MatchError(target.ErrNoLeader), "it served a read as if it led")
				env.run(ctx, "INSERT INTO {ns}.t VALUES (1)")
				env.comeBack(ctx, old)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			}, env.patience)
		})
	})
}

// needsClock skips the spec where time is real.
func (env *environment) needsClock(ctx SpecContext) {
	GinkgoHelper()
	env.advance(ctx, 0)
}

// advance lets time pass, or skips the spec where time is real.
func (env *environment) advance(ctx SpecContext, d time.Duration) {
	GinkgoHelper()
	err := env.cluster.Advance(ctx, d)
	if unsupported := (*harness.UnsupportedError)(nil); errors.As(err, &unsupported) {
		Skip(fmt.Sprintf("this lets hours pass, and %v", unsupported))
	}
	Expect(err).NotTo(HaveOccurred())
}
