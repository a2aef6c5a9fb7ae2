package specs

import (
	"context"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

func members(w *world) {
	Describe("The members of a cluster", Label("suite:members"), func() {
		BeforeEach(func(SpecContext) {
			w.needs(3)
			w.requires(target.Members)
		})

		It("grow by two and shrink again under load, and no write is lost", func(ctx SpecContext) {
			size := w.cluster.Size()
			load := w.load(ctx, 4, w.cluster.ExecuteWithRetry)
			load.goesOn(ctx)

			By("growing")
			for i := range 2 {
				added, err := w.cluster.AddNode(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(added.Index()).To(Equal(size + i))
				Expect(w.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
				Expect(statusOf(ctx, added).Voter).To(BeTrue())
				load.goesOn(ctx)
			}
			Expect(w.cluster.Size()).To(Equal(size + 2))
			Expect(w.cluster.Quorum()).To(Equal((size+2)/2 + 1))

			By("shrinking, by the old leader first")
			for range 2 {
				gone := w.leader(ctx)
				Expect(w.cluster.RemoveNode(ctx, gone)).To(Succeed())
				load.goesOn(ctx)
				Expect(w.leader(ctx)).NotTo(Equal(gone))
				_, err := w.cluster.IsNodeOnline(gone)
				Expect(err).To(HaveOccurred(), "a node that was removed is still there")
			}
			Expect(w.cluster.Size()).To(Equal(size))
			Expect(w.cluster.Quorum()).To(Equal(size/2 + 1))
			_, refused := load.verify(ctx, 6*2*4)
			Expect(refused).To(BeZero())
		}, patience)

		It("replace a dead one by a new one, which then counts for a quorum", Label("fault:crash"), func(ctx SpecContext) {
			w.requires(target.Crash)
			w.openShop(ctx)
			dead := w.leader(ctx)
			w.leave(ctx, dead, harness.Crash)
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			fresh, err := w.cluster.ReplaceNode(ctx, dead)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Eventually(ctx, fresh).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(w.cluster.Nodes()).NotTo(ContainElement(HaveField("Index()", dead)))

			By("losing as many others as a quorum can spare")
			victim := w.leader(ctx)
			if victim == fresh.Index() {
				victim = w.others(victim)[0]
			}
			w.leave(ctx, victim, harness.Crash)
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (6, 'Barbara')")
			Eventually(ctx, fresh).Should(HaveCaughtUp())
			Expect(fresh.Reading(target.Local).Execute(ctx, w.sql("SELECT id FROM {ns}.customers WHERE id > 4 ORDER BY id"))).To(HaveRows(Row(5), Row(6)))
		}, patience)

		It("may be some that only listen: they hold everything, and count for no quorum", func(ctx SpecContext) {
			w.requires(target.Links)
			w.openShop(ctx)
			quorum := w.cluster.Quorum()
			voters := w.cluster.Nodes()
			listener, err := w.cluster.AddNode(ctx, harness.NonVoter)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(w.cluster.Quorum()).To(Equal(quorum))
			Expect(statusOf(ctx, listener).Voter).To(BeFalse())
			Expect(listener.Reading(target.Local).Execute(ctx, w.sql("SELECT count(*) FROM {ns}.customers"))).To(HaveRows(Row(4)))

			By("taking away so many voters that there is no quorum, listener or not")
			for _, node := range voters[:len(voters)-quorum+1] {
				w.leave(ctx, node.Index())
			}
			Eventually(ctx, func(ctx context.Context) string {
				_, err := w.node(voters[len(voters)-1].Index()).Execute(ctx, w.sql("INSERT INTO {ns}.customers (id, name) VALUES (9, 'nobody')"))
				return codeOf(err)
			}).Should(BeElementOf("NO_LEADER", "NO_QUORUM"))
			Expect(statusOf(ctx, listener).Role).NotTo(BeElementOf("candidate", "leader"))
		}, patience)

		It("join while one of the others is away, and while links are bad", func(ctx SpecContext) {
			w.requires(target.Links)
			w.openShop(ctx)
			leader := w.leader(ctx)
			others := w.others(leader)
			w.leave(ctx, others[0])
			Expect(w.cluster.SetLink(ctx, leader, others[1], network.Rule{Loss: 0.2})).To(Succeed())
			added, err := w.cluster.AddNode(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.customers")))
		}, patience)

		It("elect one whom some of them have not heard of, where no other can be", Label("fault:isolate", "fault:disk", "fault:crash"), func(ctx SpecContext) {
			w.requires(target.Crash, target.Disks, target.Links)
			w.run(ctx, "CREATE TABLE {ns}.t (v TEXT)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			others := w.others(w.leader(ctx))
			absent := others[:len(others)/2]
			for _, node := range absent {
				w.leave(ctx, node)
			}
			added, err := w.cluster.AddNode(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.cluster.WaitForNodeOnline(ctx, added.Index())).To(Succeed())
			leader := w.leader(ctx)
			if leader == added.Index() {
				Skip("the new node was elected before its time, so that there is nothing to see")
			}
			present := slices.DeleteFunc(w.others(leader), func(node int) bool { return node == added.Index() || slices.Contains(absent, node) })

			By("writing what only the new one gets hold of before the leader is lost")
			for _, node := range present {
				Expect(w.cluster.SetDisk(ctx, node, disk.Faults{Slow: time.Minute})).To(Succeed())
			}
			entries := statusOf(ctx, added).LogEntries
			writing, cancel := context.WithCancel(ctx)
			var written sync.WaitGroup
			written.Go(func() { _, _ = w.node(leader).Execute(writing, w.sql("INSERT INTO {ns}.t VALUES ('tried')")) })
			defer written.Wait()
			defer cancel()
			Eventually(ctx, func() uint64 { return statusOf(ctx, added).LogEntries }).Should(BeNumerically(">", entries))
			w.leave(ctx, leader, harness.Crash)
			for _, node := range present {
				w.leave(ctx, node, harness.Crash)
				Expect(w.cluster.SetDisk(ctx, node, disk.Faults{})).To(Succeed())
			}

			By("needing the votes of those who were away when it came: there are just enough")
			for _, node := range slices.Concat(absent, present)[:w.cluster.Quorum()-1] {
				Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed())
			}
			Expect(w.leader(ctx)).To(Equal(added.Index()))
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES ('after')")
		}, patience)
	})
}
