package targettest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ofStatus are the checks of Node.Status.
func ofStatus() []Check {
	return []Check{
		{Name: "names its nodes once and for all", run: names},
		{Name: "tells one leader in a term", run: tellsLeader},
		{Name: "counts terms and indexes upwards, and counts writes", Nodes: 3, run: countsUp},
		{Name: "tells of an isolated leader that another one leads", Nodes: 3, Needs: []target.Ability{target.Isolate}, run: tellsNextLeader},
	}
}

func names(ctx context.Context, s *subject) error {
	seen := make(map[string]bool)
	for i, n := range s.Nodes() {
		id := n.ID()
		if id == "" || seen[id] {
			return wrong("Node.ID", "node %d has the ID %q, which is empty or that of another node", i, id)
		}
		seen[id] = true
	}
	for i, n := range s.Nodes() {
		id := n.ID()
		status, err := n.Status(ctx)
		if err != nil {
			return wrong("Node.Status", "the status of the sound node %s cannot be read: %v", id, err)
		}
		if status.ID != id {
			return wrong("Status.ID", "the status of node %s is that of %q", id, status.ID)
		}
		if s.id(i) != id {
			return wrong("Cluster.Nodes", "node %d is %s at one time and %s at another", i, id, s.id(i))
		}
		err = s.await(ctx, func(ctx context.Context) error {
			status, err = n.Status(ctx)
			if err == nil && status.State != target.Online {
				err = fmt.Errorf("it is %q", status.State)
			}
			return err
		})
		if err != nil {
			return wrong("Status.State", "node %s takes writes and is not %q: %v", id, target.Online, err)
		}
	}
	return nil
}

// statuses are those of the nodes that answer.
func (s *subject) statuses(ctx context.Context) (all []target.Status) {
	for _, n := range s.Nodes() {
		if status, err := n.Status(ctx); err == nil {
			all = append(all, status)
		}
	}
	return all
}

// agree checks that no two nodes tell of two leaders in one term.
func agree(all []target.Status) error {
	leaders, led := make(map[uint64]string), make(map[uint64]string)
	for _, status := range all {
		for _, term := range status.LedTerms {
			if was, is := led[term]; is && was != status.ID {
				return wrong("Status.LedTerms", "nodes %s and %s both led in term %d", was, status.ID, term)
			}
			led[term] = status.ID
		}
		if status.Leader == "" || status.Term == 0 {
			continue
		}
		if was, is := leaders[status.Term]; is && was != status.Leader {
			return wrong("Status.Leader", "in term %d, one node names %s as the leader and another %s", status.Term, was, status.Leader)
		}
		leaders[status.Term] = status.Leader
	}
	return nil
}

func tellsLeader(ctx context.Context, s *subject) error {
	var ids []string
	for i := range s.Nodes() {
		ids = append(ids, s.id(i))
	}
	err := s.await(ctx, func(ctx context.Context) error {
		all := s.statuses(ctx)
		if len(all) < len(ids) {
			return errors.New("not all nodes tell their status")
		}
		for _, status := range all {
			if status.Leader != all[0].Leader {
				return fmt.Errorf("node %s names %q as the leader, and node %s %q", all[0].ID, all[0].Leader, status.ID, status.Leader)
			}
		}
		if all[0].Leader != "" && !slices.Contains(ids, all[0].Leader) {
			return fmt.Errorf("the leader %q is no ID of a node: %q", all[0].Leader, ids)
		}
		return agree(all)
	})
	if err != nil {
		return wrong("Status.Leader", "the nodes of a sound cluster do not agree on a leader: %v", err)
	}
	return nil
}

func countsUp(ctx context.Context, s *subject) error {
	seen := make([]target.Status, len(s.Nodes()))
	look := func() error {
		for i, n := range s.Nodes() {
			status, err := n.Status(ctx)
			if err != nil {
				return wrong("Node.Status", "the status of node %s, which runs, cannot be read: %v", s.id(i), err)
			}
			for _, number := range []struct {
				name     string
				was, now uint64
			}{
				{"Term", seen[i].Term, cmp.Or(status.Term, seen[i].Term)}, // 0: it does not know it now
				{"CommitIndex", seen[i].CommitIndex, cmp.Or(status.CommitIndex, seen[i].CommitIndex)},
				{"AppliedIndex", seen[i].AppliedIndex, status.AppliedIndex}, {"SnapshotIndex", seen[i].SnapshotIndex, status.SnapshotIndex},
			} {
				if number.now < number.was {
					return wrong("Status."+number.name, "the %s of node %s, which runs, went back from %d to %d",
						number.name, s.id(i), number.was, number.now)
				}
			}
			seen[i] = status
		}
		return agree(seen)
	}
	lookAround := func(writes int) error {
		for range writes {
			if _, err := s.written(ctx, s.others(-1)...); err != nil {
				return wrong("Node.Client", "%v", err)
			}
			if err := look(); err != nil {
				return err
			}
		}
		return nil
	}
	const few = 10
	if err := look(); err != nil {
		return err
	}
	first := slices.Clone(seen)
	if err := lookAround(few); err != nil {
		return err
	}
	for i, status := range seen {
		if status.CommitIndex != 0 && status.CommitIndex <= first[i].CommitIndex {
			return wrong("Status.CommitIndex", "the commit index of node %s is %d after %d writes, and was %d before",
				s.id(i), status.CommitIndex, few, first[i].CommitIndex)
		}
	}
	for _, i := range s.ends(ctx) {
		if err := s.isolated(ctx, i, func() error { return lookAround(few) }); err != nil {
			return err
		}
		if err := lookAround(few); err != nil {
			return err
		}
	}
	return nil
}

func tellsNextLeader(ctx context.Context, s *subject) error {
	leader := s.leader(ctx)
	return s.isolated(ctx, leader, func() error {
		if _, err := s.written(ctx, s.others(leader)...); err != nil {
			return wrong("Cluster.Isolate", "while node %s is isolated: %v", s.id(leader), err)
		}
		err := s.await(ctx, func(ctx context.Context) error {
			for _, i := range s.others(leader) {
				status, err := s.Nodes()[i].Status(ctx)
				if err != nil {
					return err
				}
				if status.Leader == s.id(leader) {
					return fmt.Errorf("node %s still names %s", s.id(i), s.id(leader))
				}
			}
			return agree(s.statuses(ctx))
		})
		if err != nil {
			return wrong("Status.Leader", "the leader %s is isolated and the others take writes: %v", s.id(leader), err)
		}
		return nil
	})
}
