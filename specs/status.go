package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// statusOf is the status of a node, which must answer.
func statusOf(ctx context.Context, node *harness.Node) target.Status {
	GinkgoHelper()
	status, err := node.Status(ctx)
	Expect(err).NotTo(HaveOccurred())
	return status
}

// statusUnlessHung is the status of a node whose disk hangs. answered is false if the node says nothing meanwhile, which a
// database may do: its status waits for the disk too.
func statusUnlessHung(ctx context.Context, node *harness.Node) (status target.Status, answered bool) {
	GinkgoHelper()
	status, err := node.Status(ctx)
	if err != nil {
		Expect(err).To(MatchError(context.DeadlineExceeded))
	}
	return status, err == nil
}

// beRefused is beWithoutQuorum, or the end of a connection where a leader may end those of its clients in place of an answer.
func (env *environment) beRefused() types.GomegaMatcher {
	if env.holds(target.StepsDown) {
		return beWithoutQuorum()
	}
	return Or(beWithoutQuorum(), MatchError(target.ErrUnreachable), MatchError(target.ErrStopping), MatchError(target.ErrTimeout))
}

// beWithoutQuorum matches the error of a request that needs a leader with a quorum, which
// there is not.
func beWithoutQuorum() types.GomegaMatcher {
	return Or(MatchError(target.ErrNoLeader), MatchError(target.ErrNoQuorum))
}
