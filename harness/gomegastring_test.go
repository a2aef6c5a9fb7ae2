package harness_test

import (
	"context"
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/format"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("An error in Gomega", func() {
	refused := &target.Error{Node: "n1", Code: "BUSY", Message: "later", Outcome: target.NotApplied, Temporary: true}

	DescribeTable("is its type, its text and the reason, and none of its fields", func(err error, reason string) {
		text := strings.Count(err.Error(), "\n") + 1
		shown := strings.Split(format.Object(err, 0), "\n")
		Expect(shown).To(HaveLen(1+text+1), "%s", strings.Join(shown, "\n"))
		Expect(shown[len(shown)-1]).To(Equal(reason))
	},
		Entry("of a request", refused, "BUSY, not applied, temporary"),
		Entry("of a request without a code", &target.Error{Message: "gone"}, "gone, unknown"),
		Entry("of a node", &harness.NodeError{Node: 1, ID: "n1", Action: "execute", Err: refused},
			"node 1: execute: BUSY, not applied, temporary"),
		Entry("of a node, by any error", &harness.NodeError{Node: 1, ID: "n1", Action: "stop", Err: errors.New("no\nand no")},
			"node 1: stop: no"),
		Entry("of an index", &harness.IndexError{Index: 7, Size: 3}, "index 7 of 3 nodes"),
		Entry("of a removed node", &harness.RemovedError{Node: 2, ID: "n2"}, "node 2 was removed"),
		Entry("of an ability", &harness.UnsupportedError{Ability: target.Pause}, "unsupported: "+string(target.Pause)),
		Entry("of a difference", &harness.InconsistencyError{B: consistency.Side{Node: 2}}, "node 0 and node 2 differ"),
		Entry("of no node", harness.ErrNoNodesOnline, "no node was asked"),
		Entry("of a flag", &harness.WaitError{Node: 1, Err: context.DeadlineExceeded}, "node 1 is offline by its flag"),
		Entry("of a missing quorum", &harness.WaitError{Node: 1, Flag: true, Voters: 3, OnlineVoters: 1, Err: context.DeadlineExceeded},
			"no quorum: 1 of 3 voters online, 2 needed"),
		Entry("of failed storage", &harness.WaitError{Node: 1, Flag: true, Err: harness.ErrFailed}, "node 1 has failed"),
	)

	It("says of a wait how far the node was behind, and of several errors the reason of each", func(ctx SpecContext) {
		c, f := boot()
		for i := range 3 {
			f.Node(i).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
				s.State, s.AppliedIndex, s.CommitIndex = target.Syncing, 8, 9
				return s, nil
			})
		}
		err := c.WaitForAllOnline(shortly(ctx))
		Expect(err).To(HaveOccurred())
		Expect(format.Object(err, 0)).To(HaveSuffix("\nnode 0 is 1 entry behind; node 1 is 1 entry behind; node 2 is 1 entry behind"))
		Expect(errors.As(err, new(*harness.WaitError))).To(BeTrue())
	}, patience)
})
