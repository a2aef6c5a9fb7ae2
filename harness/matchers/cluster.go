package matchers

import (
	"context"
	"errors"
	"fmt"

	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
)

// HaveLeader succeeds for a *harness.Cluster in which a quorum of its voters reports the same
// running node as leader. Link faults do not affect it.
func HaveLeader() types.GomegaMatcher {
	return newMatcher("have a leader", func(ctx context.Context, cluster *harness.Cluster) (bool, string, error) {
		leader, err := cluster.Leader(ctx)
		if err != nil {
			return false, err.Error(), nil
		}
		return true, fmt.Sprintf("node %d leads", leader), nil
	})
}

// BeConsistent succeeds for a *harness.Cluster whose online nodes return equal answers to the
// queries, each from its own state; see harness.Cluster.VerifyDataConsistency. For each query it
// waits at most harness.Settling until all nodes have applied the commit index. A node that does
// not catch up, data that never stops changing, and a cluster without online nodes are errors,
// which fail a negated assertion, too. To compare the nodes as they are now, assert on
// harness.Cluster.AsIs.
func BeConsistent(queries ...string) types.GomegaMatcher {
	return newMatcher("be consistent", func(ctx context.Context, cluster *harness.Cluster) (bool, string, error) {
		if len(queries) == 0 {
			return false, "", errors.New("BeConsistent needs at least one query")
		}
		for _, query := range queries {
			err := compare(ctx, cluster, query)
			var difference *harness.InconsistencyError
			switch {
			case errors.As(err, &difference):
				return false, difference.Error(), nil
			case err != nil:
				return false, "", err
			}
		}
		return true, fmt.Sprintf("the answers of all %d online nodes are equal", len(cluster.OnlineNodes())), nil
	})
}

// compare has a timeout of its own, because the nodes may have to catch up first.
func compare(ctx context.Context, cluster *harness.Cluster, query string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), harness.Settling)
	defer cancel()
	return cluster.VerifyDataConsistency(ctx, query)
}
