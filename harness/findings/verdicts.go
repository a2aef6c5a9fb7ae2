package findings

import (
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// Verdicts are the specs of the suite that a database does not pass: pairs of the end of a spec's text, and why.
type Verdicts struct {
	Shown    [][2]string // a finding makes the spec fail: which one
	Expected [][2]string // the makers do not make the promise of the spec: where they say so, or what takes its place
}

// What the reasons of skipped specs begin with.
const (
	asFinding  = "finding: "
	asExpected = "expected: "
)

// Declare skips the specs that have a verdict, unless all are asked for, and prints the number of specs by verdict at the end of the
// suite. Call it once, before specs are declared or at the top level. The result is always true.
func (v Verdicts) Declare(all bool) bool {
	if !all {
		ginkgo.BeforeEach(func() {
			if why := v.Of(ginkgo.CurrentSpecReport().FullText()); why != "" {
				ginkgo.Skip(why)
			}
		})
	}
	return ginkgo.ReportAfterSuite("verdicts", func(report ginkgo.Report) {
		if report.SpecReports.CountWithState(types.SpecStatePassed|types.SpecStateFailureStates) > 0 { // else the suite was not asked for
			fmt.Println("\n" + Tally(report))
		}
	})
}

// Of is the verdict of a spec by its text, as a reason to skip it; "" for a spec without one.
func (v Verdicts) Of(text string) string {
	for _, v := range v.Shown {
		if strings.HasSuffix(text, v[0]) {
			return asFinding + v[1]
		}
	}
	for _, v := range v.Expected {
		if strings.HasSuffix(text, v[0]) {
			return asExpected + v[1]
		}
	}
	return ""
}

// Tally counts the specs of a report that a filter did not leave out: those with a true verdict, which have passed, or are skipped as
// a finding or as expected; those that failed; and those that are skipped because the database lacks an ability.
func Tally(report types.Report) string {
	counts := make(map[string]int)
	for _, spec := range report.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		kind := spec.State.String()
		switch {
		case spec.State.Is(types.SpecStateFailureStates):
			kind = "failed"
		case spec.State == types.SpecStateSkipped && spec.Failure.Message == "":
			continue // a filter has left it out
		case strings.HasPrefix(spec.Failure.Message, asFinding):
			kind = "finding"
		case strings.HasPrefix(spec.Failure.Message, asExpected):
			kind = "expected"
		}
		counts[kind]++
	}
	judged := counts["passed"] + counts["finding"] + counts["expected"]
	return fmt.Sprintf("%d passed, %d findings, %d expected, %d failed; %d skipped, because the database lacks an ability. "+
		"A true verdict: %d of %d.", counts["passed"], counts["finding"], counts["expected"], counts["failed"], counts["skipped"],
		judged, judged+counts["failed"])
}
