package specs

import (
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/report"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster boots a cluster of the target for the current spec and returns it when all of its
// nodes are online. It fails the spec if that fails, or if ctx ends before. Call it in a set-up
// node or in the spec, with the context of that node. Cluster gives the spec what the specs
// of this package have:
//
//   - random choices of the cluster come from Ginkgo's seed and the text of the spec, so that
//     a spec makes the same choices alone and among others
//   - a spec that fails shows the nodes, what happened last and the end of the nodes' logs,
//     as does a progress report
//   - the cluster of a spec that passed is healed, and must keep what every cluster promises:
//     see harness.Cluster.Heal and harness.Cluster.VerifyInvariants
//   - what the makers of the database document as not promised does not count: see Judge
//   - no node may have said a line that tells of a bug, such as a panic: see ExpectAlarms
//   - the cluster is closed. Then no file, listening socket, child process or goroutine may be
//     left that was not there before the spec's first call of Cluster. A cluster that lasts for several
//     specs is released in place of that, if the spec passed and expects no alarms: see target.Reusable
//   - in a suite that Run or Main runs, the cluster has as many nodes as the settings say, its
//     journal is written to a file as they say, and a failure shows the command that runs the
//     spec again; the page of the run (reports/index.html beside the test, or none if suite.report says so) has the
//     journals of all specs. In other suites a cluster has 3 nodes.
//
// The options come after these, and win: harness.Size(5) for five nodes. In a container with
// virtual.Bubble() the target must be a virtual one. In an Ordered container call it in
// BeforeAll for a cluster that lasts for all of its specs.
func Cluster(ctx context.Context, t target.Target, options ...harness.Option) *harness.Cluster {
	GinkgoHelper()
	run := runOf(ctx)
	return bootCluster(ctx, t, append([]harness.Option{harness.Size(run.nodes)}, options...))
}

// Namespace creates a namespace for the current spec and returns its name, which comes from
// the cluster's seed. A namespace of that name is dropped first: where clusters are not made anew for each spec, an
// earlier run has left it. It fails the spec if the database refuses CREATE NAMESPACE.
func Namespace(ctx context.Context, cluster *harness.Cluster) string {
	GinkgoHelper()
	name := fmt.Sprintf("spec_%x", cluster.Seed()&0xffffff)
	_, err := cluster.ExecuteWithRetry(ctx, "CREATE NAMESPACE "+name)
	if errors.Is(err, target.ErrExists) {
		_, err = cluster.ExecuteWithRetry(ctx, "DROP NAMESPACE "+name+" CASCADE; CREATE NAMESPACE "+name)
	}
	Expect(err).NotTo(HaveOccurred())
	return name
}

// specCluster is the cluster of a spec, from its boot until the spec is over.
type specCluster struct {
	*harness.Cluster
	run    *run
	number int // of the clusters that this attempt at the spec has booted, from 1
	closed bool
}

func bootCluster(ctx context.Context, t target.Target, options []harness.Option) *harness.Cluster {
	GinkgoHelper()
	if t == nil {
		Fail("there is no target to boot a cluster of")
	}
	number := countCluster()
	run := runOf(ctx)
	if number == 1 { // its clean-up runs last, and sees what all clusters of the spec have left
		run.left = run.lookForLeftovers()
	}
	left := run.left
	cluster, err := harness.Boot(ctx, t, append([]harness.Option{harness.Seed(specSeed())}, options...)...)
	if size := (*target.SizeError)(nil); errors.As(err, &size) {
		Skip(size.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	if number == 1 {
		left.inBubble = cluster.Can(target.Time)
	}
	run.wordless.watch(cluster)
	begun(cluster.Journal())
	c := &specCluster{Cluster: cluster, run: run, number: number}
	DeferCleanup(c.saveJournal)
	DeferCleanup(c.end, NodeTimeout(longestEnd))
	DeferOnFailure(c.explain)
	DeferCleanup(AttachProgressReporter(func() string {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return report.Cluster(ctx, cluster, shownEvents)
	}))
	return cluster
}

// clusterEntry is the name of the report's hidden entry for each cluster that a spec boots.
const clusterEntry = "cluster"

// countCluster notes in the report of the spec that it boots a cluster, and returns the
// cluster's number among those of this attempt at the spec, from 1.
func countCluster() int {
	current, number := CurrentSpecReport(), 1
	attempt := fmt.Sprintf("attempt %d", current.NumAttempts)
	for _, entry := range current.ReportEntries {
		if entry.Name == clusterEntry && entry.StringRepresentation() == attempt {
			number++
		}
	}
	AddReportEntry(clusterEntry, attempt, ReportEntryVisibilityNever)
	return number
}

const (
	// longestEnd bounds, in real time, how long it takes to heal, check and close a cluster.
	longestEnd = 2 * time.Minute
	// shownEvents is how many events a failing spec shows.
	shownEvents = 40
	// shownLog is how many bytes of each node's log a failing spec shows.
	shownLog = 8 << 10
)

// end heals the cluster of a spec that passed, checks what it promises, and closes or releases it.
func (c *specCluster) end(ctx SpecContext) {
	sound := false
	defer func() {
		c.closed = true
		if sound {
			c.release(ctx)
		}
		Expect(c.Close()).To(Succeed())
	}()
	if CurrentSpecReport().Failed() {
		return
	}
	err := c.Heal(ctx)
	if err == nil {
		err = unexpected(c.Claims(), c.VerifyInvariants(ctx))
	}
	err = errors.Join(c.verifyLogs(), err) // a node that panicked may be why the cluster does not heal
	if err != nil {
		c.explain(ctx)
	}
	Expect(err).NotTo(HaveOccurred(), "the spec passed, and its cluster violates an invariant")
	sound = len(expectedAlarms()) == 0 // the next spec would find them in the logs
}

// release lets the target use the cluster again. That it does not is no failure of the spec: the reason is in the report.
func (c *specCluster) release(ctx context.Context) {
	kept, err := c.Release(ctx)
	if err != nil {
		AddReportEntry("released", shown(err.Error()), ReportEntryVisibilityFailureOrVerbose)
	}
	c.run.lasting = c.run.lasting || kept
}

// explain shows the cluster as it is. Once it is closed there is nothing to show.
func (c *specCluster) explain(ctx SpecContext) {
	if c.closed {
		return
	}
	noteSteps(c.Journal())
	now := shown(report.Cluster(ctx, c.Cluster, shownEvents))
	AddReportEntry("the cluster when the spec failed", now, ReportEntryVisibilityFailureOrVerbose)
	if !c.Can(target.Logs) {
		return
	}
	if err := c.verifyLogs(); err != nil {
		AddReportEntry("alarms", shown(err.Error()), ReportEntryVisibilityFailureOrVerbose)
	}
	for _, node := range c.Nodes() {
		log, err := node.Log(shownLog)
		if err != nil {
			log = err.Error()
		}
		if log != "" {
			AddReportEntry("the end of the log of "+node.String(), shown(log), ReportEntryVisibilityFailureOrVerbose)
		}
	}
}

func (c *specCluster) saveJournal() {
	ended(c.Journal())
	c.run.journals.keep(c.Cluster, c.number)
}

// shown is text that a report shows as it is.
type shown string

func (s shown) String() string { return string(s) }
