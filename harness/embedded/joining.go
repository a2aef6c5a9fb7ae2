package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// RefusedForGood returns whether a membership change was refused permanently: it cannot succeed with
// the current members.
func RefusedForGood(err error) bool {
	said, is := errors.AsType[*wire.Error](err)
	return is && (said.Code == CodeMembers || said.Code == CodeBadRequest)
}

func notNow(format string, args ...any) *answer {
	return unavailable(CodeMembersLater, format, args...)
}

func refuseMembers(format string, args ...any) *answer {
	return refuse(http.StatusConflict, CodeMembers, format, args...)
}

// changeMembersHere changes the members as the leader, one change at a time. The change also commits
// the earlier entries of the leader's term.
func (n *Node) changeMembersHere(ctx context.Context, l leader, change memberChange) error {
	select {
	case n.membersTurn <- struct{}{}:
		defer func() { <-n.membersTurn }()
	case <-ctx.Done():
		return notNow("another membership change is in progress")
	}
	members := n.configuration()
	if change.Add == nil {
		return n.removeHere(ctx, l, members, raft.ServerID(change.Remove))
	}
	wanted := raft.Server{ID: raft.ServerID(change.Add.ID), Address: raft.ServerAddress(change.Add.Address), Suffrage: raft.Nonvoter}
	if change.Add.Voter {
		wanted.Suffrage = raft.Voter
	}
	return n.addHere(ctx, l, members, wanted)
}

func (n *Node) removeHere(ctx context.Context, l leader, members raft.Configuration, id raft.ServerID) error {
	left := without(members, id)
	if err := n.enough(ctx, l, members, left); err != nil {
		return err
	}
	return n.askRaft(ctx, func(timeout time.Duration) raft.Future { return n.raft.RemoveServer(id, 0, timeout) })
}

// addHere makes the node the wanted member, whatever it is now.
func (n *Node) addHere(ctx context.Context, l leader, members raft.Configuration, wanted raft.Server) error {
	now, is := memberOf(members, wanted.ID)
	moved := is && now.Address != wanted.Address
	for _, other := range members.Servers {
		if other.ID != wanted.ID && other.Address == wanted.Address {
			return refuseMembers("address %s is that of member %s", other.Address, other.ID)
		}
	}
	demoted := is && now.Suffrage == raft.Voter && wanted.Suffrage != raft.Voter
	switch {
	case moved && n.is(wanted.ID) && string(wanted.Address) != n.Address():
		return refuseMembers("node %s is the leader and listens at %s, not at %s: only another leader can move it",
			wanted.ID, n.Address(), wanted.Address)
	case moved && demoted:
		return refuseMembers("member %s cannot get a new address and lose its vote at once: these are two changes", wanted.ID)
	case demoted:
		if err := n.enough(ctx, l, members, with(members, wanted)); err != nil {
			return err
		}
		return n.askRaft(ctx, func(timeout time.Duration) raft.Future { return n.raft.DemoteVoter(wanted.ID, 0, timeout) })
	}
	if !is || moved {
		if err := n.probe(ctx, wanted); err != nil {
			return err
		}
	}
	if wanted.Suffrage == raft.Voter && (!is || now.Suffrage != raft.Voter) {
		return n.admitVoter(ctx, l, wanted, is)
	}
	return n.put(ctx, l, members, wanted)
}

// put appends the member to the log.
func (n *Node) put(ctx context.Context, l leader, members raft.Configuration, wanted raft.Server) error {
	if err := n.enough(ctx, l, members, with(members, wanted)); err != nil {
		return err
	}
	return n.askRaft(ctx, func(timeout time.Duration) raft.Future {
		if wanted.Suffrage == raft.Voter {
			return n.raft.AddVoter(wanted.ID, wanted.Address, 0, timeout)
		}
		return n.raft.AddNonvoter(wanted.ID, wanted.Address, 0, timeout)
	})
}

// admitVoter makes a node a voter after it has caught up as a non-voter, so that a quorum never waits
// for a node that is behind. If the node does not catch up and was not a member before, it is
// removed again.
func (n *Node) admitVoter(ctx context.Context, l leader, voter raft.Server, member bool) error {
	listener := voter
	listener.Suffrage = raft.Nonvoter
	if err := n.put(ctx, l, n.configuration(), listener); err != nil {
		return err
	}
	err := n.untilCaughtUp(ctx, voter, n.raft.CommitIndex())
	if err == nil {
		err = n.put(ctx, l, n.configuration(), voter)
	}
	if refused, is := errors.AsType[*answer](err); is && !member {
		return n.takeBack(ctx, voter, refused)
	}
	return err
}

