package report_test

import (
	"context"
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report"
	"github.com/rejoin-db/rejoin/harness/target"
)

const patience = SpecTimeout(20 * time.Second)

// always makes a node show a status whatever it is.
func always(n *fake.Node, status target.Status) {
	n.OnStatus(func(context.Context, target.Status) (target.Status, error) { return status, nil })
}

var _ = Describe("Cluster", func() {
	var (
		c *harness.Cluster
		f *fake.Cluster
		j *journal.Journal
	)

	boot := func(ctx context.Context, size int) {
		GinkgoHelper()
		var t fake.Target
		var err error
		j = journal.New(0)
		c, err = harness.Boot(ctx, &t, harness.Journal(j), harness.Seed(42), harness.Size(size))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		f = t.Last()
	}

	// table is the report without its timeline and its events.
	table := func(ctx context.Context) string {
		text, _, _ := strings.Cut(report.Cluster(ctx, c, 0), "\ntimeline")
		return text
	}

	It("is a table of the nodes", func(ctx SpecContext) {
		boot(ctx, 5)
		always(f.Node(0), target.Status{State: target.Online, Role: "leader", Leader: "n0", Term: 12, CommitIndex: 123456, AppliedIndex: 123456,
			SnapshotIndex: 123000, LogEntries: 456, Memory: 50_000_000, Activities: target.Activities{{Work: target.SendingSnapshot}}})
		always(f.Node(1), target.Status{State: target.Syncing, Role: "follower", Leader: "n0", Term: 12, CommitIndex: 99, AppliedIndex: 7,
			SnapshotIndex: 5, Restores: 3, LastContact: 1234567 * time.Nanosecond, Behind: 92})
		always(f.Node(2), target.Status{State: target.Connecting, Role: "candidate", LastContact: -1})
		always(f.Node(3), target.Status{State: target.Failed, Role: "shutdown", Reason: "disk\tfull:\n no space left"})
		f.Node(4).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("connection\n\trefused")
		})
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 4)).To(Succeed())
		Expect(table(ctx)).To(Equal(`cluster of 5 nodes, quorum 3, seed 42

node  flag               health                             role       leader  term  commit  applied  behind  log  snapshot  restores  memory    last contact
0 n0  online             online (sending a snapshot)        leader     n0      12    123456  123456   0       456  123000    0         47.7 MiB  -
1 n1  online             syncing                            follower   n0      12    99      7        92      0    5         3         -         1ms ago
2 n2  offline (isolate)  connecting                         candidate  -       0     0       0        0       0    0         0         -         never
3 n3  online             failed (disk full: no space left)  shutdown   -       0     0       0        0       0    0         0         -         0s ago
4 n4  offline (isolate)  ask for status on node 4 (n4): connection refused
`))
	}, patience)

	It("shows failure modes, non-voters and faults in force, and omits removed nodes", func(ctx SpecContext) {
		boot(ctx, 4)
		Expect(c.AddNode(ctx, harness.NonVoter)).Error().To(Succeed())
		Expect(c.RemoveNode(ctx, 3)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 2, fault.Pause)).To(Succeed())
		Expect(c.SetLink(ctx, 2, fault.Clients, fault.Rule{Latency: time.Millisecond, Loss: 0.25})).To(Succeed())
		Expect(c.Cut(ctx, fault.Drop, fault.Link{From: 0, To: 1})).To(Succeed())
		Expect(c.SetDisk(ctx, 1, fault.Disk{Full: true, Lying: true})).To(Succeed())
		Expect(c.SetClock(ctx, 0, -time.Hour)).To(Succeed())
		Expect(table(ctx)).To(Equal(`cluster of 4 nodes, quorum 2, seed 42

node  flag             health             role                leader  term  commit  applied  behind  log  snapshot  restores  memory  last contact
0 n0  online           online             leader              n0      2     1       1        0       1    0         0         -       -
1 n1  offline (crash)  offline (crashed)  -                   -       -     -       -        -       -    -         -         -       -
2 n2  offline (pause)  offline (paused)   -                   -       -     -       -        -       -    -         -         -       -
4 n4  online           online             follower, no voter  n0      2     1       1        0       1    0         0         -       0s ago

faults in force:
  link 0->1: drop
  link 2->clients: latency 1ms, jitter 0s, loss 25%
  disk of node 1: full, lying
  clock of node 0: 1h0m0s behind
`))
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(table(ctx)).NotTo(ContainSubstring("faults in force"))
	}, patience)

	It("does without what a database does not know", func(ctx SpecContext) {
		boot(ctx, 1)
		always(f.Node(0), target.Status{})
		Expect(table(ctx)).To(HaveSuffix(`
node  flag    health  role  leader  term  commit  applied  behind  log  snapshot  restores  memory  last contact
0 n0  online  -       -     -       0     0       0        0       0    0         0         -       0s ago
`))
	}, patience)

	It("shows the others when one hangs, and ends with ctx", func(ctx SpecContext) {
		boot(ctx, 3)
		f.Node(0).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) {
			<-ctx.Done()
			return s, context.Cause(ctx)
		})
		for _, i := range []int{1, 2} { // which would not answer after ctx ends
			f.Node(i).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) { return s, ctx.Err() })
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		Expect(strings.Split(table(short), "\n")).To(ContainElements(
			HavePrefix("0 n0  online  ask for status on node 0 (n0): context deadline exceeded"),
			HavePrefix("1 n1  online  online  follower"), HavePrefix("2 n2  online  online  follower")))
	}, patience)

	It("ends with the latest events in order, timed from the first that is shown", func(ctx SpecContext) {
		boot(ctx, 1)
		begun := time.Now()
		for i, text := range []string{"too long ago", "second to begin", "first to begin", "much later"} {
			j.Record(journal.Event{At: begun.Add([]time.Duration{-time.Hour, 1500 * time.Microsecond, 0, time.Minute}[i]),
				Kind: journal.Note, Node: i - 1, Text: text})
		}
		j.Record(journal.Event{At: begun.Add(time.Minute), Took: 2 * time.Millisecond, Kind: journal.Operation, Node: 0,
			Text: "SELECT 1", Err: "cut\noff"})
		text := report.Cluster(ctx, c, 4)
		Expect(text[strings.Index(text, "\nlast"):]).To(Equal(`
last 4 of 6 events:
       +0.0ms  note node 1: first to begin
       +1.5ms  note node 0: second to begin
   +60000.0ms  note node 2: much later
   +60000.0ms  operation node 0: SELECT 1 (2ms) -> cut; off
`))
	}, patience)

	DescribeTable("shows as many events as there are and are wanted", func(ctx SpecContext, most int, expected string) {
		boot(ctx, 1)
		Expect(report.Cluster(ctx, c, most)).To(MatchRegexp(expected))
	},
		Entry("all", patience, -1, `\nlast 1 of 1 events:\n       \+0\.0ms  boot: 1 nodes, seed 42 \(.*s\)\n$`),
		Entry("none", patience, 0, `\nlast 0 of 1 events:\n$`),
	)
})
