package harness_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("The address of a node", func() {
	at := func(address string) func(context.Context, target.Status) (target.Status, error) {
		return func(_ context.Context, s target.Status) (target.Status, error) {
			s.Address = address
			return s, nil
		}
	}

	It("is what the target says, also of a node that is offline", func(ctx SpecContext) {
		c, f := boot()
		f.Node(1).OnStatus(at("127.0.0.1:4001"))
		Expect(node(c, 1).Address(ctx)).To(Equal("127.0.0.1:4001"))
		Expect(c.TakeNodeOffline(ctx, 1, fault.Isolate)).To(Succeed())
		Expect(node(c, 1).Address(ctx)).To(Equal("127.0.0.1:4001"))
	}, patience)

	It("is an error of the node where it cannot be told", func(ctx SpecContext) {
		c, f := boot()
		_, err := node(c, 1).Address(ctx)
		Expect(err).To(MatchError("ask for address on node 1 (n1): the target does not tell the address of its nodes"))
		f.Node(1).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("gone")
		})
		_, err = node(c, 1).Address(ctx)
		Expect(err).To(MatchError("ask for address on node 1 (n1): gone"))
		removed := node(c, 2)
		Expect(c.RemoveNode(ctx, 2)).To(Succeed())
		_, err = removed.Address(ctx)
		Expect(errors.As(err, new(*harness.RemovedError))).To(BeTrue(), "%v", err)
		last := node(c, 0)
		Expect(c.Close()).To(Succeed())
		_, err = last.Address(ctx)
		Expect(err).To(MatchError(harness.ErrClosed))
	}, patience)
})
