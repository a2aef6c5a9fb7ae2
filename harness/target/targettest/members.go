package targettest

import (
	"context"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ofMembers are the checks of Membership.
func ofMembers() []Check {
	needs := []target.Ability{target.Members}
	return []Check{
		{Name: "adds a node", Nodes: 3, Needs: needs, Alone: true, run: adds},
		{Name: "removes a node", Nodes: 3, Needs: needs, Alone: true, run: removes},
		{Name: "replaces a node", Nodes: 3, Needs: append(needs, target.Crash), Alone: true, run: replaces},
	}
}

func (s *subject) ids() (ids []string) {
	for i := range s.Nodes() {
		ids = append(ids, s.id(i))
	}
	return ids
}

func adds(ctx context.Context, s *subject) error {
	members, _ := target.As[target.Membership](s.Cluster)
	before := s.ids()
	added, err := members.Add(ctx, true)
	if err != nil {
		return wrong("Membership.Add", "no node can be added to a sound cluster: %v", err)
	}
	after := s.ids()
	if len(after) != len(before)+1 || !slices.Equal(after[:len(before)], before) || after[len(before)] != added.ID() {
		return wrong("Membership.Add", "nodes %q became %q, and the added node %q must be the last", before, after, added.ID())
	}
	if slices.Contains(before, added.ID()) {
		return wrong("Membership.Add", "the ID of the added node is that of another one: %q", added.ID())
	}
	if err := s.level(ctx); err != nil {
		return wrong("Membership.Add", "the added node %s does not catch up: %v", added.ID(), err)
	}
	if _, err := s.written(ctx, len(after)-1); err != nil {
		return wrong("Membership.Add", "the added node %s: %v", added.ID(), err)
	}
	return nil
}

func removes(ctx context.Context, s *subject) error {
	members, _ := target.As[target.Membership](s.Cluster)
	before := s.ids()
	i := s.ends(ctx)[0]
	if err := members.Remove(ctx, i); err != nil {
		return wrong("Membership.Remove", "node %s cannot be removed from a sound cluster: %v", s.id(i), err)
	}
	if after := s.ids(); !slices.Equal(before, after) {
		return wrong("Membership.Remove", "a removed node must keep its index: nodes %q became %q", before, after)
	}
	err, late := s.obeys(ctx, func(ctx context.Context) error {
		_, err := s.has(ctx, s.client(i), target.Local, 1)
		return err
	})
	if late || err == nil {
		return wrong("Membership.Remove", "node %s was removed, which ends it, and a read %s", s.id(i), succeededOr(late))
	}
	if _, err := s.written(ctx, s.others(i)...); err != nil {
		return wrong("Membership.Remove", "after node %s was removed: %v", s.id(i), err)
	}
	return nil
}

func replaces(ctx context.Context, s *subject) error {
	members, _ := target.As[target.Membership](s.Cluster)
	starter, _ := target.As[target.Starter](s.Cluster)
	before := s.ids()
	i := s.ends(ctx)[0]
	if err := starter.Crash(ctx, i); err != nil {
		return wrong("Starter.Crash", "node %s cannot be crashed: %v", s.id(i), err)
	}
	if err := members.Replace(ctx, i); err != nil {
		return wrong("Membership.Replace", "node %s, which has crashed, cannot be replaced: %v", s.id(i), err)
	}
	if after := s.ids(); len(after) != len(before) {
		return wrong("Membership.Replace", "a replaced node must keep its index: nodes %q became %q", before, after)
	}
	if err := s.level(ctx); err != nil {
		return wrong("Membership.Replace", "node %s, which was replaced, does not catch up: %v", s.id(i), err)
	}
	if _, err := s.written(ctx, i); err != nil {
		return wrong("Membership.Replace", "node %s, which was replaced: %v", s.id(i), err)
	}
	return nil
}
