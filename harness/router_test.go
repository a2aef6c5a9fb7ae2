package harness_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
)

// lastOnly is a router that knows one node.
type lastOnly struct{}

func (lastOnly) One(_ context.Context, online []*harness.Node) (*harness.Node, error) {
	if len(online) == 0 {
		return nil, errors.New("no node")
	}
	return online[len(online)-1], nil
}

func (lastOnly) All(online []*harness.Node) []*harness.Node { return online[max(0, len(online)-1):] }

func toLast(harness.Router) harness.Router { return lastOnly{} }

var _ = Describe("A router", func() {
	It("chooses the nodes of every request, among those whose flag is up", func(ctx SpecContext) {
		c, _ := boot(harness.Routing(toLast))
		for _, expected := range []int{2, 1} {
			for range 5 {
				result, err := c.ExecuteOnRandom(ctx, "SELECT 1")
				Expect(err).NotTo(HaveOccurred())
				Expect(result.Node).To(Equal(expected))
				result, err = c.ExecuteWithRetry(ctx, "SELECT 1")
				Expect(err).NotTo(HaveOccurred())
				Expect(result.Node).To(Equal(expected))
			}
			Expect(c.ExecuteOnAll(ctx, "SELECT 1")).To(HaveExactElements(HaveField("Node", expected)))
			Expect(c.TakeNodeOffline(ctx, expected)).To(Succeed())
		}
	}, patience)

	It("returns why it has no node", func(ctx SpecContext) {
		c, _ := boot(harness.Size(1), harness.Routing(toLast))
		Expect(c.TakeNodeOffline(ctx, 0)).To(Succeed())
		Expect(c.ExecuteOnRandom(ctx, "SELECT 1")).Error().To(MatchError("no node"))
		Expect(c.ExecuteOnAll(ctx, "SELECT 1")).Error().To(MatchError(harness.ErrNoNodesOnline))
	}, patience)
})