// takeBack removes a node that was not made a voter.
func (n *Node) takeBack(ctx context.Context, voter raft.Server, refused *answer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.config.WriteTimeout)
	defer cancel()
	err := n.askRaft(ctx, func(timeout time.Duration) raft.Future { return n.raft.RemoveServer(voter.ID, 0, timeout) })
	if err != nil {
		refused.body.Message += fmt.Sprintf("; it may still be a member that does not vote (%v)", err)
		return refused.withOutcome(OutcomeUnknown)
	}
	return refused
}

// askRaft makes Raft change the members, and returns the result. A change that waits too long for
// another one is abandoned before it is in the log.
func (n *Node) askRaft(ctx context.Context, ask func(timeout time.Duration) raft.Future) error {
	patience := n.config.WriteTimeout / 4
	err := n.wait(ctx, func() raft.Future { return ask(patience) })
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return errors.Join(errNotLeading, err)
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return notNow("leader %s has not committed an earlier change within %v", n.config.ID, patience)
	}
	return err
}

// enough refuses a change after which there would be no voter, or fewer reachable voters than a
// quorum. It accepts a change that leaves the voters the same.
func (n *Node) enough(ctx context.Context, l leader, before, after raft.Configuration) error {
	voters := votersOf(after)
	if slices.Equal(votersOf(before), voters) {
		return nil
	}
	if len(voters) == 0 {
		return refuseMembers("no voter would be left")
	}
	quorum := len(voters)/2 + 1
	reached := n.rounds.reached(ctx, voters, quorum, l.term, n.config.WriteTimeout/2)
	if len(reached) < quorum {
		return notNow("of the %d voters after the change, %d can be reached, but %d are a quorum", len(voters), len(reached), quorum)
	}
	return nil
}

// probe refuses a node that cannot be reached at its address, or has another ID or cluster.
func (n *Node) probe(ctx context.Context, node raft.Server) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.WriteTimeout/2)
	defer cancel()
	health, err := n.healthOf(ctx, node.Address)
	switch {
	case err != nil:
		return notNow("leader %s cannot reach node %s at %s: %v", n.config.ID, node.ID, node.Address, err)
	case health.ID != string(node.ID):
		return refuseMembers("at %s is node %s, not node %s", node.Address, health.ID, node.ID)
	case health.Cluster != "" && health.Cluster != n.identity.get().Cluster:
		return refuseMembers("%s at %s belongs to another cluster than this one, %s",
			memberName(health.ID, health.Cluster), node.Address, n.identity.get().Cluster)
	case health.State == Failed && health.Cluster != "", health.State == Leaving: // a first member with an emptied directory waits to be added
		return notNow("node %s at %s is %s", node.ID, node.Address, health.State)
	}
	return nil
}

// untilCaughtUp waits until the node has applied the entry of that index.
func (n *Node) untilCaughtUp(ctx context.Context, node raft.Server, index uint64) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeouts*n.config.WriteTimeout)
	defer cancel()
	var seen string
	for {
		health, err := n.healthOf(ctx, node.Address)
		switch {
		case err == nil && health.ID == string(node.ID) && health.AppliedIndex >= index:
			return nil
		case err != nil:
			seen = err.Error()
		default:
			seen = fmt.Sprintf("%s with %d of %d entries applied", health.State, health.AppliedIndex, index)
		}
		if l, _, _ := n.leaderState.look(); !l.self {
			return errors.New("this node no longer leads")
		}
		if err := n.pause(ctx, nil); err != nil {
			return notNow("node %s at %s has not caught up, so it was not made a voter: last seen %s", node.ID, node.Address, seen)
		}
	}
}

// healthOf returns the health of another node.
func (n *Node) healthOf(ctx context.Context, address raft.ServerAddress) (health Health, err error) {
	target := url.URL{Scheme: "http", Host: string(address), Path: healthPath}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return health, err
	}
	response, err := n.send(request)
	if err != nil {
		return health, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return health, errors.New(response.Status)
	}
	return health, json.NewDecoder(io.LimitReader(response.Body, maxHealthAnswer)).Decode(&health)
}

const maxHealthAnswer = 1 << 20 // bytes

func memberOf(members raft.Configuration, id raft.ServerID) (raft.Server, bool) {
	i := slices.IndexFunc(members.Servers, func(s raft.Server) bool { return s.ID == id })
	if i < 0 {
		return raft.Server{}, false
	}
	return members.Servers[i], true
}

// with returns the members, with member added or replaced.
func with(members raft.Configuration, member raft.Server) raft.Configuration {
	changed := without(members, member.ID)
	changed.Servers = append(changed.Servers, member)
	return changed
}

func without(members raft.Configuration, id raft.ServerID) raft.Configuration {
	left := members.Clone()
	left.Servers = slices.DeleteFunc(left.Servers, func(s raft.Server) bool { return s.ID == id })
	return left
}
