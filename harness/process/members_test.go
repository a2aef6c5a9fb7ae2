package process_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("The members of a cluster of processes", func() {
	// holds waits until the node has a row with the value.
	holds := func(ctx context.Context, n target.Node, value string) {
		GinkgoHelper()
		Eventually(ctx, func() ([]any, error) { return first(ctx, n.Inside(), "SELECT v FROM t") }).Should(Equal([]any{value}))
	}

	It("grow by voters and nonvoters", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		c.run(ctx, "INSERT INTO t VALUES ('old')")
		listener, err := c.target.Add(ctx, false)
		Expect(err).NotTo(HaveOccurred())
		voter, err := c.target.Add(ctx, true)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.target.Nodes()).To(HaveLen(5))
		Expect(c.target.Nodes()[3:]).To(Equal([]target.Node{listener, voter}))
		Expect(children(os.Getpid())).To(HaveLen(5))
		for _, n := range []target.Node{listener, voter} {
			holds(ctx, n, "old")
			Eventually(ctx, n.Status).Should(And(HaveField("State", target.Online), HaveField("Voter", n == voter)))
			Expect(n.Status(ctx)).To(HaveField("Memory", BeNumerically(">", 1<<20)))
		}

		By("cutting links to a new node")
		Expect(c.target.Isolate(ctx, 4)).To(Succeed())
		c.run(ctx, "UPDATE t SET v = 'new'")
		holds(ctx, listener, "new")
		Expect(first(ctx, voter.Inside(), "SELECT v FROM t")).To(Equal([]any{"old"}))
		Expect(c.target.Rejoin(ctx, 4)).To(Succeed())
		holds(ctx, voter, "new")

		By("restarting a new node")
		Expect(c.target.Crash(ctx, 4)).To(Succeed())
		Expect(c.target.Start(ctx, 4)).To(Succeed())
		holds(ctx, voter, "new")
	}, patience)

	It("shrink by running nodes, nodes that are down, and the leader", func(ctx SpecContext) {
		c := boot(ctx, 5)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		leader := c.leader(ctx)
		others := c.but(leader)
		dead, alive := others[0].Index(), others[1].Index()
		Expect(c.target.Crash(ctx, dead)).To(Succeed())
		for _, i := range []int{dead, alive, leader} {
			Expect(c.target.Remove(ctx, i)).To(Succeed())
			Expect(c.status(ctx, i)).To(And(HaveField("State", target.Offline), HaveField("Reason", "removed")))
			Expect(c.target.Start(ctx, i)).To(MatchError(fmt.Sprintf("start node n%d: it was removed from the cluster", i)))
			Expect(c.target.Replace(ctx, i)).To(MatchError(fmt.Sprintf("replace node n%d: it was removed from the cluster", i)))
		}
		Expect(children(os.Getpid())).To(HaveLen(2))
		Expect(c.target.Nodes()).To(HaveLen(5))

		By("requiring a quorum of only the two that are left, one of which restarts")
		Expect(c.target.Crash(ctx, others[2].Index())).To(Succeed())
		Expect(c.target.Start(ctx, others[2].Index())).To(Succeed())
		_, err := others[3].Execute(ctx, "INSERT INTO t VALUES ('two of two')")
		Expect(err).NotTo(HaveOccurred())
		added, err := c.target.Add(ctx, true)
		Expect(err).NotTo(HaveOccurred())
		Expect(added.ID()).To(Equal("n5"))
		holds(ctx, added, "two of two")
	}, patience)

	It("are replaced by the same node with an empty disk", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		c.run(ctx, "INSERT INTO t VALUES ('kept')")
		Expect(c.target.Replace(ctx, 1)).To(MatchError("replace node n1: it is running"))
		old := c.status(ctx, 1)
		Expect(c.target.Crash(ctx, 1)).To(Succeed())
		mark := filepath.Join(c.target.Dir(), "n1", "mark")
		Expect(os.WriteFile(mark, nil, 0o600)).To(Succeed())

		Expect(c.target.Replace(ctx, 1)).To(Succeed())
		Expect(mark).NotTo(BeAnExistingFile())
		holds(ctx, c.target.Nodes()[1], "kept")
		Eventually(ctx, c.target.Nodes()[1].Status).Should(And(HaveField("Voter", true), HaveField("Address", old.Address)))
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		// VerifyInvariants would miss the votes on the old disk, because the harness does not know of the replacement.
		Expect(c.VerifyDataConsistency(ctx, "SELECT * FROM t")).To(Succeed())

		By("needing it for the quorum")
		Expect(c.target.Crash(ctx, 2)).To(Succeed())
		c.runOn(ctx, 1, "UPDATE t SET v = 'one and zero'")
	}, patience)

	It("do not change without a quorum, and the attempt leaves nothing behind", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.leader(ctx)
		Expect(c.target.Crash(ctx, 0)).To(Succeed())
		Expect(c.target.Pause(ctx, 1)).To(Succeed())
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		n, err := c.target.Add(short, true)
		Expect(n).To(BeNil())
		Expect(err).To(And(MatchError(HavePrefix("add node n3: add member n3: ")), MatchError(context.DeadlineExceeded)))
		Expect(c.target.Nodes()).To(HaveLen(3))
		Expect(children(os.Getpid())).To(HaveLen(2))
		Expect(c.target.Replace(short, 0)).To(MatchError(context.DeadlineExceeded))

		Expect(c.target.Start(ctx, 0)).To(Succeed())
		Expect(c.target.Resume(ctx, 1)).To(Succeed())
		n, err = c.target.Add(ctx, true)
		Expect(err).NotTo(HaveOccurred())
		Expect(n.ID()).To(Equal("n4"), "names are not reused")
	}, patience)
})

// first returns the first row of an answer from a node's own state.
func first(ctx context.Context, from target.SQL, sql string) ([]any, error) {
	rows, err := from.Query(ctx, target.Request{SQL: sql, Consistency: target.Local})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if rows.NextResult() && rows.Next() {
		return rows.Row()
	}
	return nil, rows.Err()
}

// runOn runs a statement on one node until it succeeds. The statement must be idempotent.
func (w *fixture) runOn(ctx context.Context, i int, sql string) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		_, err := w.node(i).Execute(ctx, sql)
		return err
	}).Should(Succeed())
}
