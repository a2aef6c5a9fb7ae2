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
func BeOnline() types.GomegaMatcher { return be(target.Online) }

// BeConnecting holds for a *harness.Node that shows that it knows of no leader.
func BeConnecting() types.GomegaMatcher { return be(target.Connecting) }

// BeSyncing holds for a *harness.Node that shows that it knows the leader, and is
// behind.
func BeSyncing() types.GomegaMatcher { return be(target.Syncing) }

// BeLeaving holds for a *harness.Node that shows that it has been asked to stop.
func BeLeaving() types.GomegaMatcher { return be(target.Leaving) }

// BeOffline holds for a *harness.Node that does not run, or is frozen. One that is
// only isolated runs on, and shows that it is connecting: whether the harness wants
// it online, its flag says.
func BeOffline() types.GomegaMatcher { return be(target.Offline) }

// BeFailed holds for a *harness.Node that shows that its storage has failed. Its
// message has the reason; to expect one, look at the status.
func BeFailed() types.GomegaMatcher { return be(target.Failed) }

// be holds for a node in that state, which to be online takes the flag, too.
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

// HaveCaughtUp holds for a *harness.Node that has applied everything that any
// node knows to be committed.
func HaveCaughtUp() types.GomegaMatcher {
	return newMatcher("have caught up", func(ctx context.Context, node *harness.Node) (bool, string, error) {
		var committed uint64
		var by *harness.Node
		for _, look := range node.Cluster().Observe(ctx) { // a node that is gone holds nobody up
			if look.Err == nil && look.Status.CommitIndex > committed {
				committed, by = look.Status.CommitIndex, look.Node
			}
		}
		status, err := node.Status(ctx)
		switch {
		case err != nil:
			return false, "", err
		case by == nil:
			return false, "no node says what is committed", nil
		case status.State == target.Offline:
			return false, shown(status), nil
		case status.AppliedIndex >= committed:
			return true, fmt.Sprintf("it has applied index %d of %d", status.AppliedIndex, committed), nil
		}
		return false, fmt.Sprintf("it is %d behind: %s knows index %d to be committed; %s",
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
	text := "it shows itself " + string(s.State)
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
