package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster returns a table of the nodes' status, which is asked for past every fault, the faults in
// force, a timeline, and the latest events. It blocks for about a second at most, or until ctx ends.
func Cluster(ctx context.Context, c *harness.Cluster, events int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster of %d nodes, quorum %d, seed %d\n\n", c.Size(), c.Quorum(), c.Seed())
	writeNodes(ctx, &b, c)
	if faults := c.Faults().Lines(); len(faults) > 0 {
		fmt.Fprintf(&b, "\nfaults in force:\n  %s\n", strings.Join(faults, "\n  "))
	}
	b.WriteByte('\n')
	if timeline := Timeline(c.Journal().Events()); timeline != "" {
		b.WriteString(timeline + "\n")
	}
	writeEvents(&b, c.Journal(), events)
	return b.String()
}

func writeNodes(ctx context.Context, b *strings.Builder, c *harness.Cluster) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "node\tflag\thealth\trole\tleader\tterm\tcommit\tapplied\tbehind\tlog\tsnapshot\trestores\tmemory\tlast contact")
	for _, look := range c.Peek(ctx) {
		fmt.Fprintf(w, "%d %s\t%s\t", look.Node.Index(), look.Node.ID(), flag(c, look.Node))
		s := look.Status
		switch {
		case look.Err != nil:
			fmt.Fprintln(w, oneLine(look.Err.Error()))
		case s.State == target.Offline:
			fmt.Fprintln(w, health(s)+strings.Repeat("\t-", 11))
		default:
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", health(s), role(look.Node, s), dash(s.Leader), s.Term,
				s.CommitIndex, s.AppliedIndex, s.Behind, s.LogEntries, s.SnapshotIndex, s.Restores, memory(s), contact(s))
		}
	}
	_ = w.Flush() // into memory
}

// flag returns the node's flag, and the failure mode of an offline node.
func flag(c *harness.Cluster, node *harness.Node) string {
	if mode, lost := c.Lost(node.Index()); lost {
		return fmt.Sprintf("offline (%s)", mode)
	}
	if up, err := c.IsNodeOnline(node.Index()); err == nil && up {
		return "online"
	}
	return "offline"
}

// role returns the node's role, and says if the node does not vote.
func role(node *harness.Node, s target.Status) string {
	if node.Votes() {
		return dash(s.Role)
	}
	return dash(s.Role) + ", no voter"
}

// memory returns the memory of the node's process, in MiB.
func memory(s target.Status) string {
	if s.Memory == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(s.Memory)/(1<<20))
}

// health is the node's state, why, and the long work it is at.
func health(s target.Status) string {
	text := dash(string(s.State))
	for _, more := range []string{s.Reason, s.Activities.String()} {
		if more != "" {
			text += fmt.Sprintf(" (%s)", oneLine(more))
		}
	}
	return text
}

// oneLine puts a text into one line of the table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func contact(s target.Status) string {
	switch {
	case s.LastContact < 0:
		return "never"
	case s.Role == "leader":
		return "-"
	case s.LastContact > tooLong: // measured by another clock than the cluster's
		return "?"
	}
	return s.LastContact.Round(time.Millisecond).String() + " ago"
}

// tooLong is longer than any cluster lives. Virtual time is in the year 2000, but a progress report
// from outside the bubble has real time.
const tooLong = 20 * 365 * 24 * time.Hour

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// writeEvents shows the latest events with the time since the first that is shown. It leaves out
// samples and states, which the table has.
func writeEvents(b *strings.Builder, j *journal.Journal, most int) {
	events := j.Last(most, journal.Resource, journal.Shown)
	fmt.Fprintf(b, "last %d of %d events:\n", len(events), j.Total(journal.Resource, journal.Shown))
	if len(events) == 0 {
		return
	}
	// An event is recorded when it ends. A reader expects the order in which they began.
	slices.SortStableFunc(events, func(a, b journal.Event) int { return a.At.Compare(b.At) })
	first := events[0].At
	for _, e := range events {
		fmt.Fprintf(b, "  %+9.1fms  %s\n", float64(e.At.Sub(first).Microseconds())/1000, e)
	}
}
