package live

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness"
)

var clusterVerbs = []verb{
	{"heal", ofCluster, words("heal"), heal},
	{"add node", ofCluster, words("add a node"), addNode},
	{"invariants", ofCluster, words("check the invariants"), invariants},
	{"compare", func(Action) string { return "rows" }, words("compare what the nodes answer"), compare},
}

func heal(ctx context.Context, c *harness.Cluster, _ Action) (done, error) {
	return "All faults are undone, and all nodes are online", c.Heal(ctx)
}

func addNode(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	suffrage := harness.Voter
	switch a.Suffrage {
	case "", string(harness.Voter):
	case string(harness.NonVoter):
		suffrage = harness.NonVoter
	default:
		return "", bad("a node is added as a %s or a %s, not as a %q", harness.Voter, harness.NonVoter, a.Suffrage)
	}
	n, err := c.AddNode(ctx, suffrage)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Node %d is added", n.Index()), nil
}

func invariants(ctx context.Context, c *harness.Cluster, _ Action) (done, error) {
	return "All invariants hold: leaders, votes, digests, members, and acknowledged requests", c.VerifyInvariants(ctx)
}

func compare(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	if a.SQL == "" {
		return "", bad("there is no query to compare")
	}
	return "All nodes that are online have applied what is committed, and answer alike", c.VerifyDataConsistency(ctx, a.SQL)
}
