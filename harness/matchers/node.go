package matchers

import (
	"context"
	"fmt"

	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// BeOnline succeeds for a *harness.Node whose flag is online and which reports target.Online: it
// knows the leader and has caught up since it found it.
func BeOnline() types.GomegaMatcher { return be(target.Online) }

// BeConnecting succeeds for a *harness.Node that reports that it knows no leader.
func BeConnecting() types.GomegaMatcher { return be(target.Connecting) }

// BeSyncing succeeds for a *harness.Node that reports that it knows the leader and is behind.
func BeSyncing() types.GomegaMatcher { return be(target.Syncing) }

// BeLeaving succeeds for a *harness.Node that reports that it is stopping.
func BeLeaving() types.GomegaMatcher { return be(target.Leaving) }

// BeOffline succeeds for a *harness.Node that does not run or is paused. An isolated node runs,
// and reports that it is connecting. For the flag of a node see harness.Cluster.IsNodeOnline.
func BeOffline() types.GomegaMatcher { return be(target.Offline) }

// BeFailed succeeds for a *harness.Node that reports that its storage has failed. The reason is in
// its status.
func BeFailed() types.GomegaMatcher { return be(target.Failed) }

// be succeeds for a node that reports the state. To be online it needs its flag, too.
func be(state target.State) types.GomegaMatcher {
	return newMatcher("be "+string(state), func(ctx context.Context, node *harness.Node) (bool, string, error) {
		flag, err := node.Cluster().IsNodeOnline(node.Index())
		if err != nil {
			return false, "", err
		}
		status, err := node.Status(ctx)
		if err != nil {
			return false, "", err
		}
		holds := status.State == state && (flag || state != target.Online)
		return holds, fmt.Sprintf("its flag says %s; %s", flagWord(node, flag), shown(status)), nil
	})
}

// HaveCaughtUp succeeds for a *harness.Node that has applied the highest commit index that any
// node reports.
func HaveCaughtUp() types.GomegaMatcher {
	return newMatcher("have caught up", func(ctx context.Context, node *harness.Node) (bool, string, error) {
		var committed uint64
		var by *harness.Node
		for _, look := range node.Cluster().Observe(ctx) { // a node that does not answer is skipped
			if look.Err == nil && look.Status.CommitIndex > committed {
				committed, by = look.Status.CommitIndex, look.Node
			}
		}
		status, err := node.Status(ctx)
		switch {
		case err != nil:
			return false, "", err
		case by == nil:
			return false, "no node reports a commit index", nil
		case status.State == target.Offline:
			return false, shown(status), nil
		case status.AppliedIndex >= committed:
			return true, fmt.Sprintf("it has applied index %d of %d", status.AppliedIndex, committed), nil
		}
		return false, fmt.Sprintf("it is %d entries behind: %s has commit index %d; %s",
			committed-status.AppliedIndex, by, committed, shown(status)), nil
	})
}

func flagWord(node *harness.Node, up bool) string {
	mode, lost := node.Cluster().Lost(node.Index())
	switch {
	case up:
		return "online"
	case lost:
		return fmt.Sprintf("offline (%s)", mode)
	}
	return "offline"
}

func shown(s target.Status) string {
	text := "it reports state " + string(s.State)
	if s.Reason != "" {
		text += fmt.Sprintf(" (%s)", s.Reason)
	}
	if s.State == target.Offline {
		return text
	}
	leader := "no leader"
	if s.Leader != "" {
		leader = "leader " + s.Leader
	}
	text += fmt.Sprintf(", %s in term %d with %s, applied index %d", s.Role, s.Term, leader, s.AppliedIndex)
	if s.Behind > 0 {
		text += fmt.Sprintf(", %d behind", s.Behind)
	}
	if doing := s.Activities.String(); doing != "" {
		text += ", " + doing
	}
	return text
}
