package specs

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

// ReportProgress has a suite of Ginkgo say how far it is, for the line that harness/cmd/live draws. Call it before RunSpecs. Suites
// that Suite.Run runs say it without this call. With a nil teller it does nothing.
func ReportProgress(said *progress.Teller, description string) {
	if said == nil {
		return
	}
	ReportBeforeSuite(func(report Report) {
		said.Begin(progress.Work{Name: description, Unit: "specs", All: report.PreRunStats.SpecsThatWillRun})
	})
	ReportBeforeEach(func(spec SpecReport) {
		if counts(spec) {
			said.Start(GinkgoParallelProcess(), briefly(spec))
		}
	})
	ReportAfterEach(func(spec SpecReport) {
		if counts(spec) {
			said.End(GinkgoParallelProcess(), briefly(spec), outcomeOf(spec), spec.RunTime)
		}
	})
}

// counts tells whether the spec is one of those that Ginkgo said will run.
func counts(spec SpecReport) bool {
	leftOut := spec.State.Is(types.SpecStatePending) || spec.State.Is(types.SpecStateSkipped) && spec.Failure.Message == ""
	return spec.LeafNodeType.Is(types.NodeTypeIt) && !leftOut
}

func outcomeOf(spec SpecReport) progress.Outcome {
	switch {
	case spec.Failed():
		return progress.Failed
	case spec.State.Is(types.SpecStatePassed):
		return progress.Passed
	default:
		return progress.Skipped
	}
}

// briefly is the text of a spec without its first container, which many specs share.
func briefly(spec SpecReport) string {
	texts := append(spec.ContainerHierarchyTexts, spec.LeafNodeText)
	if len(texts) > 2 {
		texts = texts[1:]
	}
	return strings.Join(texts, " ")
}
