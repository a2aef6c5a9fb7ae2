package targettest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/fakedb"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
)

// mistake is a mistake in an adapter.
type mistake struct {
	name   string
	check  string // that finds it
	method string // that the check says to look at
	make   func(target.Cluster) target.Cluster
}

// hasty are options for wrong adapters: a check need not wait for long before it gives up.
var hasty = targettest.Options{Patience: time.Second, Silence: 50 * time.Millisecond}

// found tells what a check says of a target.
func found(ctx context.Context, t target.Target, name string) error {
	GinkgoHelper()
	checks := targettest.Checks()
	i := slices.IndexFunc(checks, func(c targettest.Check) bool { return c.Name == name })
	Expect(i).To(BeNumerically(">=", 0), "there is no check %q", name)
	return targettest.Try(ctx, t, checks[i], hasty)
}

// isFound makes the mistake in a target, and checks that it is found.
func (m mistake) isFound(ctx context.Context, in target.Target) {
	GinkgoHelper()
	wrong := target.Decorate(in, func(c target.Cluster) (target.Cluster, error) { return m.make(c), nil })
	err := found(ctx, wrong, m.check)
	var violation *targettest.Violation
	Expect(errors.As(err, &violation)).To(BeTrue(), "%v", err)
	Expect(violation.Method).To(ContainSubstring(m.method), "%v", err)
	AddReportEntry("found", err.Error(), ReportEntryVisibilityFailureOrVerbose)
}

var _ = Describe("An adapter with a mistake", func() {
	names := make(map[string]bool)
	for _, m := range slices.Concat(ofSides(), ofAnswers(), ofFaults(), ofAbilities()) {
		It(m.name+" is found", func(ctx SpecContext) {
			Expect(names).NotTo(HaveKey(m.name))
			names[m.name] = true
			m.isFound(ctx, &fakedb.Target{})
		}, SpecTimeout(time.Minute))
	}

	for _, m := range ofPlaces() { // fakedb has no addresses
		It(m.name+" is found", func(ctx SpecContext) {
			m.isFound(ctx, local.New(local.Options{}))
		}, SpecTimeout(time.Minute))
	}

	It("in its boot or its end is found", func(ctx SpecContext) {
		for check, t := range map[string]target.Target{
			"boots two clusters that do not see each other":        &single{},
			"refuses to boot a cluster without nodes":              atLeastOne{&fakedb.Target{}},
			"leaves nothing of a boot whose context has ended":     stubborn{&fakedb.Target{}, release(ctx)},
			"closes in the middle of requests, and leaves nothing": leaking(release(ctx)),
			"closes twice": closing(),
		} {
			var violation *targettest.Violation
			err := found(ctx, t, check)
			Expect(errors.As(err, &violation)).To(BeTrue(), "%s: %v", check, err)
		}
	}, SpecTimeout(time.Minute))

	It("in the size of its clusters is found", func(ctx SpecContext) {
		err := found(ctx, sized{&fakedb.Target{}}, "keeps values exact")
		Expect(err).To(MatchError("a cluster of 3 nodes was asked for, and has 4 (look at Cluster.Nodes)"))
	}, SpecTimeout(time.Minute))
})

var _ = Describe("A check", func() {
	It("has a name of its own, which completes a sentence", func() {
		names := make(map[string]bool)
		for _, c := range targettest.Checks() {
			Expect(c.Name).To(MatchRegexp(`^[a-z]+s [a-z].*[a-z]$`))
			Expect(names).NotTo(HaveKey(c.Name))
			names[c.Name] = true
		}
		Expect(len(names)).To(BeNumerically(">", 40))
	})

	It("is skipped with a sentence if the target lacks the ability, or the cluster is too small", func(ctx SpecContext) {
		plain := target.Decorate(&fakedb.Target{}, func(c target.Cluster) (target.Cluster, error) { return unable{c}, nil })
		skipped := 0
		for _, c := range targettest.Checks() {
			if len(c.Needs) > 0 {
				skipped++
				Expect(targettest.Try(ctx, plain, c, hasty)).To(MatchError(HavePrefix("the target cannot ")), c.Name)
			}
		}
		Expect(skipped).To(BeNumerically(">", 20))
		small := hasty
		small.Nodes = 1
		for _, c := range targettest.Checks() {
			err := targettest.Try(ctx, &fakedb.Target{}, c, small)
			if c.Nodes > 1 {
				Expect(err).To(MatchError(Or(Equal(fmt.Sprintf("the check needs %d nodes, and the cluster has 1", c.Nodes)),
					HavePrefix("the target cannot "))))
			} else {
				Expect(err).To(Or(BeNil(), BeAssignableToTypeOf(&targettest.Skipped{})), c.Name)
			}
		}
	}, SpecTimeout(time.Minute))
})

// unable has no ability at all.
type unable struct{ target.Cluster }

func (unable) Isolates() bool { return false }
