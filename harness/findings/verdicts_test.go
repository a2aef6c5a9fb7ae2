package findings_test

import (
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/findings"
)

var _ = Describe("A verdict", func() {
	known := findings.Verdicts{
		Shown:    [][2]string{{"keeps a text", "a text is cut"}},
		Expected: [][2]string{{"is not stale", "stale reads are documented (manual, page 7)"}},
	}

	It("is that of a spec whose text ends so", func() {
		Expect(known.Of("A value keeps a text")).To(Equal("finding: a text is cut"))
		Expect(known.Of("A read is not stale")).To(Equal("expected: stale reads are documented (manual, page 7)"))
		Expect(known.Of("A read is not stale when strong")).To(BeEmpty())
	})

	It("is true for what passed, for findings and for what is expected", func() {
		spec := func(state types.SpecState, why string) types.SpecReport {
			return types.SpecReport{LeafNodeType: types.NodeTypeIt, State: state, Failure: types.Failure{Message: why}}
		}
		Expect(findings.Tally(types.Report{SpecReports: types.SpecReports{
			spec(types.SpecStatePassed, ""), spec(types.SpecStatePassed, ""), spec(types.SpecStateTimedout, "slow"),
			spec(types.SpecStateSkipped, known.Of("keeps a text")), spec(types.SpecStateSkipped, known.Of("is not stale")),
			spec(types.SpecStateSkipped, "the target cannot set clocks"), spec(types.SpecStateSkipped, ""),
			{LeafNodeType: types.NodeTypeReportAfterSuite, State: types.SpecStatePassed},
		}})).To(Equal("2 passed, 1 findings, 1 expected, 1 failed; 1 skipped, because the database lacks an ability. " +
			"A true verdict: 4 of 5."))
	})
})
