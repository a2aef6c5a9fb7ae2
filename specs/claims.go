package specs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Judge says that from here on a failed assertion of Gomega in the current spec means that the database has broken one of the
// promises. If its makers document one of them as not made (see target.Claimer), the failure is expected: in a suite that Run or
// Main runs, the spec is then skipped, with the claim and the failure, and is listed at the end of the run under what is expected.
// Without such a claim Judge changes nothing. Call it after the spec has proven that its fault took effect.
func Judge(ctx context.Context, cluster *harness.Cluster, promises ...target.Promise) {
	run := runOf(ctx)
	run.judged.note(cluster.Claims(), promises)
	DeferCleanup(run.judged.end)
}

// judges is Judge for the specs of this package. Without a promise, what follows judges none.
func (env *environment) judges(ctx context.Context, promises ...target.Promise) {
	Judge(ctx, env.cluster, promises...)
}

// expectation has the claims that the current spec judges, and that are not made. Ginkgo runs one spec at a time in a process,
// and gives its fail handler no context.
type expectation struct {
	mu     sync.Mutex
	claims []target.Claim
}

func (e *expectation) note(claims []target.Claim, promises []target.Promise) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.claims = slices.DeleteFunc(slices.Clone(claims), func(c target.Claim) bool { return c.Made || !slices.Contains(promises, c.Promise) })
}

func (e *expectation) end() { e.note(nil, nil) }

func (e *expectation) first() (target.Claim, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.claims) == 0 {
		return target.Claim{}, false
	}
	return e.claims[0], true
}

// expectedEntry is the name of the entry of a report that has the claim which is not made.
const expectedEntry = "expected"

func expect(claim target.Claim) {
	AddReportEntry(expectedEntry, claim.String(), ReportEntryVisibilityNever)
}

// unexpected is the error without what the makers of the database document as not promised. What is expected becomes an
// entry of the spec's report.
func unexpected(claims []target.Claim, err error) error {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		var rest []error
		for _, part := range joined.Unwrap() {
			rest = append(rest, unexpected(claims, part))
		}
		return errors.Join(rest...)
	}
	var broken *harness.InvariantError
	if !errors.As(err, &broken) {
		return err
	}
	i := slices.IndexFunc(claims, func(c target.Claim) bool { return !c.Made && c.Promise == broken.Promise })
	if i < 0 {
		return err
	}
	expect(claims[i])
	AddReportEntry("what is expected", shown(err.Error()), ReportEntryVisibilityFailureOrVerbose)
	return nil
}

// reportExpected lists the specs that showed what the database does not claim, by claim.
func reportExpected(report Report) {
	shows := make(map[string][]string)
	for _, spec := range report.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		seen := make(map[string]bool)
		for _, entry := range spec.ReportEntries {
			if claim := entry.StringRepresentation(); entry.Name == expectedEntry && !seen[claim] {
				seen[claim] = true
				shows[claim] = append(shows[claim], spec.FullText())
			}
		}
	}
	if len(shows) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\nExpected, and no failure:\n")
	claims := make([]string, 0, len(shows))
	for claim := range shows {
		claims = append(claims, claim)
	}
	slices.Sort(claims)
	for _, claim := range claims {
		fmt.Fprintf(&b, "  %s. Shown by:\n", claim)
		for _, text := range shows[claim] {
			fmt.Fprintf(&b, "    %s\n", text)
		}
	}
	fmt.Print(b.String())
}
