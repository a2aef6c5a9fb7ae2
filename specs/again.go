package specs

import (
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// again adds the command that runs a failed spec again to its report. It is called after the
// clean-up, so that a failure there is reported as well.
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
		AddReportEntry("run this spec again", shown(line), ReportEntryVisibilityFailureOrVerbose)
	}
}
