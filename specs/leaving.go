package specs

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// leaving is how a node stops, and what it leaves.
func leaving(w *world) {
	Describe("A node that is stopped", Label("suite:leaving", "fault:stop"), func() {
		const pieces, piece = 6, 128 << 10
		const long = "SELECT v FROM {ns}.blobs, (VALUES (1), (2), (3), (4), (5), (6))"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Stop)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			w.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// query begins an answer that no connection holds: it is under way until it is read.
		query := func(ctx SpecContext, victim int, consistency target.Consistency) target.Rows {
			GinkgoHelper()
			size := piece
			if !w.cluster.HasClock() {
				size = 4 << 20
			}
			w.run(ctx, "INSERT INTO {ns}.blobs VALUES (1, randomblob(?))", size)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			rows, err := w.node(victim).Reading(consistency).Query(ctx, w.sql(long))
			Expect(err).NotTo(HaveOccurred())
			return rows
		}

		victimOf := func(ctx SpecContext, leader bool) int {
			GinkgoHelper()
			victim := w.leader(ctx)
			if !leader {
				victim = w.others(victim)[0]
			}
			return victim
		}

		// stops stops a node meanwhile.
		stops := func(ctx context.Context, victim int) <-chan error {
			left := make(chan error, 1)
			go func() { left <- w.cluster.TakeNodeOffline(ctx, victim, harness.Stop) }()
			return left
		}

		DescribeTable("lets an answer under way end whole, and refuses what comes then; a leader leads no more",
			func(ctx SpecContext, leader bool) {
				w.requires(target.Links)
				victim := victimOf(ctx, leader)
				rows := query(ctx, victim, target.Strong)
				left := stops(ctx, victim)
				Eventually(ctx, w.node(victim)).WithPolling(time.Millisecond).Should(BeLeaving())
				for _, sql := range []string{"SELECT 1", "INSERT INTO {ns}.t VALUES (1, 'sent to a node that leaves')"} {
					_, err := w.node(victim).Execute(ctx, w.sql(sql))
					Expect(codeOf(err)).To(Equal("STOPPING"), "%v", err)
					Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
				}
				if leader {
					Eventually(ctx, w.cluster.Leader).ShouldNot(Equal(victim), "it leads on while it leaves")
				}
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (2, 'of the others')")
				Consistently(ctx, left).Should(Not(Receive()), "it does not wait for its client")
				Expect(w.node(victim)).To(BeLeaving())
				if w.cluster.HasClock() { // so slow that the end is still to be sent when the node has written it
					Expect(w.cluster.SetLink(ctx, victim, harness.Clients, network.Rule{Bandwidth: 2 << 20})).To(Succeed())
				}
				got := 0
				for rows.NextResult() {
					for rows.Next() {
						got++
					}
				}
				Expect(rows.Err()).NotTo(HaveOccurred(), "the answer under way was cut off")
				Expect(got).To(Equal(pieces))
				Expect(rows.Close()).To(Succeed())
				begun := time.Now()
				Eventually(ctx, left).Should(Receive(BeNil()))
				Expect(time.Since(begun)).To(BeNumerically("<", longStop), "it goes on waiting")
				Expect(w.node(victim)).To(BeOffline())
				w.expectNothingOf(victim)
				Expect(w.cluster.MendLinks(ctx)).To(Succeed())
				w.comeBack(ctx, victim)
				Expect(w.run(ctx, "SELECT id FROM {ns}.t")).To(HaveRows(Row(2)))
			},
			Entry("when it is the leader", patience, true),
			Entry("when it is a follower", patience, false),
		)

		DescribeTable("lets a change under way end, with an answer",
			func(ctx SpecContext, leader bool) {
				w.requires(target.Disks)
				victim := victimOf(ctx, leader)
				writer := w.leader(ctx)
				for _, other := range w.others(writer) {
					Expect(w.cluster.SetDisk(ctx, other, disk.Faults{Slow: 100 * time.Millisecond})).To(Succeed())
				}
				before := statusOf(ctx, w.node(writer)).LogEntries
				written := make(chan error, 1)
				go func() {
					_, err := w.node(victim).Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (1, 'under way')"))
					written <- err
				}()
				Eventually(ctx, func(ctx context.Context) uint64 { return statusOf(ctx, w.node(writer)).LogEntries }).WithPolling(time.Millisecond).Should(
					BeNumerically(">", before))
				left := stops(ctx, victim)
				Eventually(ctx, w.node(victim)).WithPolling(time.Millisecond).Should(BeLeaving())
				Expect(written).NotTo(Receive(), "it was not under way")
				Eventually(ctx, written).Should(Receive(BeNil()), "it was cut off, or refused")
				Eventually(ctx, left).Should(Receive(BeNil()))
				Expect(w.cluster.Heal(ctx)).To(Succeed())
				Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t WHERE v = 'under way'")).To(HaveRows(Row(1)))
			},
			Entry("when it is the leader", Label("fault:disk"), patience, true),
			Entry("when it is a follower", Label("fault:disk"), patience, false),
		)

		It("waits for its clients no longer than it was told to, and cuts them off then", func(ctx SpecContext) {
			victim := victimOf(ctx, true)
			rows := query(ctx, victim, target.Local)
			patient := 300 * time.Millisecond
			if w.cluster.Can(target.Logs) { // a process is as patient as it likes
				patient = 20 * time.Second
			}
			short, cancel := context.WithTimeout(ctx, patient)
			defer cancel()
			begun := time.Now()
			Expect(w.cluster.TakeNodeOffline(short, victim, harness.Stop)).To(Succeed())
			if w.cluster.HasClock() {
				Expect(time.Since(begun)).To(BeNumerically("~", patient, patient/3), "it waits for longer, or not at all")
			}
			got := 0
			for rows.NextResult() {
				for rows.Next() {
					got++
				}
			}
			Expect(rows.Err()).To(HaveOccurred(), "an answer that was cut off passes for whole")
			Expect(got).To(BeNumerically("<", pieces))
			_ = rows.Close()
			w.expectNothingOf(victim)
			w.comeBack(ctx, victim)
		}, patience)

		It("leaves nothing when its disk hangs, or it waits for a quorum; and all may stop at once under load, and lose nothing", Label("fault:disk", "fault:isolate"), func(ctx SpecContext) {
			w.requires(target.Disks)
			load := w.load(ctx, 2, w.cluster.ExecuteOnRandom)
			load.goesOn(ctx)
			stopped := func(node int) {
				GinkgoHelper()
				begun := time.Now()
				w.leave(ctx, node, harness.Stop)
				Expect(time.Since(begun)).To(BeNumerically("<", longStop+slowestRequest), "it does not come to its end")
				w.expectNothingOf(node)
			}
			w.each(func(node int) { stopped(node) })
			w.expectNoNode()
			w.each(func(node int) { Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			load.goesOn(ctx)

			leader := w.leader(ctx)
			followers := w.others(leader)
			Expect(w.cluster.SetDisk(ctx, followers[0], disk.Faults{Slow: time.Hour})).To(Succeed())
			Eventually(ctx, w.node(followers[0])).ShouldNot(HaveCaughtUp(), "its disk does not hang")
			stopped(followers[0])
			Expect(w.cluster.SetDisk(ctx, followers[0], disk.Faults{})).To(Succeed())
			w.comeBack(ctx, followers[0])
			load.goesOn(ctx)

			for _, follower := range followers {
				w.leave(ctx, follower)
			}
			stopped(leader)
			for _, follower := range followers {
				Expect(w.cluster.BringNodeOnline(ctx, follower)).To(Succeed())
			}
			w.comeBack(ctx, leader)
			load.goesOn(ctx)
			w.each(func(node int) {
				if w.cluster.Can(target.Crash) {
					w.leave(ctx, node, harness.Crash)
				} else {
					w.leave(ctx, node, harness.Stop)
				}
			})
			w.expectNoNode()
			w.each(func(node int) { Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
			load.verify(ctx, 4*2)
		}, patience)

		It("while a snapshot is sent to it, or it sends one, leaves nothing, and the snapshot arrives the next time", Label("fault:link", "speed:slow"), func(ctx SpecContext) {
			w.requires(target.Links)
			victim := w.others(w.leader(ctx))[0]
			w.run(ctx, "INSERT INTO {ns}.blobs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, randomblob(?) FROM n", piece)
			w.leave(ctx, victim)
			w.writeUntilCompacted(ctx, statusOf(ctx, w.node(victim)).CommitIndex)
			w.narrowLinksTo(ctx, victim)
			Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			w.waitForActivity(ctx, victim, "receiving a snapshot")
			stopped := func(node int) {
				GinkgoHelper()
				begun := time.Now()
				w.leave(ctx, node, harness.Stop)
				Expect(time.Since(begun)).To(BeNumerically("<", longStop), "it does not come to its end")
				w.expectNothingOf(node)
			}
			stopped(victim)
			Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			w.waitForActivity(ctx, victim, "receiving a snapshot")
			sender := w.leader(ctx)
			Expect(statusOf(ctx, w.node(sender)).Activity).To(ContainSubstring("sending a snapshot"))
			stopped(sender)
			Expect(w.cluster.MendLinks(ctx)).To(Succeed())
			Expect(w.cluster.WaitForNodeOnline(ctx, victim)).To(Succeed())
			Expect(statusOf(ctx, w.node(victim)).Restores).To(BeNumerically(">", 0), "it recovered without a snapshot")
			w.comeBack(ctx, sender)
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
		}, patience)
	})
}

// slowestRequest is how long a node that leaves waits for a request of which it cannot
// know what becomes.
const slowestRequest = 2 * time.Second

// expectNothingOf proves that a node that does not run has no file open: one of the
// target's nodes are goroutines of this process.
func (w *world) expectNothingOf(node int) {
	GinkgoHelper()
	folder := "/" + w.node(node).ID() + "/"
	for thing := range belong() {
		Expect(strings.Contains(thing, folder)).To(BeFalse(), "it has left %s", thing)
	}
}

// expectNoNode proves that of nodes of which none runs no goroutine is left: at once in
// virtual time, and soon on a real clock.
func (w *world) expectNoNode() {
	GinkgoHelper()
	soon := 5 * time.Second
	if w.cluster.HasClock() {
		soon = 2 * time.Millisecond
	}
	Eventually(nodesAtWork).WithTimeout(soon).WithPolling(soon/10).Should(BeEmpty(), "a node that does not run is at work")
}

// nodesAtWork are the goroutines of all nodes in this process: what runs a node's own code,
// and what it has started.
func nodesAtWork() (found []string) {
	const ours = "rejoin/harness/"
	nodes := []string{ours + "embedded.", ours + "embedded/machine.", ours + "embedded/durable.", "hashicorp/raft", "net/http.(*conn).serve"}
	others := []string{"rejoin/specs.", "rejoin/harness.", ours + "virtual.", ours + "network.", ours + "internal/", ours + "embedded/client.", ours + "process"}
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		contains := func(text string) bool { return strings.Contains(stack, text) }
		if slices.ContainsFunc(nodes, contains) || contains(ours) && !slices.ContainsFunc(others, contains) {
			found = append(found, stack)
		}
	}
	return found
}
