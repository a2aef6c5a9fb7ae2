package specs

import (
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/junit"
)

// reportAgain adds the command that runs a failed spec again to its report: when all of the
// spec is over, so that a failure in its clean-up has one too.
func (r *run) reportAgain(report SpecReport) {
	if r.again == nil || !report.Failed() || !report.LeafNodeType.Is(types.NodeTypeIt) {
		return
	}
	journal := ""
	for _, entry := range report.ReportEntries {
		if entry.Name == junit.JournalEntry {
			journal = entry.StringRepresentation()
		}
	}
	if line := r.again(GinkgoRandomSeed(), report.FullText(), journal); line != "" {
		AddReportEntry(junit.AgainEntry, shown(line), ReportEntryVisibilityFailureOrVerbose)
	}
}
