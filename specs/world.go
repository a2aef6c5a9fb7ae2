package specs

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/report"
	"github.com/rejoin-db/rejoin/harness/target"
)

// world is what a spec has: a cluster that is online, and a namespace in it.
type world struct {
	options Options
	cluster *harness.Cluster
	booted  target.Cluster // what the target booted, below the harness
	ns      string
	heard   uint64 // harnesses over the cluster besides the spec's own
}

// shownEvents is how many events a failing spec shows, and shownLog how many bytes
// of each node's log.
const (
	shownEvents = 40
	shownLog    = 8 << 10
)

func (w *world) begin(ctx SpecContext) {
	if w.options.Target == nil {
		Fail("specs.Register was given no Target")
	}
	goroutines, inBubble, before := gleak.Goroutines(), false, belong()
	DeferCleanup(func() {
		Eventually(func() []string { return belong().besides(before) }).WithTimeout(5*time.Second).Should(BeEmpty(), "the cluster left something behind")
		if inBubble { // which looks itself for what was left in it
			return
		}
		Eventually(gleak.Goroutines).WithTimeout(5*time.Second).ShouldNot(gleak.HaveLeaked(goroutines), "the cluster left goroutines behind")
	})

	seed := specSeed()
	cluster, err := harness.Boot(ctx, w.noting(w.options.Target), append([]harness.Option{harness.Size(w.options.Nodes), harness.Seed(seed)}, w.options.Cluster...)...)
	Expect(err).NotTo(HaveOccurred())
	inBubble = cluster.HasClock()
	w.heard = 0
	w.cluster, w.ns = cluster, fmt.Sprintf("spec_%x", seed&0xffffff)
	begun(cluster.Journal())
	DeferCleanup(func() {
		ended(cluster.Journal())
		w.options.Journals.keep(cluster.Journal(), seed)
	})
	DeferCleanup(w.end)
	DeferOnFailure(w.explain)
	DeferCleanup(AttachProgressReporter(func() string {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return report.Cluster(ctx, cluster, shownEvents)
	}))
	w.run(ctx, "CREATE NAMESPACE {ns}")
}

// noting is the target, and the world notes what it boots.
func (w *world) noting(t target.Target) target.Target {
	return target.Decorate(t, func(c target.Cluster) (target.Cluster, error) {
		w.booted = c
		return c, nil
	})
}

// specSeed comes from Ginkgo's seed and the spec's own name, so that a spec
// makes the same choices alone and among others.
func specSeed() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", GinkgoRandomSeed(), CurrentSpecReport().FullText())
	return h.Sum64()
}

// end heals the cluster of a spec that passed and checks what it promises.
func (w *world) end(ctx SpecContext) {
	defer func() {
		cluster := w.cluster
		w.cluster = nil
		Expect(cluster.Close()).To(Succeed())
	}()
	if CurrentSpecReport().Failed() {
		return
	}
	err := w.cluster.Heal(ctx)
	if err == nil {
		err = w.cluster.VerifyInvariants(ctx)
	}
	if err != nil {
		w.explain(ctx)
	}
	Expect(err).NotTo(HaveOccurred())
}

// explain shows the cluster as it is. Once it is closed there is nothing to show.
func (w *world) explain(ctx SpecContext) {
	if w.cluster == nil {
		return
	}
	AddReportEntry("the cluster when the spec failed", shown(report.Cluster(ctx, w.cluster, shownEvents)), ReportEntryVisibilityFailureOrVerbose)
	if !w.cluster.Can(target.Logs) {
		return
	}
	for _, node := range w.cluster.Nodes() {
		log, err := node.Log(shownLog)
		if err != nil {
			log = err.Error()
		}
		if log != "" {
			AddReportEntry("the end of what "+node.String()+" wrote", shown(log), ReportEntryVisibilityFailureOrVerbose)
		}
	}
}

// shown is text that a report shows as it is.
type shown string

func (s shown) String() string { return string(s) }

// sql puts the spec's namespace into a statement, for {ns}.
func (w *world) sql(text string) string { return strings.ReplaceAll(text, "{ns}", w.ns) }

// run runs a statement on a random online node and expects it to succeed: at the first
// try in virtual time. On a real clock a busy machine may end a leadership without a
// fault, so there the statement is sent again as patiently does.
func (w *world) run(ctx context.Context, sql string, args ...any) harness.Result {
	GinkgoHelper()
	execute := w.cluster.ExecuteWithRetry
	if w.cluster.HasClock() {
		execute = w.cluster.ExecuteOnRandom
	}
	result, err := execute(ctx, w.sql(sql), args...)
	Expect(err).NotTo(HaveOccurred())
	return result
}

