package specs

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// removed are specs about nodes that run although they are not members.
func removed(env *environment) {
	Describe("A removed node", Label("suite:removed", "fault:isolate", "needs:members", "needs:http"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Dial, target.Members, target.Crash)
			env.assumes(target.HTTPAPI)
			if env.cluster.Size() != 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// forgotten proves that the members replicate nothing to the node and that it does not
		// disturb them.
		forgotten := func(ctx context.Context, gone int, id int) {
			GinkgoHelper()
			leader := env.leader(ctx)
			term := statusOf(ctx, env.node(leader)).Term
			before := statusOf(ctx, env.node(gone))
			most, applied := before.LogEntries+1, before.AppliedIndex+1 // one entry may have been under way
			if env.cluster.Can(target.Packets) {                        // TCP may deliver late all that the node was sent as a member
				has := statusOf(ctx, env.node(leader))
				most, applied = max(most, has.LogEntries), max(applied, has.AppliedIndex)
			}
			for i := range 3 {
				Expect(env.node(leader).ExecuteWithRetry(ctx, env.sql("INSERT INTO {ns}.t VALUES (?)"), id+i)).Error().NotTo(HaveOccurred())
			}
			env.consistently(ctx, env.node(gone)).WithTimeout(env.pace.withoutQuorum()).ShouldNot(BeOnline(), "it is online like a member")
			after := statusOf(ctx, env.node(gone))
			Expect(after.LogEntries).To(BeNumerically("<=", most), "it still receives entries")
			Expect(after.AppliedIndex).To(BeNumerically("<=", applied))
			Expect(after.Role).NotTo(Equal("leader"))
			if env.cluster.Can(target.Time) {
				Expect(statusOf(ctx, env.node(leader))).To(And(HaveField("Role", "leader"), HaveField("Term", term)), "it has deposed the leader")
			}
			for _, node := range env.others(gone) {
				Expect(statusOf(ctx, env.node(node)).Peers).To(And(HaveLen(2), Not(ContainElement(HaveField("ID", env.node(gone).ID())))))
			}
			write := env.authorized(posting(env.sql("INSERT INTO {ns}.t VALUES (-1)")))
			writing, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
			defer cancel()
			said, err := env.tryToAsk(writing, gone, write)
			Expect(err != nil || said.status != http.StatusOK).To(BeTrue(), "it executed a write")
		}

		It("that was isolated meanwhile is ignored, even with its old disk, and has no vote", func(ctx SpecContext) {
			leader := env.leader(ctx)
			gone, other := env.others(leader)[0], env.others(leader)[1]
			env.leave(ctx, gone)
			env.changeMembers(ctx, leader, removing(env.node(gone).ID()))
			env.eventually(ctx, func(ctx context.Context) target.State {
				return statusOf(ctx, env.node(gone)).State
			}).ShouldNot(Equal(target.Online))
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1)")

			By("reconnecting it")
			Expect(env.cluster.BringNodeOnline(ctx, gone)).To(Succeed())
			forgotten(ctx, gone, 10)

			By("isolating the leader, so that its vote would be needed")
			env.leave(ctx, leader)
			env.noQuorum(ctx, other, "INSERT INTO {ns}.t VALUES (-2)")
			Expect(statusOf(ctx, env.node(other)).Role).NotTo(Equal("leader"), "it was elected by a removed node")
			Expect(statusOf(ctx, env.node(gone)).LedTerms).To(BeEmpty())
			env.comeBack(ctx, leader)

			By("restarting it with its old disk")
			env.leave(ctx, gone, fault.Crash)
			Expect(env.cluster.BringNodeOnline(ctx, gone)).To(Succeed())
			env.eventually(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, env.node(gone)).AppliedIndex }).Should(BeNumerically(">", 0))
			forgotten(ctx, gone, 20)

			if env.cluster.Can(target.Disks) && env.cluster.Can(target.Time) {
				By("failing to add it while its disk hangs")
				Expect(env.cluster.SetDisk(ctx, gone, fault.Disk{Slow: env.pace.forEver()})).To(Succeed())
				said := env.askMembers(ctx, env.leader(ctx), adding(env.node(gone).ID(), statusOf(ctx, env.node(gone)).Address, true))
				Expect(said.code).To(Equal("MEMBERS_NOT_NOW"), said.body)
				Expect(said.body).To(ContainSubstring("has not caught up"))
				for _, node := range env.others(gone) {
					env.eventually(ctx, func(ctx context.Context) []target.Peer { return statusOf(ctx, env.node(node)).Peers }).Should(
						HaveLen(2), "it is still a member")
				}
			}

			By("adding it again with an empty disk")
			env.leave(ctx, gone, fault.Crash)
			if env.cluster.Can(target.Disks) {
				Expect(env.cluster.SetDisk(ctx, gone, fault.Disk{})).To(Succeed())
			}
			env.comeBackAs(ctx, gone, harness.Wiped)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.agreeOnMembers(ctx, 3)
			Expect(env.node(gone).Reading(target.Local).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.t"))).To(HaveRows(Row(7)))
			env.leave(ctx, other)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (30)")
		}, env.patience)

		It("that was the leader steps down, and the others elect another", func(ctx SpecContext) {
			old := env.leader(ctx)
			env.changeMembers(ctx, old, removing(env.node(old).ID()))
			others := env.others(old)
			env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, env.node(others[0])).Leader }).
				Should(BeElementOf(env.node(others[0]).ID(), env.node(others[1]).ID()))
			env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, env.node(old)).Role }).ShouldNot(Equal("leader"))
			begun := time.Now()
			Expect(env.node(others[1]).ExecuteWithRetry(ctx, env.sql("INSERT INTO {ns}.t VALUES (1)"))).Error().NotTo(HaveOccurred())
			if env.cluster.Can(target.Time) {
				Expect(time.Since(begun)).To(BeNumerically("<", env.pace.elections(20)))
			}
			Expect(env.node(old).Reading(target.Strong).Execute(ctx, "SELECT 1")).Error().To(HaveOccurred(), "it serves strong reads")
			env.eventually(ctx, env.node(old)).ShouldNot(BeOnline())
			forgotten(ctx, old, 10)
			env.leave(ctx, old, fault.Crash)
			env.comeBackAs(ctx, old, harness.Wiped)
			env.agreeOnMembers(ctx, 3)
		}, env.patience)
	})

	Describe("Removed nodes", Label("suite:removed", "fault:crash", "needs:members"), func() {
		It("are not contacted: no replication to them is left", func(ctx SpecContext) {
			env.requires(target.Members, target.Crash)
			env.assumes(target.Learners)
			if replications() == 0 {
				Skip("the nodes of the target do not run in this process")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			before := replications()
			term := statusOf(ctx, env.node(env.leader(ctx))).Term
			for i := range 3 {
				added, err := env.cluster.AddNode(ctx, harness.NonVoter)
				Expect(err).NotTo(HaveOccurred())
				env.leave(ctx, added.Index(), fault.Crash)
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", i) // replication now waits for the node
				env.eventually(ctx, replications).Should(BeNumerically(">", before), "nothing replicates to the absent member")
				Expect(env.cluster.RemoveNode(ctx, added.Index())).To(Succeed())
			}
			env.eventually(ctx, replications).Should(BeNumerically("<=", before), "the leader still replicates to removed nodes")
			if env.cluster.Can(target.Time) {
				Expect(statusOf(ctx, env.node(env.leader(ctx))).Term).To(Equal(term), "another election has ended the replication")
			}
		}, env.patience)
	})

	Describe("A change of the members", Label("suite:membership", "needs:members", "needs:http"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Dial, target.Members)
			env.assumes(target.HTTPAPI)
			if env.cluster.Size() != 3 {
				Skip("the spec needs a cluster of exactly 3 nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// refused expects the same answer from every leader. Only a change of the leader meanwhile may leave the outcome open.
		refused := func(ctx context.Context, node int, body, code, reason string) {
			GinkgoHelper()
			term := statusOf(ctx, env.node(node)).Term
			said := env.askMembers(ctx, node, body)
			for now := statusOf(ctx, env.node(node)).Term; now != term; now = statusOf(ctx, env.node(node)).Term {
				term, said = now, env.askMembers(ctx, node, body)
			}
			Expect(said.code).To(Equal(code), "%s at %s: %s", body, env.node(node), said.body)
			Expect(said.body).To(ContainSubstring(reason))
			Expect(said.body).NotTo(ContainSubstring("outcome"), "it was refused with an unknown outcome")
		}

		It("that is not possible is refused by every node with a reason and without effect", func(ctx SpecContext) {
			leader := env.leader(ctx)
			at := func(node int) string { return statusOf(ctx, env.node(node)).Address }
			id := func(node int) string { return env.node(node).ID() }
			others := env.others(leader)
			for _, node := range []int{leader, others[0]} {
				refused(ctx, node, adding("new", at(others[0]), true), "MEMBERS_REFUSED", "is that of member "+id(others[0]))
				refused(ctx, node, adding("new", at(leader), false), "MEMBERS_REFUSED", "is that of member "+id(leader))
				refused(ctx, node, adding(id(others[0]), at(others[1]), true), "MEMBERS_REFUSED", "is that of member "+id(others[1]))
				refused(ctx, node, adding(id(others[0]), at(leader), false), "MEMBERS_REFUSED", "is that of member "+id(leader))
				refused(ctx, node, adding(id(leader), "127.0.0.1:9", true), "MEMBERS_REFUSED", "only another leader can move it")
				refused(ctx, node, adding(id(others[0]), "127.0.0.1:9", false), "MEMBERS_REFUSED", "these are two changes")
				refused(ctx, node, adding(id(others[0]), "127.0.0.1:9", true), "MEMBERS_NOT_NOW", "cannot reach node "+id(others[0]))
				refused(ctx, node, adding("new", "127.0.0.1:9", true), "MEMBERS_NOT_NOW", "cannot reach node new")
				refused(ctx, node, adding("", at(leader), true), "BAD_REQUEST", "needs an id")
				refused(ctx, node, adding("new", "nowhere", true), "BAD_REQUEST", "is not host:port")
				refused(ctx, node, adding("new", "host:0", true), "BAD_REQUEST", "is not host:port")
				refused(ctx, node, `{"add":{"id":"new","address":"h:1"},"remove":"n0"}`, "BAD_REQUEST", "the body must be")
				refused(ctx, node, `{}`, "BAD_REQUEST", "the body must be")
				refused(ctx, node, `{"remove":"n0","more":1}`, "BAD_REQUEST", "more")
				env.changeMembers(ctx, node, removing("unknown"))
				env.changeMembers(ctx, node, adding(id(others[1]), at(others[1]), true))
			}
			env.agreeOnMembers(ctx, 3)

			By("refusing changes after which too few voters are reachable")
			env.leave(ctx, others[0])
			refused(ctx, leader, removing(id(others[1])), "MEMBERS_NOT_NOW", "2 are a quorum")
			refused(ctx, leader, adding(id(others[1]), at(others[1]), false), "MEMBERS_NOT_NOW", "2 are a quorum")
			env.agreeOnMembers(ctx, 3)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			env.comeBack(ctx, others[0])
		}, env.patience)

		It("never removes or demotes the last voter", func(ctx SpecContext) {
			env.requires(target.Crash)
			leader := env.leader(ctx)
			others := env.others(leader)
			at := func(node int) string { return statusOf(ctx, env.node(node)).Address }
			id := func(node int) string { return env.node(node).ID() }
			env.changeMembers(ctx, leader, adding(id(others[0]), at(others[0]), false))
			env.changeMembers(ctx, leader, adding(id(others[1]), at(others[1]), false))
			Expect(votersAmong(statusOf(ctx, env.node(leader)).Peers)).To(Equal(1))
			for _, node := range []int{leader, others[0]} {
				refused(ctx, node, removing(id(leader)), "MEMBERS_REFUSED", "no voter would be left")
				refused(ctx, node, adding(id(leader), at(leader), false), "MEMBERS_REFUSED", "no voter would be left")
			}

			By("writing with the last voter alone")
			for _, other := range others {
				env.leave(ctx, other)
			}
			Expect(env.node(leader).Reading(target.Strong).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			for _, other := range others {
				env.comeBack(ctx, other)
				env.changeMembers(ctx, leader, adding(id(other), at(other), true))
			}
			env.agreeOnMembers(ctx, 3)
			env.leave(ctx, leader)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
		}, env.patience)

		It("is serialized with others, and is not acknowledged without a quorum", Label("fault:link"), func(ctx SpecContext) {
			env.requires(target.Links)
			leader := env.leader(ctx)
			other := env.others(leader)[0]
			address := statusOf(ctx, env.node(other)).Address
			answers := make(chan answered, 6)
			for i := range cap(answers) {
				body := adding(env.node(other).ID(), address, i%2 == 1)
				via := env.others(other)[i%2]
				go func() {
					defer GinkgoRecover()
					answers <- env.askMembers(ctx, via, body)
				}()
			}
			for range cap(answers) {
				var said answered
				env.eventually(ctx, answers).Should(Receive(&said))
				Expect(said.status).To(Equal(http.StatusOK), said.body)
			}
			env.changeMembers(ctx, leader, adding(env.node(other).ID(), address, true))
			env.agreeOnMembers(ctx, 3)

			By("isolating the leader with a change under way")
			leader = env.leader(ctx)
			for _, node := range env.others(leader) {
				env.leave(ctx, node)
			}
			gone := env.node(env.others(leader)[0]).ID()
			asking, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
			said, err := env.tryToAsk(asking, leader, env.authorized(asked{method: http.MethodPost, path: membersPath, body: removing(gone)}))
			cancel()
			Expect(err != nil || said.status != http.StatusOK).To(BeTrue(), "the members were changed without a quorum")
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			env.agreeOnMembers(ctx, 3)
			env.run(ctx, "INSERT INTO {ns}.t VALUES (3)")
		}, env.patience)
	})
}

// replications is the number of goroutines in this process that replicate to a member.
func replications() int {
	const replicating = "raft.(*Raft).replicate("
	stacks := make([]byte, 8<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), replicating)
}
