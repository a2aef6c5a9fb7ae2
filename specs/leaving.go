package specs

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// leaving are specs about stopping a node.
func leaving(env *environment) {
	Describe("A stopping node", Label("suite:leaving", "fault:stop", "needs:drains"), func() {
		const pieces, piece = 6, 128 << 10
		const long = "SELECT v FROM {ns}.blobs, (VALUES (1), (2), (3), (4), (5), (6))"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Stop)
			env.assumes(target.Drains, target.Streams)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			env.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// query begins an answer that is larger than the buffers of a connection, so that it is under
		// way until it is read.
		query := func(ctx SpecContext, victim int, consistency target.Consistency) target.Rows {
			GinkgoHelper()
			size := piece
			if !env.cluster.Can(target.Time) {
				size = 4 << 20
			}
			env.run(ctx, "INSERT OR REPLACE INTO {ns}.blobs VALUES (1, randomblob(?))", size)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			rows, err := env.node(victim).Reading(consistency).Query(ctx, env.sql(long))
			Expect(err).NotTo(HaveOccurred())
			return rows
		}

		victimOf := func(ctx SpecContext, leader bool) int {
			GinkgoHelper()
			victim := env.leader(ctx)
			if !leader {
				victim = env.others(victim)[0]
			}
			return victim
		}

		// stops stops a node in the background.
		stops := func(ctx context.Context, victim int) <-chan error {
			left := make(chan error, 1)
			go func() { left <- env.cluster.TakeNodeOffline(ctx, victim, fault.Stop) }()
			return left
		}

		DescribeTable("completes answers under way, refuses new requests and gives up its leadership",
			func(ctx SpecContext, leader bool) {
				env.requires(target.Links)
				victim := victimOf(ctx, leader)
				rows := query(ctx, victim, target.Strong)
				for leader && env.leader(ctx) != victim { // a busy machine has ended its leadership
					Expect(rows.Close()).To(Succeed())
					victim = env.leader(ctx)
					rows = query(ctx, victim, target.Strong)
				}
				left := stops(ctx, victim)
				env.eventually(ctx, env.node(victim)).WithPolling(time.Millisecond).Should(BeLeaving())
				for _, sql := range []string{"SELECT 1", "INSERT INTO {ns}.t VALUES (1, 'sent to a stopping node')"} {
					_, err := env.node(victim).Execute(ctx, env.sql(sql))
					Expect(err).To(MatchError(target.ErrStopping))
					Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
				}
				if leader {
					env.eventually(ctx, env.cluster.Leader).ShouldNot(Equal(victim), "it still leads")
				}
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (2, 'by the others')")
				Consistently(ctx, left).Should(Not(Receive()), "it does not wait for its client")
				Expect(env.node(victim)).To(BeLeaving())
				if env.cluster.Can(target.Time) { // slow enough that the end is still under way when the node has written it
					Expect(env.cluster.SetLink(ctx, victim, fault.Clients, fault.Rule{Bandwidth: 2 << 20})).To(Succeed())
				}
				got := 0
				for rows.NextResult() {
					for rows.Next() {
						got++
					}
				}
				Expect(rows.Err()).NotTo(HaveOccurred(), "the answer under way was aborted")
				Expect(got).To(Equal(pieces))
				Expect(rows.Close()).To(Succeed())
				begun := time.Now()
				env.eventually(ctx, left).Should(Receive(BeNil()))
				Expect(time.Since(begun)).To(BeNumerically("<", env.pace.stop()), "it waits although the answer is complete")
				Expect(env.node(victim)).To(BeOffline())
				env.expectNothingOf(victim)
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				env.comeBack(ctx, victim)
				Expect(env.run(ctx, "SELECT id FROM {ns}.t")).To(HaveRows(Row(2)))
			},
			Entry("the leader", env.patience, true),
			Entry("a follower", env.patience, false),
		)

		DescribeTable("completes and answers a write under way",
			func(ctx SpecContext, leader bool) {
				env.requires(target.Disks)
				victim := victimOf(ctx, leader)
				writer := env.leader(ctx)
				for _, other := range env.others(writer) {
					Expect(env.cluster.SetDisk(ctx, other, fault.Disk{Slow: 100 * time.Millisecond})).To(Succeed())
				}
				before := statusOf(ctx, env.node(writer)).LogEntries
				written := make(chan error, 1)
				go func() {
					_, err := env.node(victim).Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (1, 'under way')"))
					written <- err
				}()
				env.eventually(ctx, func(ctx context.Context) uint64 {
					return statusOf(ctx, env.node(writer)).LogEntries
				}).WithPolling(time.Millisecond).Should(
					BeNumerically(">", before))
				left := stops(ctx, victim)
				env.eventually(ctx, env.node(victim)).WithPolling(time.Millisecond).Should(BeLeaving())
				Expect(written).NotTo(Receive(), "the write was not under way")
				env.eventually(ctx, written).Should(Receive(BeNil()), "the write was aborted or refused")
				env.eventually(ctx, left).Should(Receive(BeNil()))
				Expect(env.cluster.Heal(ctx)).To(Succeed())
				Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t WHERE v = 'under way'")).To(HaveRows(Row(1)))
			},
			Entry("the leader", Label("fault:disk"), env.patience, true),
			Entry("a follower", Label("fault:disk"), env.patience, false),
		)

		It("waits for its clients until the deadline, then disconnects them", func(ctx SpecContext) {
			victim := victimOf(ctx, true)
			rows := query(ctx, victim, target.Local)
			patient := 300 * time.Millisecond
			if env.cluster.Can(target.Logs) { // a process has a timeout of its own
				patient = 20 * time.Second
			}
			short, cancel := context.WithTimeout(ctx, patient)
			defer cancel()
			begun := time.Now()
			Expect(env.cluster.TakeNodeOffline(short, victim, fault.Stop)).To(Succeed())
			if env.cluster.Can(target.Time) {
				Expect(time.Since(begun)).To(BeNumerically("~", patient, patient/3), "it waits for another time than it was given")
			}
			got := 0
			for rows.NextResult() {
				for rows.Next() {
					got++
				}
			}
			Expect(rows.Err()).To(HaveOccurred(), "an aborted answer passes for a complete one")
			Expect(got).To(BeNumerically("<", pieces))
			_ = rows.Close()
			env.expectNothingOf(victim)
			env.comeBack(ctx, victim)
		}, env.patience)

		It("leaves no goroutine or file, with a hanging disk, without a quorum, or all at once under load",
			Label("fault:disk", "fault:isolate"), func(ctx SpecContext) {
				env.requires(target.Disks)
				load := env.load(ctx, 2, env.cluster.ExecuteOnRandom)
				load.goesOn(ctx)
				stopped := func(node int) {
					GinkgoHelper()
					begun := time.Now()
					env.leave(ctx, node, fault.Stop)
					Expect(time.Since(begun)).To(BeNumerically("<", env.pace.stop()+env.pace.Write), "it does not stop")
					env.expectNothingOf(node)
				}
				env.each(func(node int) { stopped(node) })
				env.expectNoNode()
				env.each(func(node int) { Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				load.goesOn(ctx)

				leader := env.leader(ctx)
				followers := env.others(leader)
				Expect(env.cluster.SetDisk(ctx, followers[0], fault.Disk{Slow: time.Hour})).To(Succeed())
				env.eventually(ctx, env.node(followers[0])).ShouldNot(HaveCaughtUp(), "its disk does not hang")
				stopped(followers[0])
				Expect(env.cluster.SetDisk(ctx, followers[0], fault.Disk{})).To(Succeed())
				env.comeBack(ctx, followers[0])
				load.goesOn(ctx)

				for _, follower := range followers {
					env.leave(ctx, follower)
				}
				stopped(leader)
				for _, follower := range followers {
					Expect(env.cluster.BringNodeOnline(ctx, follower)).To(Succeed())
				}
				env.comeBack(ctx, leader)
				load.goesOn(ctx)
				env.each(func(node int) {
					if env.cluster.Can(target.Crash) {
						env.leave(ctx, node, fault.Crash)
					} else {
						env.leave(ctx, node, fault.Stop)
					}
				})
				env.expectNoNode()
				env.each(func(node int) { Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
				load.verify(ctx, 4*2)
			}, env.patience)

		It("in the middle of a snapshot, sent or received, leaves nothing, and the next attempt succeeds", Label("fault:link", "speed:slow"),
			func(ctx SpecContext) {
				env.requires(target.Links)
				victim := env.others(env.leader(ctx))[0]
				env.run(ctx, "INSERT INTO {ns}.blobs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, "+
					"randomblob(?) FROM n", piece)
				env.leave(ctx, victim)
				env.writeUntilCompacted(ctx, statusOf(ctx, env.node(victim)).CommitIndex)
				env.narrowLinksTo(ctx, victim)
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				env.waitUntilReceiving(ctx, victim)
				stopped := func(node int) {
					GinkgoHelper()
					begun := time.Now()
					env.leave(ctx, node, fault.Stop)
					Expect(time.Since(begun)).To(BeNumerically("<", env.pace.stop()), "it does not stop")
					env.expectNothingOf(node)
				}
				stopped(victim)
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				env.waitUntilReceiving(ctx, victim)
				sender := env.leader(ctx)
				Expect(statusOf(ctx, env.node(sender)).Activities.Include(target.SendingSnapshot)).To(BeTrue(), "the leader does not send a snapshot")
				stopped(sender)
				Expect(env.cluster.MendLinks(ctx)).To(Succeed())
				Expect(env.cluster.WaitForNodeOnline(ctx, victim)).To(Succeed())
				Expect(statusOf(ctx, env.node(victim)).Restores).To(BeNumerically(">", 0), "it recovered without a snapshot")
				env.comeBack(ctx, sender)
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs ORDER BY id")))
			}, env.patience)
	})
}

// expectNothingOf proves that a stopped node has no file open, on targets whose nodes run in
// this process.
func (env *environment) expectNothingOf(node int) {
	GinkgoHelper()
	folder := "/" + env.node(node).ID() + "/"
	for thing := range heldResources() {
		Expect(strings.Contains(thing, folder)).To(BeFalse(), "it left %s", thing)
	}
}

// expectNoNode proves that no goroutine of a stopped node is left: at once in virtual time, and
// soon on a real clock.
func (env *environment) expectNoNode() {
	GinkgoHelper()
	soon := 5 * time.Second
	if env.cluster.Can(target.Time) {
		soon = 2 * time.Millisecond
	}
	Eventually(nodesAtWork).WithTimeout(soon).WithPolling(soon/10).Should(BeEmpty(), "a stopped node still has goroutines")
}

// nodesAtWork are the goroutines of all nodes in this process, with those that they started.
func nodesAtWork() (found []string) {
	const ours = "rejoin/harness/"
	nodes := []string{ours + "embedded.", ours + "embedded/machine.", ours + "embedded/durable.", "hashicorp/raft", "net/http.(*conn).serve"}
	others := []string{"rejoin/specs.", "rejoin/harness.", ours + "virtual.", ours + "network.", ours + "internal/",
		ours + "embedded/client.", ours + "process", ours + "hosts"}
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
