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

// removed are specs about nodes that are no members any more, and run on.
func removed(env *environment) {
	Describe("A node that was removed", Label("suite:removed", "fault:isolate"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Dial, target.Members, target.Crash)
			if env.cluster.Size() != 3 {
				Skip("this is about three nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// forgotten proves that the others do without the node, and it without them: nothing
		// reaches it, and it disturbs no other node.
		forgotten := func(ctx context.Context, gone int, id int) {
			GinkgoHelper()
			leader := env.leader(ctx)
			term := statusOf(ctx, env.node(leader)).Term
			before := statusOf(ctx, env.node(gone))
			for i := range 3 {
				Expect(env.node(leader).ExecuteWithRetry(ctx, env.sql("INSERT INTO {ns}.t VALUES (?)"), id+i)).Error().NotTo(HaveOccurred())
			}
			env.consistently(ctx, env.node(gone)).WithTimeout(env.pace.withoutQuorum()).ShouldNot(BeOnline(), "it goes on as a member")
			after := statusOf(ctx, env.node(gone))
			Expect(after.LogEntries).To(BeNumerically("<=", before.LogEntries+1), "it is still sent entries") // one may have been on its way
			Expect(after.AppliedIndex).To(BeNumerically("<=", before.AppliedIndex+1))
			Expect(after.Role).NotTo(Equal("leader"))
			if env.cluster.Can(target.Time) {
				Expect(statusOf(ctx, env.node(leader))).To(And(HaveField("Role", "leader"), HaveField("Term", term)), "it has ended a leadership")
			}
			for _, node := range env.others(gone) {
				Expect(statusOf(ctx, env.node(node)).Peers).To(And(HaveLen(2), Not(ContainElement(HaveField("ID", env.node(gone).ID())))))
			}
			write := env.authorized(posting(env.sql("INSERT INTO {ns}.t VALUES (-1)")))
			writing, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
			defer cancel()
			said, err := env.tryToAsk(writing, gone, write)
			Expect(err != nil || said.status != http.StatusOK).To(BeTrue(), "a write that reached it was made")
		}

		It("while it was away is forgotten, is refused when it comes back with its old disk, and gives no vote", func(ctx SpecContext) {
			leader := env.leader(ctx)
			gone, other := env.others(leader)[0], env.others(leader)[1]
			env.leave(ctx, gone)
			env.changeMembers(ctx, leader, removing(env.node(gone).ID()))
			env.eventually(ctx, func(ctx context.Context) target.State { return statusOf(ctx, env.node(gone)).State }).ShouldNot(Equal(target.Online))
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1)")

			By("letting it reach the others again")
			Expect(env.cluster.BringNodeOnline(ctx, gone)).To(Succeed())
			forgotten(ctx, gone, 10)

			By("needing its vote, which counts no more")
			env.leave(ctx, leader)
			env.noQuorum(ctx, other, "INSERT INTO {ns}.t VALUES (-2)")
			Expect(statusOf(ctx, env.node(other)).Role).NotTo(Equal("leader"), "it was elected by a node that was removed")
			Expect(statusOf(ctx, env.node(gone)).LedTerms).To(BeEmpty())
			env.comeBack(ctx, leader)

			By("starting it again on its old disk")
			env.leave(ctx, gone, fault.Crash)
			Expect(env.cluster.BringNodeOnline(ctx, gone)).To(Succeed())
			env.eventually(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, env.node(gone)).AppliedIndex }).Should(BeNumerically(">", 0))
			forgotten(ctx, gone, 20)

			if env.cluster.Can(target.Disks) && env.cluster.Can(target.Time) {
				By("making it a voter again while its disk hangs, which comes to nothing")
				Expect(env.cluster.SetDisk(ctx, gone, fault.Disk{Slow: env.pace.forEver()})).To(Succeed())
				said := env.askMembers(ctx, env.leader(ctx), adding(env.node(gone).ID(), statusOf(ctx, env.node(gone)).Address, true))
				Expect(said.code).To(Equal("MEMBERS_NOT_NOW"), said.body)
				Expect(said.body).To(ContainSubstring("has not caught up"))
				for _, node := range env.others(gone) {
					env.eventually(ctx, func(ctx context.Context) []target.Peer { return statusOf(ctx, env.node(node)).Peers }).Should(HaveLen(2), "it was left among the members")
				}
			}

			By("taking it in again as a new one")
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

		It("while it led leads no more, and the others go on at once", func(ctx SpecContext) {
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
			Expect(env.node(old).Reading(target.Strong).Execute(ctx, "SELECT 1")).Error().To(HaveOccurred(), "it reads as if it led")
			env.eventually(ctx, env.node(old)).ShouldNot(BeOnline())
			forgotten(ctx, old, 10)
			env.leave(ctx, old, fault.Crash)
			env.comeBackAs(ctx, old, harness.Wiped)
			env.agreeOnMembers(ctx, 3)
		}, env.patience)
	})

	Describe("Nodes that were removed", Label("suite:removed", "fault:crash"), func() {
		It("are looked for no more: nothing that waits for them is left", func(ctx SpecContext) {
			env.requires(target.Members, target.Crash)
			if replications() == 0 {
				Skip("the nodes of this target do not run in this process")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			before := replications()
			term := statusOf(ctx, env.node(env.leader(ctx))).Term
			for i := range 3 {
				added, err := env.cluster.AddNode(ctx, harness.NonVoter)
				Expect(err).NotTo(HaveOccurred())
				env.leave(ctx, added.Index(), fault.Crash)
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", i) // which now waits for the node
				Expect(replications()).To(BeNumerically(">", before), "nothing waits for a member that is away")
				Expect(env.cluster.RemoveNode(ctx, added.Index())).To(Succeed())
			}
			env.eventually(ctx, replications).Should(BeNumerically("<=", before), "the leader still looks for nodes that were removed")
			if env.cluster.Can(target.Time) {
				Expect(statusOf(ctx, env.node(env.leader(ctx))).Term).To(Equal(term), "another term has ended what waited")
			}
		}, env.patience)
	})

	Describe("A change of the members", Label("suite:membership"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Dial, target.Members)
			if env.cluster.Size() != 3 {
				Skip("this is about three nodes")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		refused := func(ctx context.Context, node int, body, code, reason string) {
			GinkgoHelper()
			said := env.askMembers(ctx, node, body)
			Expect(said.code).To(Equal(code), "%s at %s: %s", body, env.node(node), said.body)
			Expect(said.body).To(ContainSubstring(reason))
			Expect(said.body).NotTo(ContainSubstring("outcome"), "it was refused, and may be made")
		}

		It("that cannot be is refused by every node, with its reason, and changes nothing", func(ctx SpecContext) {
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
				env.changeMembers(ctx, node, removing("nobody"))
				env.changeMembers(ctx, node, adding(id(others[1]), at(others[1]), true))
			}
			env.agreeOnMembers(ctx, 3)

			By("asking for one after which too few voters could be reached")
			env.leave(ctx, others[0])
			refused(ctx, leader, removing(id(others[1])), "MEMBERS_NOT_NOW", "2 are a quorum")
			refused(ctx, leader, adding(id(others[1]), at(others[1]), false), "MEMBERS_NOT_NOW", "2 are a quorum")
			env.agreeOnMembers(ctx, 3)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			env.comeBack(ctx, others[0])
		}, env.patience)

		It("leaves a voter: the last one can neither be removed nor lose its vote", func(ctx SpecContext) {
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

			By("going on with the one, and none of the others")
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

		It("is made after the one before, and one that cannot be committed is not taken for made", Label("fault:link"), func(ctx SpecContext) {
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

			By("cutting the leader off, with a change under way")
			leader = env.leader(ctx)
			for _, node := range env.others(leader) {
				env.leave(ctx, node)
			}
			gone := env.node(env.others(leader)[0]).ID()
			asking, cancel := context.WithTimeout(ctx, env.pace.withoutQuorum())
			said, err := env.tryToAsk(asking, leader, env.authorized(asked{method: http.MethodPost, path: membersPath, body: removing(gone)}))
			cancel()
			Expect(err != nil || said.status != http.StatusOK).To(BeTrue(), "fewer than a quorum have made a change")
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			env.agreeOnMembers(ctx, 3)
			env.run(ctx, "INSERT INTO {ns}.t VALUES (3)")
		}, env.patience)
	})
}

// replications is how many goroutines of this process replicate to a member.
func replications() int {
	const replicating = "raft.(*Raft).replicate("
	stacks := make([]byte, 8<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), replicating)
}
