package report

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster is the table of a cluster's nodes, each asked past every fault, and
// its latest events. It blocks no longer than ctx allows.
func Cluster(ctx context.Context, c *harness.Cluster, events int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster of %d nodes, quorum %d, seed %d\n\n", c.Size(), c.Quorum(), c.Seed())
	writeNodes(ctx, &b, c)
	b.WriteByte('\n')
	writeEvents(&b, c.Journal(), events)
	return b.String()
}

func writeNodes(ctx context.Context, b *strings.Builder, c *harness.Cluster) {
	statuses, errs := ask(ctx, c.Nodes())
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "node\tflag\thealth\trole\tleader\tterm\tcommit\tapplied\tsnapshot\trestores\tlast contact")
	for i, node := range c.Nodes() {
		flag := "offline"
		if up, err := c.IsNodeOnline(node.Index()); err == nil && up {
			flag = "online"
		}
		if errs[i] != nil {
			fmt.Fprintf(w, "%d %s\t%s\t%s\n", node.Index(), node.ID(), flag, oneLine(errs[i].Error()))
			continue
		}
		status := statuses[i]
		fmt.Fprintf(w, "%d %s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", node.Index(), node.ID(), flag, health(status), dash(status.Role),
			dash(status.Leader), status.Term, status.CommitIndex, status.AppliedIndex, status.SnapshotIndex, status.Restores, contact(status))
	}
	_ = w.Flush() // into memory
}

// ask asks all nodes at once, so that one that hangs hides none of the others.
func ask(ctx context.Context, nodes []*harness.Node) ([]target.Status, []error) {
	statuses, errs := make([]target.Status, len(nodes)), make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { statuses[i], errs[i] = node.Status(ctx) })
	}
	wg.Wait()
	return statuses, errs
}

func health(s target.Status) string {
	if s.Reason != "" {
		return fmt.Sprintf("%s (%s)", s.State, oneLine(s.Reason))
	}
	return dash(string(s.State))
}

// oneLine keeps text from breaking the table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func contact(s target.Status) string {
	switch {
	case s.LastContact < 0:
		return "never"
	case s.Role == "leader":
		return "-"
	case s.LastContact > tooLong: // by a clock that is not the cluster's
		return "?"
	}
	return s.LastContact.Round(time.Millisecond).String() + " ago"
}

// tooLong is longer than any cluster lives. In virtual time it is the year 2000,
// but not for who asks from outside, as progress reports do.
const tooLong = 20 * 365 * 24 * time.Hour

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// writeEvents shows the latest events with the time since the first that is shown.
func writeEvents(b *strings.Builder, j *journal.Journal, most int) {
	events := j.Last(most)
	fmt.Fprintf(b, "last %d of %d events:\n", len(events), j.Total())
	if len(events) == 0 {
		return
	}
	first := events[0].At
	for _, e := range events {
		if e.At.Before(first) {
			first = e.At
		}
	}
	for _, e := range events {
		fmt.Fprintf(b, "  %+9.1fms  %s\n", float64(e.At.Sub(first).Microseconds())/1000, e)
	}
}
