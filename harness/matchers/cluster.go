package matchers

import (
	"context"
	"errors"
	"fmt"

	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
)

// HaveLeader holds for a *harness.Cluster in which a majority of all nodes, each
// asked past every fault, names one and the same node as leader.
func HaveLeader() types.GomegaMatcher {
	return newMatcher("have a leader", func(ctx context.Context, cluster *harness.Cluster) (bool, string, error) {
		leader, err := cluster.Leader(ctx)
		if err != nil {
			return false, err.Error(), nil
		}
		return true, fmt.Sprintf("node %d leads", leader), nil
	})
}

// BeConsistent holds for a *harness.Cluster whose online nodes all answer the
// queries alike, each from its own state; see harness.Cluster.VerifyDataConsistency.
// For each query it waits at most harness.Settling until all nodes have applied what is
// committed. A node that does not catch up, data that never stops changing, and a
// cluster with no node online are errors, which fail a negated assertion, too. To
// compare the nodes in the state of this instant, assert on harness.Cluster.AsIs.
func BeConsistent(queries ...string) types.GomegaMatcher {
	return newMatcher("be consistent", func(ctx context.Context, cluster *harness.Cluster) (bool, string, error) {
		if len(queries) == 0 {
			return false, "", errors.New("BeConsistent needs a query to compare the answers of")
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
		return true, fmt.Sprintf("all %d online nodes answer alike", len(cluster.OnlineNodes())), nil
	})
}

// compare has a bound of its own, because the nodes may have to catch up first.
func compare(ctx context.Context, cluster *harness.Cluster, query string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), harness.Settling)
	defer cancel()
	return cluster.VerifyDataConsistency(ctx, query)
}
