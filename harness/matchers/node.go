package matchers

import (
	"context"
	"fmt"

	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// BeOnline holds for a *harness.Node whose flag is up and that shows itself
// online: it knows its leader and has caught up with it since they met.
func BeOnline() types.GomegaMatcher {
	return newMatcher("be online", func(ctx context.Context, node *harness.Node) (bool, string, error) {
		flag, err := node.Cluster().IsNodeOnline(node.Index())
		if err != nil {
			return false, "", err
		}
		status, err := node.Status(ctx)
		if err != nil {
			return false, "", err
		}
		return flag && status.State == target.Online, fmt.Sprintf("its flag says %s; %s", flagWord(flag), shown(status)), nil
	})
}

// HaveCaughtUp holds for a *harness.Node that has applied everything that any
// node knows to be committed.
func HaveCaughtUp() types.GomegaMatcher {
	return newMatcher("have caught up", func(ctx context.Context, node *harness.Node) (bool, string, error) {
		var committed uint64
		var by *harness.Node
		for _, other := range node.Cluster().Nodes() {
			status, err := other.Status(ctx)
			if err != nil {
				continue // a node that is gone holds nobody up
			}
			if status.CommitIndex > committed {
				committed, by = status.CommitIndex, other
			}
		}
		if by == nil {
			return false, "no node says what is committed", nil
		}
		status, err := node.Status(ctx)
		if err != nil {
			return false, "", err
		}
		if status.AppliedIndex >= committed {
			return true, fmt.Sprintf("it has applied index %d of %d", status.AppliedIndex, committed), nil
		}
		return false, fmt.Sprintf("it is %d behind: %s knows index %d to be committed; %s",
			committed-status.AppliedIndex, by, committed, shown(status)), nil
	})
}

func flagWord(up bool) string {
	if up {
		return "online"
	}
	return "offline"
}

func shown(s target.Status) string {
	leader := "no leader"
	if s.Leader != "" {
		leader = "leader " + s.Leader
	}
	return fmt.Sprintf("it shows itself %s, %s in term %d with %s, applied index %d", s.State, s.Role, s.Term, leader, s.AppliedIndex)
}
