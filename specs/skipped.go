package specs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// reportSkipped says at the end of a run how many specs were skipped, by the reason. Those that a filter left out, and those without
// words, are not counted: wordless counts the latter.
func reportSkipped(report Report) {
	if text := skippedBy(report); text != "" {
		fmt.Print(text)
	}
}

func skippedBy(report Report) string {
	whys, all := make(map[string]int), 0
	for _, spec := range report.SpecReports.WithLeafNodeType(types.NodeTypeIt).WithState(types.SpecStateSkipped) {
		why, _, _ := strings.Cut(spec.Failure.Message, "\n")
		counted := slices.ContainsFunc(spec.ReportEntries, func(e types.ReportEntry) bool { return e.Name == wordlessEntry })
		if why != "" && !counted {
			whys[why]++
			all++
		}
	}
	if all == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nSkipped, %d of %d:\n", all, report.PreRunStats.TotalSpecs)
	for _, why := range slices.SortedFunc(maps.Keys(whys), func(a, c string) int {
		if whys[a] != whys[c] {
			return whys[c] - whys[a]
		}
		return strings.Compare(a, c)
	}) {
		fmt.Fprintf(&b, "%5d  %s\n", whys[why], why)
	}
	return b.String()
}
