package proc_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("A cluster of programs", func() {
	var c target.Cluster

	starter := func() target.Starter {
		GinkgoHelper()
		s, can := target.As[target.Starter](c)
		Expect(can).To(BeTrue())
		return s
	}
	state := func(ctx context.Context, node int) func() (target.Status, error) {
		return func() (target.Status, error) { return c.Nodes()[node].Status(ctx) }
	}

	BeforeEach(func(ctx SpecContext) {
		supported()
		GinkgoT().Setenv(notesdVariable, "yes")
		c = boot(ctx, NewNotes(self()), 3)
	}, NodeTimeout(time.Minute))

	It("executes what its clients send, and each node shows its own state", func(ctx SpecContext) {
		nodes := c.Nodes()
		Expect(nodes).To(HaveLen(3))
		Expect(run(ctx, nodes[1].Client(), "CREATE NAMESPACE s; CREATE TABLE s.t (v); INSERT INTO s.t VALUES (7)",
			"")).Error().NotTo(HaveOccurred())
		for _, n := range nodes {
			Expect(run(ctx, n.Inside(), "SELECT v FROM s.t", target.Local)).To(Equal([][]any{{int64(7)}}))
			Expect(run(ctx, n.Client(), "SELECT v FROM s.t", target.Local)).To(Equal([][]any{{int64(7)}}))
		}
		Expect(state(ctx, 0)()).To(And(HaveField("ID", "n0"), HaveField("Role", "leader"), HaveField("State", target.Online)))
		Expect(state(ctx, 2)()).To(And(HaveField("ID", "n2"), HaveField("Role", "follower"), HaveField("Leader", "n0")))
	}, patience)

	It("has the abilities that its database and the machine have, and no others", func() {
		for _, ability := range []target.Ability{target.Stop, target.Crash, target.Pause, target.Links, target.Packets,
			target.Logs, target.Dedup, target.Survey, target.Files, target.Dial} {
			Expect(target.Can(c, ability)).To(BeTrue(), "%s", ability)
		}
		for _, ability := range []target.Ability{target.Members, target.Time, target.Addresses, target.Roles, target.Transactions,
			target.Versions, target.Diverge} {
			Expect(target.Can(c, ability)).To(BeFalse(), "%s", ability)
		}
		Expect(target.Holds(c, target.OwnWrites)).To(BeTrue())
		Expect(target.Holds(c, target.Streams)).To(BeFalse())
	})

	It("isolates a node from clients and nodes, but not from its inside", func(ctx SpecContext) {
		nodes := c.Nodes()
		Expect(run(ctx, nodes[0].Client(), "CREATE TABLE t (v)", "")).Error().NotTo(HaveOccurred())
		Expect(c.Isolate(ctx, 1)).To(Succeed())
		_, err := run(ctx, nodes[1].Client(), "SELECT 1", target.Local)
		Expect(err).To(MatchError(target.ErrUnreachable))
		Expect(run(ctx, nodes[1].Inside(), "SELECT count(*) FROM t", target.Local)).To(Equal([][]any{{int64(0)}}))
		_, err = run(ctx, nodes[1].Inside(), "INSERT INTO t VALUES (1)", "")
		Expect(err).To(HaveOccurred(), "it still reaches its leader")
		Expect(run(ctx, nodes[0].Client(), "INSERT INTO t VALUES (2)", "")).Error().NotTo(HaveOccurred())
		Expect(run(ctx, nodes[1].Inside(), "SELECT count(*) FROM t", target.Local)).To(Equal([][]any{{int64(0)}}))
		Expect(c.Rejoin(ctx, 1)).To(Succeed())
		Expect(run(ctx, nodes[1].Client(), "INSERT INTO t VALUES (3)", "")).Error().NotTo(HaveOccurred())
	}, patience)

	It("degrades a link in one direction, and counts what passed", func(ctx SpecContext) {
		links, can := target.As[target.LinkFaulter](c)
		Expect(can).To(BeTrue())
		survey, can := target.As[target.FaultInspector](c)
		Expect(can).To(BeTrue())
		rule := fault.Rule{Latency: 300 * time.Millisecond}
		Expect(links.SetLink(ctx, fault.Clients, 2, rule)).To(Succeed())
		Expect(survey.Link(ctx, fault.Clients, 2)).To(HaveField("Rule", rule))
		Expect(survey.Link(ctx, 2, fault.Clients)).To(HaveField("Rule", fault.Rule{}))
		begun := time.Now()
		Expect(run(ctx, c.Nodes()[2].Client(), "SELECT 1", target.Local)).Error().NotTo(HaveOccurred())
		Expect(time.Since(begun)).To(BeNumerically(">=", rule.Latency))
		Expect(links.LinkStats(ctx, fault.Clients, 2)).To(HaveField("Messages", BeNumerically(">", 0)))
	}, patience)

	DescribeTable("loses a node and has it back with its disk and address",
		func(ctx SpecContext, lose func(context.Context, target.Starter) error, reason string) {
			n := c.Nodes()[1]
			Expect(run(ctx, n.Client(), "CREATE TABLE t (v); INSERT INTO t VALUES (1)", "")).Error().NotTo(HaveOccurred())
			before, err := n.Status(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(lose(ctx, starter())).To(Succeed())
			Expect(n.Status(ctx)).To(And(HaveField("State", target.Offline), HaveField("Reason", reason)))
			_, err = run(ctx, n.Client(), "SELECT 1", target.Local)
			Expect(err).To(MatchError(target.ErrUnreachable))
			Expect(starter().Start(ctx, 1)).To(Succeed())
			Expect(n.Status(ctx)).To(And(HaveField("State", target.Online), HaveField("Address", before.Address)))
			Expect(run(ctx, n.Client(), "SELECT v FROM t", target.Local)).To(Equal([][]any{{int64(1)}}))
			Expect(starter().Start(ctx, 1)).To(MatchError("start node n1: it runs"))
		},
		Entry("stopped", patience, func(ctx context.Context, s target.Starter) error { return s.Stop(ctx, 1) }, "stopped"),
		Entry("crashed", patience, func(ctx context.Context, s target.Starter) error { return s.Crash(ctx, 1) }, "crashed"),
	)

	It("stops a node gracefully, and keeps what it said", func(ctx SpecContext) {
		logs, can := target.As[target.LogReader](c)
		Expect(can).To(BeTrue())
		Expect(starter().Stop(ctx, 1)).To(Succeed())
		Expect(logs.Log(1, 1000)).To(And(ContainSubstring("notesd n1 starts, join false"), ContainSubstring("notesd stops")))
		Expect(starter().Stop(ctx, 1)).To(MatchError(ContainSubstring("stop node n1: it does not run: stopped")))
	}, patience)

	It("pauses a node, which then neither answers nor closes, and resumes it", func(ctx SpecContext) {
		pauser, can := target.As[target.Pauser](c)
		Expect(can).To(BeTrue())
		Expect(pauser.Pause(ctx, 1)).To(Succeed())
		Expect(pauser.Pause(ctx, 1)).To(Succeed())
		Expect(state(ctx, 1)()).To(And(HaveField("State", target.Offline), HaveField("Reason", "paused")))
		brief, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err := run(brief, c.Nodes()[1].Client(), "SELECT 1", target.Local)
		Expect(err).To(MatchError(target.ErrTimeout))
		Expect(pauser.Resume(ctx, 1)).To(Succeed())
		Expect(run(ctx, c.Nodes()[1].Client(), "SELECT 1", target.Local)).To(HaveLen(1))
		Expect(pauser.Pause(ctx, 1)).To(Succeed())
		Expect(starter().Crash(ctx, 1)).To(Succeed())
		Expect(starter().Start(ctx, 1)).To(Succeed())
	}, patience)

	It("applies a request once, and remembers it", func(ctx SpecContext) {
		d, can := target.As[target.Deduplicator](c)
		Expect(can).To(BeTrue())
		Expect(run(ctx, c.Nodes()[0].Client(), "CREATE TABLE t (v)", "")).Error().NotTo(HaveOccurred())
		for range 2 {
			rows, err := c.Nodes()[2].Client().Query(ctx, target.Request{SQL: "INSERT INTO t VALUES (1)", ID: "once"})
			Expect(err).NotTo(HaveOccurred())
			Expect(rows.Close()).To(Succeed())
		}
		Expect(run(ctx, c.Nodes()[2].Client(), "SELECT count(*) FROM t", target.Local)).To(Equal([][]any{{int64(1)}}))
		Expect(d.Remembered(ctx, 1)).To(Equal(map[string]bool{"once": true}))
	}, patience)

	It("lists files, takes raw connections, and lets a spec listen in place of a node", func(ctx SpecContext) {
		files, can := target.As[target.FileLister](c)
		Expect(can).To(BeTrue())
		Expect(files.Files(ctx, 0)).To(ContainElement("notes.db"))
		dialer, can := target.As[target.Dialer](c)
		Expect(can).To(BeTrue())
		ask := func() string {
			conn, err := dialer.Dial(ctx, 2)
			Expect(err).NotTo(HaveOccurred())
			defer conn.Close()
			_, err = io.WriteString(conn, "GET /status HTTP/1.0\r\n\r\n")
			Expect(err).NotTo(HaveOccurred())
			said, err := io.ReadAll(conn)
			Expect(err).NotTo(HaveOccurred())
			return string(said)
		}
		Expect(ask()).To(ContainSubstring("Leader"))
		Expect(starter().Crash(ctx, 2)).To(Succeed())
		listener, can := target.As[target.Listener](c)
		Expect(can).To(BeTrue())
		l, err := listener.Listen(2)
		Expect(err).NotTo(HaveOccurred())
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "another") })}
		go func() { defer GinkgoRecover(); _ = server.Serve(l) }()
		Expect(ask()).To(ContainSubstring("another"))
		Expect(server.Close()).To(Succeed())
		Expect(starter().Start(ctx, 2)).To(Succeed())
		Expect(strings.Count(ask(), "Leader")).To(Equal(1))
	}, patience)

	It("says what has ended by itself", func(ctx SpecContext) {
		_, port, err := net.SplitHostPort(addressOf(ctx, c, 1))
		Expect(err).NotTo(HaveOccurred())
		Expect(port).To(Equal("7000"))
		Expect(starter().Start(ctx, 9)).To(MatchError("there is no node 9: the cluster has 3"))
		Expect(c.Close()).To(Succeed())
		Expect(c.Close()).To(Succeed())
		Expect(starter().Start(ctx, 1)).NotTo(Succeed())
		_, err = run(ctx, c.Nodes()[1].Client(), "SELECT 1", target.Local)
		Expect(err).To(HaveOccurred())
	}, patience)
})

func addressOf(ctx context.Context, c target.Cluster, node int) string {
	GinkgoHelper()
	s, err := c.Nodes()[node].Status(ctx)
	Expect(err).NotTo(HaveOccurred())
	return s.Address
}
