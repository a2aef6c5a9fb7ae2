package specs

import (
	"context"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func members(env *environment) {
	Describe("The members of a cluster", Label("suite:members", "needs:members"), func() {
		BeforeEach(func(SpecContext) {
			env.needs(3)
			env.requires(target.Members)
		})

		It("grow by two and shrink again under load without a lost write", func(ctx SpecContext) {
			size := env.cluster.Size()
			load := env.load(ctx, 4, env.cluster.ExecuteWithRetry)
			load.goesOn(ctx)

			By("growing")
			for i := range 2 {
				added, err := env.cluster.AddNode(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(added.Index()).To(Equal(size + i))
				Expect(env.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				Expect(statusOf(ctx, added).Voter).To(BeTrue())
				load.goesOn(ctx)
			}
			Expect(env.cluster.Size()).To(Equal(size + 2))
			Expect(env.cluster.Quorum()).To(Equal((size+2)/2 + 1))

			By("shrinking, the leader first")
			for range 2 {
				gone := env.leader(ctx)
				Expect(env.cluster.RemoveNode(ctx, gone)).To(Succeed())
				load.goesOn(ctx)
				Expect(env.leader(ctx)).NotTo(Equal(gone))
				_, err := env.cluster.IsNodeOnline(gone)
				Expect(err).To(HaveOccurred(), "a removed node is still a member")
			}
			Expect(env.cluster.Size()).To(Equal(size))
			Expect(env.cluster.Quorum()).To(Equal(size/2 + 1))
			_, refused := load.verify(ctx, 6*2*4)
			Expect(refused).To(BeZero())
		}, env.patience)

		It("include a replacement of a dead node, which counts for the quorum", Label("fault:crash"), func(ctx SpecContext) {
			env.requires(target.Crash)
			env.openShop(ctx)
			dead := env.leader(ctx)
			env.leave(ctx, dead, fault.Crash)
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			fresh, err := env.cluster.ReplaceNode(ctx, dead)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.eventually(ctx, fresh).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(env.cluster.Nodes()).NotTo(ContainElement(HaveField("Index()", dead)))

			By("losing another voter")
			victim := env.leader(ctx)
			if victim == fresh.Index() {
				victim = env.others(victim)[0]
			}
			env.leave(ctx, victim, fault.Crash)
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (6, 'Barbara')")
			env.eventually(ctx, fresh).Should(HaveCaughtUp())
			Expect(fresh.Reading(target.Local).Execute(ctx, env.sql("SELECT id FROM {ns}.customers WHERE id > 4 ORDER BY id"))).To(
				HaveRows(Row(5), Row(6)))
		}, env.patience)

		It("may include non-voters, which hold everything and count for no quorum", func(ctx SpecContext) {
			env.assumes(target.Learners)
			env.requires(target.Links)
			env.openShop(ctx)
			quorum := env.cluster.Quorum()
			voters := env.cluster.Nodes()
			listener, err := env.cluster.AddNode(ctx, harness.NonVoter)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(env.cluster.Quorum()).To(Equal(quorum))
			Expect(statusOf(ctx, listener).Voter).To(BeFalse())
			Expect(listener.Reading(target.Local).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.customers"))).To(HaveRows(Row(4)))

			By("isolating voters until there is no quorum, even with the non-voter")
			for _, node := range voters[:len(voters)-quorum+1] {
				env.leave(ctx, node.Index())
			}
			env.eventually(ctx, func(ctx context.Context) error {
				_, err := env.node(voters[len(voters)-1].Index()).Execute(ctx,
					env.sql("INSERT INTO {ns}.customers (id, name) VALUES (9, 'not written')"))
				return err
			}).Should(beWithoutQuorum())
			Expect(statusOf(ctx, listener).Role).NotTo(BeElementOf("candidate", "leader"))
		}, env.patience)

		It("grow while another member is away and links lose messages", func(ctx SpecContext) {
			env.requires(target.Links)
			env.openShop(ctx)
			leader := env.leader(ctx)
			others := env.others(leader)
			env.leave(ctx, others[0])
			Expect(env.cluster.SetLink(ctx, leader, others[1], fault.Rule{Loss: 0.2})).To(Succeed())
			added, err := env.cluster.AddNode(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.customers")))
		}, env.patience)

		It("elect a new member that some voters do not know yet, if only it can win", Label("fault:isolate", "fault:disk", "fault:crash"),
			func(ctx SpecContext) {
				env.requires(target.Crash, target.Disks, target.Links)
				env.run(ctx, "CREATE TABLE {ns}.t (v TEXT)")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				others := env.others(env.leader(ctx))
				absent := others[:len(others)/2]
				for _, node := range absent {
					env.leave(ctx, node)
				}
				added, err := env.cluster.AddNode(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(env.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				leader := env.leader(ctx)
				if leader == added.Index() {
					Skip("the new node leads already")
				}
				present := slices.DeleteFunc(env.others(leader), func(node int) bool { return node == added.Index() || slices.Contains(absent, node) })

				By("writing an entry that only the new node receives before the leader crashes")
				for _, node := range present {
					Expect(env.cluster.SetDisk(ctx, node, fault.Disk{Slow: env.pace.forEver()})).To(Succeed())
				}
				entries := statusOf(ctx, added).LogEntries
				if entries == 0 {
					Skip("the target does not report how many entries a node's log holds")
				}
				writing, cancel := context.WithCancel(ctx)
				var written sync.WaitGroup
				written.Go(func() { _, _ = env.node(leader).Execute(writing, env.sql("INSERT INTO {ns}.t VALUES ('tried')")) })
				defer written.Wait()
				defer cancel()
				env.eventually(ctx, func() uint64 { return statusOf(ctx, added).LogEntries }).Should(BeNumerically(">", entries))
				env.leave(ctx, leader, fault.Crash)
				for _, node := range present {
					env.leave(ctx, node, fault.Crash)
					Expect(env.cluster.SetDisk(ctx, node, fault.Disk{})).To(Succeed())
				}

				By("starting just enough voters that do not know the new node")
				for _, node := range slices.Concat(absent, present)[:env.cluster.Quorum()-1] {
					Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed())
				}
				elected := env.leader(ctx)
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES ('after')")
				if slices.Contains(present, elected) && !env.cluster.Can(target.Time) {
					Skip("a node whose disk hung had written the entry all the same, and may win: a crash of its process loses no write")
				}
				Expect(elected).To(Equal(added.Index()))
			}, env.patience)
	})
}
