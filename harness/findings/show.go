package findings

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/report"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Show is what the spec of a finding is given. Its methods are called by the goroutine of the spec.
type Show struct {
	finding  Finding
	of       subject
	clusters []*harness.Cluster
	seen     string
}

// Cluster boots a cluster of the target for the spec, blocks until all of its nodes are online, and closes it after the spec. It
// fails the spec if that fails, or if ctx ends before. The journal of the cluster is the history of the finding, and the faults in
// it are the schedule. Random choices come from Ginkgo's seed and the title. The options come last, and win: harness.Size(5) for
// five nodes instead of 3. A finding breaks promises, so no invariant is checked.
func (s *Show) Cluster(ctx context.Context, over target.Target, options ...harness.Option) *harness.Cluster {
	ginkgo.GinkgoHelper()
	cluster, err := harness.Boot(ctx, over, append([]harness.Option{harness.Seed(s.seed())}, options...)...)
	Expect(err).NotTo(HaveOccurred())
	s.clusters = append(s.clusters, cluster)
	ginkgo.DeferCleanup(cluster.Close)
	ginkgo.DeferOnFailure(func(ctx ginkgo.SpecContext) {
		const events = 40
		ginkgo.AddReportEntry("the cluster when the spec failed", report.Cluster(ctx, cluster, events),
			ginkgo.ReportEntryVisibilityFailureOrVerbose)
	})
	return cluster
}

// seed is that of the next cluster.
func (s *Show) seed() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %d", ginkgo.GinkgoRandomSeed(), s.finding.Title, len(s.clusters))
	return h.Sum64()
}

// Seen tells that the finding was seen, and how. A second call adds to the first.
func (s *Show) Seen(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	progress("seen: %s", said)
	if s.seen != "" {
		said = s.seen + "; " + said
	}
	s.seen = said
}

// record adds the Record to the report of the spec.
func (s *Show) record() {
	r := Record{Finding: s.finding, Database: s.of.database, Version: s.of.version, Seen: s.seen, Seed: ginkgo.GinkgoRandomSeed(),
		Command: command(s.finding.Title)}
	for _, cluster := range s.clusters {
		r.Schedule = append(r.Schedule, schedule(cluster.Journal().Events())...)
		path, err := s.save(cluster, len(r.History))
		Expect(err).NotTo(HaveOccurred(), "write the history")
		r.History = append(r.History, path)
	}
	ginkgo.AddReportEntry(Entry, r, ginkgo.ReportEntryVisibilityAlways)
}
