package specs

import (
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

func TestSkippedBy(t *testing.T) {
	spec := func(state types.SpecState, why string, entries ...types.ReportEntry) types.SpecReport {
		return types.SpecReport{LeafNodeType: types.NodeTypeIt, State: state, Failure: types.Failure{Message: why}, ReportEntries: entries}
	}
	report := types.Report{PreRunStats: types.PreRunStats{TotalSpecs: 7}, SpecReports: types.SpecReports{
		spec(types.SpecStatePassed, ""), spec(types.SpecStateFailed, "it broke"), spec(types.SpecStateSkipped, ""),
		spec(types.SpecStateSkipped, "no clocks"), spec(types.SpecStateSkipped, "no disks"), spec(types.SpecStateSkipped, "no disks\nat all"),
		spec(types.SpecStateSkipped, "no words", types.ReportEntry{Name: wordlessEntry}),
	}}
	const want = "\nSkipped, 3 of 7:\n    2  no disks\n    1  no clocks\n"
	if got := skippedBy(report); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := skippedBy(types.Report{SpecReports: report.SpecReports[:3]}); got != "" {
		t.Errorf("got %q of a run that skips nothing", got)
	}
}
