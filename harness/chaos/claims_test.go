package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

var _ = Describe("What the makers of a database do not claim", func() {
	broken := func(rule string) error {
		return &check.RuleError{Rule: rule, Err: errors.Join(&check.Violation{Rule: "anomaly", Text: rule + " is broken"})}
	}
	lossy := []target.Claim{
		{Promise: target.Durability, Source: "the manual"},
		{Promise: target.Recency, Made: true, Source: "the manual"},
	}

	every := func(target.Assumption) bool { return true }

	DescribeTable("is expected", func(claims []target.Claim, err error, rest texts, expected int) {
		because, left := chaos.Unclaimed(claims, every, err)
		Expect(because).To(HaveLen(expected))
		if rest == nil {
			Expect(left).NotTo(HaveOccurred())
			return
		}
		for _, part := range rest {
			Expect(left).To(MatchError(ContainSubstring(part)))
		}
	},
		Entry("where nothing was found", lossy, nil, nil, 0),
		Entry("of a rule that relies on it", lossy, broken("durable"), nil, 1),
		Entry("of an invariant", lossy, fmt.Errorf("node n1: %w", &harness.InvariantError{Promise: target.Durability}), nil, 1),
		Entry("but not of an invariant that is claimed", lossy, &harness.InvariantError{Promise: target.OneWriter, Text: "two write"},
			texts{"two write"}, 0),
		Entry("but not of a rule that holds everywhere", lossy, broken("one leader a term"), texts{"one leader a term is broken"}, 0),
		Entry("but not without a claim", []target.Claim(nil), broken("durable"), texts{"durable is broken"}, 0),
		Entry("but not where the promise is made", []target.Claim{{Promise: target.Durability, Made: true}}, broken("durable"),
			texts{"durable is broken"}, 0),
		Entry("beside what is not", lossy, errors.Join(broken("durable"), broken("one leader a term"), errors.New("a node is down")),
			texts{"one leader a term is broken", "a node is down"}, 1),
		Entry("but not where a rule could not decide", lossy, &check.RuleError{Rule: "durable", Err: check.ErrUndecided},
			texts{check.ErrUndecided.Error()}, 0),
	)

	It("is that a node shows its client's writes, if its database does not declare so", func() {
		stale := broken("read your writes")
		because, rest := chaos.Unclaimed(nil, func(a target.Assumption) bool { return a != target.OwnWrites }, stale)
		Expect(rest).NotTo(HaveOccurred())
		Expect(because).To(HaveExactElements(ContainSubstring(string(target.OwnWrites))))
		because, rest = chaos.Unclaimed(nil, every, stale)
		Expect(rest).To(MatchError(stale))
		Expect(because).To(BeEmpty())
	})

	It("is for every rule", func() {
		for _, rule := range check.Rules() {
			if rule.Name == "one leader a term" {
				continue
			}
			because, _ := chaos.Unclaimed(lossy, every, broken(rule.Name))
			Expect(because).NotTo(BeEmpty(), rule.Name)
		}
	})

	It("fails no schedule, and is counted apart", func(ctx SpecContext) {
		judge := func([]journal.Event) error { return broken("durable") }
		claims := func(c target.Cluster) (target.Cluster, error) { return claimer{c, lossy}, nil }
		claiming := target.Decorate(virtual.New(virtual.Options{}), claims)
		var outcome *chaos.Outcome
		Expect(virtual.Run(ctx, func(ctx context.Context) {
			var err error
			outcome, err = chaos.Run(ctx, claiming, one(), chaos.Options{Judge: judge})
			Expect(err).NotTo(HaveOccurred())
		})).To(Succeed())
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Expected).To(ConsistOf(lossy[0].String()))

		s := chaos.NewSummary(time.Now())
		s.Add(outcome)
		Expect(s.Report()).To(ContainSubstring("expected in 1 schedules, and no failure: " + lossy[0].String() + "\n"))

		outcome, err := inBubble(ctx, one(), chaos.Options{Judge: judge}) // a database that claims everything
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).To(MatchError(ContainSubstring("durable is broken")))
		Expect(outcome.Expected).To(BeEmpty())
	}, patience)
})

// texts are texts that must be in an error.
type texts []string

// claimer is a cluster of a database whose makers say what they promise.
type claimer struct {
	target.Cluster
	claims []target.Claim
}

func (c claimer) Unwrap() target.Cluster { return c.Cluster }
func (c claimer) Claims() []target.Claim { return c.claims }
