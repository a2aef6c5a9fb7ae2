package harness_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("What a node has promised", func() {
	vote := func(term uint64, candidate string) target.Vote { return target.Vote{Term: term, For: candidate} }

	// shows lets node 1 show two statuses in turn, with an action between them.
	shows := func(ctx SpecContext, between func(c *harness.Cluster), first, second target.Status) error {
		c, f := boot()
		for i, s := range []target.Status{first, second} {
			f.Node(1).OnStatus(func(_ context.Context, is target.Status) (target.Status, error) {
				is.Term, is.Vote = s.Term, s.Vote
				return is, nil
			})
			Expect(node(c, 1).Status(ctx)).Error().NotTo(HaveOccurred())
			if i == 0 && between != nil {
				between(c)
			}
		}
		return c.VerifyInvariants(ctx)
	}

	DescribeTable("is broken when it is forgotten", func(ctx SpecContext, first, second target.Status, problem string) {
		Expect(shows(ctx, nil, first, second)).To(And(MatchError(harness.ErrInvariant), MatchError(ContainSubstring(problem))))
	},
		Entry("its vote", patience, target.Status{Term: 9, Vote: vote(9, "a")}, target.Status{Term: 9},
			"had voted for a in term 9, and has forgotten it"),
		Entry("whom it voted for", patience, target.Status{Term: 9, Vote: vote(9, "a")}, target.Status{Term: 9, Vote: vote(9, "b")},
			"voted in term 9 for a, and for b"),
		Entry("over a restart", patience, target.Status{Term: 9, Vote: vote(9, "a")}, target.Status{Term: 10, Vote: vote(8, "a")},
			"has forgotten it"),
	)

	DescribeTable("is kept", func(ctx SpecContext, first, second target.Status) {
		Expect(shows(ctx, nil, first, second)).To(Succeed())
	},
		Entry("when nothing changes", patience, target.Status{Term: 9, Vote: vote(9, "a")}, target.Status{Term: 9, Vote: vote(9, "a")}),
		Entry("when it votes again in a later term", patience, target.Status{Term: 9, Vote: vote(9, "a")},
			target.Status{Term: 10, Vote: vote(10, "b")}),
		Entry("when a late heartbeat takes it back a term", patience, target.Status{Term: 10, Vote: vote(10, "a")},
			target.Status{Term: 9, Vote: vote(10, "a")}),
		Entry("when a later term has no vote of it", patience, target.Status{Term: 9, Vote: vote(9, "a")},
			target.Status{Term: 12, Vote: vote(9, "a")}),
	)

	It("may be lost with a disk that lies", func(ctx SpecContext) {
		lies := func(c *harness.Cluster) { Expect(c.SetDisk(ctx, 1, fault.Disk{Lying: true})).To(Succeed()) }
		Expect(shows(ctx, lies, target.Status{Term: 9, Vote: vote(9, "a")}, target.Status{Term: 1})).To(Succeed())
	}, patience)
})
