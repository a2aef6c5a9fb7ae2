package specs

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness"
)

// wordlessEntry is the name of the report's hidden entry in a spec that was skipped because the database has no words for one
// of its statements.
const wordlessEntry = "no words"

// wordless knows specs that fail because of a statement which the database has no words for.
type wordless struct {
	mu       sync.Mutex
	clusters []*harness.Cluster // those of the spec under way
}

// begins forgets the clusters of the spec before.
func (w *wordless) begins(SpecReport) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clusters = nil
}

func (w *wordless) watch(c *harness.Cluster) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clusters = append(w.clusters, c)
}

// why returns the sentence of a statement that was not sent, if the message of a failure has it. Any other failure is one,
// whatever was not sent before.
func (w *wordless) why(message string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	message = strings.Join(strings.Fields(message), " ")
	for _, c := range w.clusters {
		for _, sentence := range c.Wordless() {
			if strings.Contains(message, strings.Join(strings.Fields(sentence), " ")) {
				return sentence
			}
		}
	}
	return ""
}

// count shows, after the last spec, how many were skipped and why.
func (w *wordless) count(report Report) {
	specs := make(map[string]int)
	for _, spec := range report.SpecReports {
		if spec.State != types.SpecStateSkipped {
			continue
		}
		for _, entry := range spec.ReportEntries {
			if entry.Name == wordlessEntry {
				specs[entry.StringRepresentation()]++
			}
		}
	}
	if len(specs) == 0 {
		return
	}
	lines, all := []string{}, 0
	for sentence, times := range specs {
		lines, all = append(lines, fmt.Sprintf("%3d  %s", times, sentence)), all+times
	}
	slices.Sort(lines)
	AddReportEntry(fmt.Sprintf("skipped because the database has no words for a statement: %d", all),
		shown(strings.Join(lines, "\n")), ReportEntryVisibilityAlways)
}
