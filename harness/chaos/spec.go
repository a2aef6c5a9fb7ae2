package chaos

import (
	"fmt"
	"go/format"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/gocode"
)

// Place is where the cluster of a printed spec runs, as code.
type Place struct {
	// Target is an expression of type target.Target.
	Target string
	// Decorator is a decorator of the spec, such as virtual.Bubble(); none if empty.
	Decorator string
	// Before are statements that the target needs, such as building the nodes' program; none if empty.
	Before string
}

// Spec returns the schedule as the code of a Ginkgo spec. The spec boots the same cluster and plays the
// same schedule, by the code that Run uses, and judges by check.All. It imports Ginkgo, Gomega and what it
// names.
func Spec(s Schedule, p Place) (string, error) {
	schedule, err := gocode.NumberedLiteral(s)
	if err != nil {
		return "", fmt.Errorf("print a spec: %w", err)
	}
	decorator := ""
	if p.Decorator != "" {
		decorator = p.Decorator + ", "
	}
	minutes := time.Duration(5+int(s.Length.Minutes())) * time.Minute
	code := fmt.Sprintf(specCode, s.Seed, title(s), decorator, schedule, p.Before, p.Target, gocode.Duration(minutes))
	formatted, err := format.Source([]byte(code))
	if err != nil {
		return "", fmt.Errorf("print a spec: %w", err)
	}
	return string(formatted), nil
}

const specCode = `// Found with seed %d.
It(%q, %sfunc(ctx SpecContext) {
	schedule := %s
	%s
	options := chaos.Options{Judge: func(events []journal.Event) error { return check.All(events) }}
	cluster, err := chaos.Boot(ctx, %s, schedule, options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	outcome, err := chaos.Play(ctx, cluster, schedule, options)
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("faults", outcome.Faults, ReportEntryVisibilityFailureOrVerbose)
	Expect(outcome.Failure).To(BeNil())
}, SpecTimeout(%s))
`

// imports returns the packages that the code of a spec uses, besides Ginkgo and Gomega.
func imports(code string) []string {
	const kit = "github.com/rejoin-db/rejoin/harness"
	return gocode.Imports(code, "time", "github.com/onsi/gomega/gexec", kit+"/chaos", kit+"/check", kit+"/fault", kit+"/journal",
		kit+"/local", kit+"/process", kit+"/virtual")
}

// title names the spec after its kinds of faults.
func title(s Schedule) string {
	var kinds []string
	for _, e := range s.Faults {
		if !slices.Contains(kinds, string(e.Kind)) {
			kinds = append(kinds, string(e.Kind))
		}
	}
	if len(kinds) == 0 {
		return "keeps its promises"
	}
	return "keeps its promises over: " + strings.Join(kinds, ", ")
}
