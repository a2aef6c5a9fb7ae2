package live_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

var _ = Describe("Actions on a cluster of the embedded database", Ordered, func() {
	var p *player
	var c *harness.Cluster
	BeforeAll(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		DeferCleanup(cancel)
		p = playLocal(ctx)
		c = p.cluster
	})
	AfterEach(func(ctx SpecContext) { Expect(p.do(ctx, `{"do": "heal"}`)).To(HavePrefix("All faults are undone")) })

	for _, mode := range []fault.Mode{fault.Isolate, fault.Stop, fault.Crash} {
		It("take a node offline and bring it online: "+string(mode), func(ctx SpecContext) {
			Expect(p.do(ctx, fmt.Sprintf(`{"do": "take offline", "node": 1, "mode": %q}`, mode))).
				To(HavePrefix("Node 1 is offline: " + mode.Past()))
			Expect(lost(c, 1)).To(Equal(mode))
			Eventually(func() live.Node { return p.state(ctx).Nodes[1] }).Should(And(HaveField("Online", false), HaveField("Mode", string(mode))))
			Expect(p.state(ctx).Faults).To(ContainElement(HaveField("Text", "node 1 is "+mode.Past())))
			Expect(p.do(ctx, `{"do": "bring online", "node": 1}`)).To(HavePrefix("Node 1 is back"))
			Expect(c.WaitForNodeOnline(ctx, 1)).To(Succeed())
			Eventually(func() live.State { return p.state(ctx) }).Should(HaveField("Well", true))
		}, patience)
	}

	It("bring a node online on an empty disk", func(ctx SpecContext) {
		p.do(ctx, `{"do": "take offline", "node": 2, "mode": "crash"}`)
		Expect(p.do(ctx, `{"do": "bring online", "node": 2, "wiped": true}`)).To(ContainSubstring("empty disk"))
		Expect(c.WaitForNodeOnline(ctx, 2)).To(Succeed())
	}, patience)

	DescribeTable("of disks", func(ctx SpecContext, disk string, want fault.Disk) {
		p.do(ctx, `{"do": "disk", "node": 0, "disk": `+disk+`}`)
		Expect(c.Survey(ctx)).To(HaveField("Disks", Equal(map[int]fault.Disk{0: want})))
		Eventually(func() live.State { return p.state(ctx) }).Should(And(HaveField("Well", false),
			HaveField("Nodes", ContainElement(HaveField("Disk", want.String())))))
		p.do(ctx, `{"do": "disk", "node": 0}`)
		Expect(c.Survey(ctx)).To(HaveField("Disks", BeEmpty()))
	},
		Entry("slow", `{"slow": "5ms"}`, fault.Disk{Slow: 5 * time.Millisecond}, patience),
		Entry("lying", `{"lying": true}`, fault.Disk{Lying: true}, patience),
	)

	It("of disks that a node does not survive", func(ctx SpecContext) {
		p.do(ctx, `{"do": "take offline", "node": 1, "mode": "crash"}`)
		p.do(ctx, `{"do": "disk", "node": 1, "disk": {"full": true, "failing": true, "torn": true}}`)
		Expect(c.Survey(ctx)).To(HaveField("Disks", Equal(map[int]fault.Disk{1: {Full: true, Failing: true, Torn: true}})))
		p.do(ctx, `{"do": "disk", "node": 1}`)
		Expect(p.do(ctx, `{"do": "damage", "node": 1, "part": "owner of the directory"}`)).To(ContainSubstring("is damaged"))
		p.do(ctx, `{"do": "bring online", "node": 1, "wiped": true}`)
	}, patience)

	It("of clocks", func(ctx SpecContext) {
		p.do(ctx, `{"do": "clock", "node": 2, "ahead": "-1h"}`)
		Expect(c.Survey(ctx)).To(HaveField("Clocks", Equal(map[int]time.Duration{2: -time.Hour})))
		p.do(ctx, `{"do": "clock", "node": 2}`)
		Expect(c.Survey(ctx)).To(HaveField("Clocks", BeEmpty()))
	}, patience)

	It("of links", func(ctx SpecContext) {
		p.do(ctx, `{"do": "link", "from": 0, "to": 1, "both": true,
			"rule": {"latency": "5ms", "jitter": "1ms", "loss": 0.25, "bandwidth": 65536}}`)
		rule := fault.Rule{Latency: 5 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.25, Bandwidth: 65536}
		Expect(c.Survey(ctx)).To(HaveField("Links", Equal(map[fault.Link]fault.Rule{{From: 0, To: 1}: rule, {From: 1, To: 0}: rule})))
		Eventually(func() []live.Fault { return p.state(ctx).Faults }).Should(HaveLen(2))
		for _, f := range p.state(ctx).Faults {
			p.do(ctx, fmt.Sprintf(`{"do": %q, "from": %d, "to": %d}`, f.Undo.Do, f.Undo.From, f.Undo.To))
		}
		Expect(c.Faults().Links).To(BeEmpty())
		p.do(ctx, `{"do": "link", "from": -1, "to": 2, "rule": {"action": "refuse"}}`)
		Expect(c.Faults().Links).To(HaveKeyWithValue(fault.Link{From: fault.Clients, To: 2}, fault.Rule{Action: fault.Refuse}))
		p.do(ctx, `{"do": "reset", "from": 1, "to": 2, "both": true}`)
		Expect(c.Faults().Resets).To(HaveLen(2))
		p.do(ctx, `{"do": "mend links"}`)
		Expect(c.Faults()).To(And(HaveField("Links", BeEmpty()), HaveField("Resets", BeEmpty())))
		p.do(ctx, `{"do": "flap", "from": 1, "to": 2, "every": "10ms"}`)
		Eventually(func() []live.Fault { return p.state(ctx).Faults }).Should(ContainElement(HaveField("Text", HavePrefix("flap every 10ms"))))
	}, patience)

	It("of shapes of the network", func(ctx SpecContext) {
		Expect(p.do(ctx, `{"do": "partition", "groups": [[0], [1, 2]]}`)).To(ContainSubstring("partition (0 | 1 2)"))
		Expect(c.Faults().Links).To(HaveLen(4))
		p.do(ctx, `{"do": "heal"}`)
		p.do(ctx, `{"do": "bridge", "groups": [[0], [1], [2]]}`)
		Expect(c.Faults().Links).To(HaveLen(2))
		p.do(ctx, `{"do": "heal"}`)
		Expect(p.do(ctx, `{"do": "isolate leader"}`)).To(ContainSubstring("which led"))
		Expect(c.Faults().Links).To(HaveLen(4))
	}, patience)

	It("find that one node has other data, and that all invariants hold", func(ctx SpecContext) {
		p.sql(ctx, live.Query{SQL: `CREATE NAMESPACE d; CREATE TABLE d.t (id INTEGER PRIMARY KEY, v TEXT);
			INSERT INTO d.t VALUES (1, 'alike'), (2, 'same')`})
		Expect(p.do(ctx, `{"do": "compare", "sql": "SELECT * FROM d.t"}`)).To(ContainSubstring("answer alike"))
		Expect(p.do(ctx, `{"do": "invariants"}`)).To(HavePrefix("All invariants hold"))
		p.do(ctx, `{"do": "diverge", "node": 1, "sql": "UPDATE d.t SET v = 'other' WHERE id = 2"}`)
		Expect(p.refused(ctx, "do", `{"do": "compare", "sql": "SELECT * FROM d.t"}`, http.StatusConflict)).To(ContainSubstring("other"))
		Expect(p.refused(ctx, "do", `{"do": "invariants"}`, http.StatusConflict)).NotTo(BeEmpty())
		side := p.rows(ctx, "SELECT * FROM d.t")
		Expect(side).To(And(HaveField("Differ", 1), HaveField("Total", 2), HaveField("By", "the first column")))
		Expect(side.Lines[1].Wrong).To(Equal([][]int{{}, {1}, {}}))
		Expect(side.Lines[1].Rows[1][1]).To(Equal(live.Cell{Kind: "text", Text: "other"}))
		p.do(ctx, `{"do": "take offline", "node": 1, "mode": "stop"}`) // forgets the difference
	}, patience)

	It("of members", func(ctx SpecContext) {
		Expect(p.do(ctx, `{"do": "add node"}`)).To(HavePrefix("Node 3 is added"))
		Expect(p.do(ctx, `{"do": "add node", "suffrage": "non-voter"}`)).To(HavePrefix("Node 4 is added"))
		Eventually(func() []live.Node { return p.state(ctx).Nodes }).Should(And(HaveLen(5), HaveEach(HaveField("Health", "online"))))
		Expect(p.state(ctx)).To(And(HaveField("Voters", 4), HaveField("Quorum", 3)))
		p.do(ctx, `{"do": "ring"}`)
		p.do(ctx, `{"do": "heal"}`)
		Expect(p.do(ctx, `{"do": "replace node", "node": 3}`)).To(HavePrefix("Node 5 has taken the place of node 3"))
		Expect(p.do(ctx, `{"do": "remove node", "node": 4}`)).To(HavePrefix("Node 4 is removed"))
		Expect(p.refused(ctx, "do", `{"do": "disk", "node": 4}`, http.StatusNotFound)).To(ContainSubstring("was removed"))
		Eventually(func() []live.Node { return p.state(ctx).Nodes }).Should(HaveLen(4))
	}, patience)

	It("are all done by these specs, and are steps in the journal", func() {
		var steps []string
		for _, e := range c.Journal().Events() {
			if e.Kind == journal.By {
				steps = append(steps, e.Text)
			}
		}
		Expect(steps).To(ContainElements("isolate node 1", "bring node 2 online", "partition (0 | 1 2)", "add a node", "heal"))
		begin := map[string]string{
			"take offline": "crash", "bring online": "bring", "disk": "set the disk", "damage": "damage", "clock": "set the clock",
			"diverge": "change the data", "remove node": "remove", "replace node": "replace", "link": "change the link", "reset": "reset",
			"flap": "make the link flap", "partition": "partition", "bridge": "bridge", "ring": "make a ring",
			"isolate leader": "isolate the leader", "mend links": "mend", "heal": "heal", "add node": "add", "invariants": "check",
			"compare": "compare",
		}
		for _, verb := range live.Verbs() {
			Expect(begin).To(HaveKey(verb))
			Expect(steps).To(ContainElement(HavePrefix(begin[verb])), verb)
		}
	})
})

