package specs

import (
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// again adds the command that runs a failed spec again to its report: when all of the spec
// is over, so that what fails in its clean-up has one too.
func (o Options) again(report SpecReport) {
	if o.Again == nil || !report.Failed() || !report.LeafNodeType.Is(types.NodeTypeIt) {
		return
	}
	journal := ""
	for _, entry := range report.ReportEntries {
		if entry.Name == journalEntry {
			journal = entry.StringRepresentation()
		}
	}
	if line := o.Again(GinkgoRandomSeed(), report.FullText(), journal); line != "" {
		AddReportEntry("to run it again", shown(line), ReportEntryVisibilityFailureOrVerbose)
	}
}