// runOn is run on one node.
func (w *world) runOn(ctx context.Context, node *harness.Node, sql string, args ...any) harness.Result {
	GinkgoHelper()
	execute := node.ExecuteWithRetry
	if w.cluster.HasClock() {
		execute = node.Execute
	}
	result, err := execute(ctx, w.sql(sql), args...)
	Expect(err).NotTo(HaveOccurred())
	return result
}

// openShop creates the tables of fixtures/shop.sql and fills them.
func (w *world) openShop(ctx context.Context) {
	GinkgoHelper()
	w.run(ctx, readFixture("shop.sql"))
}

// patiently runs a statement as a careful client does, who sends it again until
// it is answered, and expects it to succeed.
func (w *world) patiently(ctx context.Context, sql string, args ...any) harness.Result {
	GinkgoHelper()
	result, err := w.cluster.ExecuteWithRetry(ctx, w.sql(sql), args...)
	Expect(err).NotTo(HaveOccurred())
	return result
}

// leave takes a node offline; it is isolated unless another way is said.
func (w *world) leave(ctx context.Context, node int, way ...harness.Way) {
	GinkgoHelper()
	Expect(w.cluster.TakeNodeOffline(ctx, node, way...)).To(Succeed())
}

// comeBack brings nodes back and waits until they are online.
func (w *world) comeBack(ctx context.Context, nodes ...int) {
	GinkgoHelper()
	for _, node := range nodes {
		Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed())
	}
	for _, node := range nodes {
		Expect(w.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
	}
}

// comeBackAs brings a node back as the options say, and waits until it is online.
func (w *world) comeBackAs(ctx context.Context, node int, options ...harness.Return) {
	GinkgoHelper()
	Expect(w.cluster.BringNodeOnline(ctx, node, options...)).To(Succeed())
	Expect(w.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
}

// others are the indexes of all nodes without one.
func (w *world) others(than int) (others []int) {
	for _, node := range w.cluster.Nodes() {
		if node.Index() != than {
			others = append(others, node.Index())
		}
	}
	return others
}

// leader waits until there is one.
func (w *world) leader(ctx context.Context) int {
	GinkgoHelper()
	var leader int
	Eventually(ctx, func(ctx context.Context) (err error) {
		leader, err = w.cluster.Leader(ctx)
		return err
	}).Should(Succeed())
	return leader
}

// undisturbed does something, and expects that the leader leads on in its term. On a
// real clock a busy machine may end a leadership without a fault, so there it tries again
// until one attempt ends none: what always ends a leadership still fails.
func (w *world) undisturbed(ctx context.Context, do func(leader int)) {
	GinkgoHelper()
	attempt := func(ctx context.Context) error {
		leader := w.leader(ctx)
		term := statusOf(ctx, w.node(leader)).Term
		do(leader)
		if now := statusOf(ctx, w.node(leader)); now.Role != "leader" || now.Term != term {
			return fmt.Errorf("node %d led in term %d, and is now %s in term %d", leader, term, now.Role, now.Term)
		}
		return nil
	}
	if w.cluster.HasClock() {
		Expect(attempt(ctx)).To(Succeed())
		return
	}
	Eventually(ctx, attempt).WithTimeout(lastingWork).Should(Succeed())
}

// lastingWork bounds what writes hundreds of rows, one after the other: ten seconds'
// work on a busy machine, and so too much for the default of Eventually. The spec's
// own timeout comes next.
const lastingWork = 50 * time.Second

// node is the node of that index, which exists.
func (w *world) node(i int) *harness.Node {
	GinkgoHelper()
	node, err := w.cluster.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return node
}

// requires skips the spec on targets that lack an ability it needs.
func (w *world) requires(abilities ...target.Ability) {
	GinkgoHelper()
	for _, ability := range abilities {
		if !w.cluster.Can(ability) {
			Skip(fmt.Sprintf("this needs a target that can %s, and this one cannot", ability))
		}
	}
}

// needs skips the spec on clusters that are too small for it.
func (w *world) needs(nodes int) {
	GinkgoHelper()
	if size := w.cluster.Size(); size < nodes {
		Skip(fmt.Sprintf("this needs a cluster of %d nodes, and there are %d", nodes, size))
	}
}