// lost is how a node was lost.
func lost(c *harness.Cluster, i int) fault.Mode {
	mode, _ := c.Lost(i)
	return mode
}

var _ = Describe("An action", func() {
	DescribeTable("that is not understood, or impossible, says why", func(ctx SpecContext, action string, status int, why string) {
		p, _ := playFake(ctx)
		sentence := p.refused(ctx, "do", action, status)
		Expect(sentence).To(ContainSubstring(why))
		Expect(sentence[:1]).To(Equal(strings.ToUpper(sentence[:1])))
		Expect(p.cluster.OnlineNodes()).To(HaveLen(3))
	},
		Entry("unknown", `{"do": "explode"}`, http.StatusBadRequest, `There is no action "explode"`, patience),
		Entry("without a name", `{}`, http.StatusBadRequest, `There is no action ""`, patience),
		Entry("on no node", `{"do": "take offline", "node": 7, "mode": "crash"}`,
			http.StatusNotFound, "Node index 7 out of range (0-2)", patience),
		Entry("with an unknown mode", `{"do": "take offline", "node": 1, "mode": "melt"}`,
			http.StatusBadRequest, `no failure mode "melt"`, patience),
		Entry("on a node that is online", `{"do": "bring online", "node": 1}`, http.StatusConflict, "already online", patience),
		Entry("with what is no duration", `{"do": "disk", "node": 1, "disk": {"slow": "soon"}}`,
			http.StatusBadRequest, `"soon" is no duration, such as 50ms`, patience),
		Entry("with a negative duration", `{"do": "disk", "node": 1, "disk": {"slow": "-1s"}}`, http.StatusBadRequest, "is negative", patience),
		Entry("with an unknown part", `{"do": "damage", "node": 1, "part": "lid"}`, http.StatusBadRequest, `Unknown disk part "lid"`, patience),
		Entry("with no clock", `{"do": "clock", "node": 1, "ahead": "x"}`, http.StatusBadRequest, "is no duration", patience),
		Entry("with an unknown action of a link", `{"do": "link", "from": 0, "to": 1, "rule": {"action": "eat"}}`,
			http.StatusBadRequest, `Unknown action "eat"`, patience),
		Entry("with too much loss", `{"do": "link", "from": 0, "to": 1, "rule": {"loss": 1}}`,
			http.StatusBadRequest, "Loss 1 must be", patience),
		Entry("of a link to itself", `{"do": "link", "from": 1, "to": 1, "rule": {"action": "drop"}}`,
			http.StatusConflict, "no link from node 1 to itself", patience),
		Entry("of one group", `{"do": "partition", "groups": [[0, 1, 2]]}`, http.StatusBadRequest, "two groups", patience),
		Entry("of a node in two groups", `{"do": "partition", "groups": [[0], [0, 1]]}`,
			http.StatusConflict, "node 0 is in two groups", patience),
		Entry("of half a bridge", `{"do": "bridge", "groups": [[0], [1]]}`, http.StatusBadRequest, "three groups", patience),
		Entry("of a ring of three", `{"do": "ring"}`, http.StatusConflict, "no links given", patience),
		Entry("without a query", `{"do": "compare"}`, http.StatusBadRequest, "no query", patience),
		Entry("that compares a change", `{"do": "compare", "sql": "DELETE FROM t"}`, http.StatusConflict, "this changes data", patience),
		Entry("without a statement", `{"do": "diverge", "node": 1}`, http.StatusBadRequest, "no statement", patience),
		Entry("with an unknown suffrage", `{"do": "add node", "suffrage": "king"}`, http.StatusBadRequest, `not as a "king"`, patience),
		Entry("with a long key", `{"do": "heal", "key": "`+strings.Repeat("x", 300)+`"}`, http.StatusBadRequest, "key is too long", patience),
	)

	It("of which the target is not able says so, and its buttons know why before", func(ctx SpecContext) {
		p := play(ctx, &fake.Target{Plain: true})
		Expect(p.refused(ctx, "do", `{"do": "take offline", "node": 1, "mode": "crash"}`, http.StatusNotImplemented)).
			To(ContainSubstring("cannot crash nodes"))
		Expect(p.state(ctx).Cannot).To(HaveKeyWithValue("crash nodes", "The target cannot crash nodes."))
		Expect(p.state(ctx).Cannot).NotTo(HaveKey("isolate nodes"))
		able, _ := playFake(ctx)
		Expect(able.do(ctx, `{"do": "take offline", "node": 1, "mode": "pause"}`)).To(HavePrefix("Node 1 is offline: paused"))
	}, patience)

	It("shows that it is under way, is not begun twice, and goes on when its page is closed", func(ctx SpecContext) {
		p, c := playFake(ctx)
		release := make(chan struct{})
		c.OnIsolate = func(ctx context.Context, _ int) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		tab, closeTab := context.WithCancel(ctx)
		over := make(chan struct{})
		const action = `{"do": "take offline", "node": 1, "mode": "isolate", "key": "the button"}`
		go func() {
			defer close(over)
			r, err := http.NewRequestWithContext(tab, http.MethodPost, p.url+"do", strings.NewReader(action))
			if err == nil {
				r.Header = p.headers.Clone()
				r.Header.Set("Content-Type", "application/json")
				_, _ = http.DefaultClient.Do(r)
			}
		}()
		Eventually(func() []live.Busy { return p.state(ctx).Busy }).
			Should(Equal([]live.Busy{{Place: "node 1", Key: "the button", Text: "isolate node 1"}}))
		Expect(p.refused(ctx, "do", action, http.StatusConflict)).To(Equal("Isolate node 1 is under way already"))
		closeTab()
		Eventually(over).Should(BeClosed())
		close(release)
		Eventually(func() live.State { return p.state(ctx) }).Should(And(HaveField("Busy", BeEmpty()),
			HaveField("Said", HaveKeyWithValue("node 1", HaveField("Text", HavePrefix("Node 1 is offline: isolated"))))))
		Expect(lost(p.cluster, 1)).To(Equal(fault.Isolate))
	}, patience)

	It("that fails says so at its place", func(ctx SpecContext) {
		p, c := playFake(ctx)
		c.OnIsolate = func(context.Context, int) error { return fmt.Errorf("the cable is stuck") }
		Expect(p.refused(ctx, "do", `{"do": "take offline", "node": 1, "mode": "isolate"}`, http.StatusConflict)).
			To(ContainSubstring("the cable is stuck"))
		Expect(p.state(ctx).Said["node 1"]).To(And(HaveField("Failed", true), HaveField("Text", ContainSubstring("the cable is stuck"))))
	}, patience)

	It("ends with the page", func(ctx SpecContext) {
		p, c := playFake(ctx)
		begun := make(chan struct{})
		c.OnIsolate = func(ctx context.Context, _ int) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		}
		said := make(chan int)
		go func() {
			defer GinkgoRecover()
			said <- p.send(ctx, http.MethodPost, "do", `{"do": "take offline", "node": 1, "mode": "isolate"}`).status
		}()
		Eventually(begun).Should(BeClosed())
		Expect(p.server.Close()).To(Succeed())
		Eventually(said).Should(Receive(Equal(http.StatusConflict)))
		Expect(p.cluster.IsNodeOnline(1)).To(BeTrue())
	}, patience)
})
