package nemesis

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// cut drops every message on the fault's links.
func cut(ctx context.Context, in *Injection) (Undo, error) {
	links := in.fault.Links
	if err := in.cluster.Cut(ctx, fault.Drop, links...); err != nil {
		return nil, err
	}
	return in.mending(links), nil
}

// silent tells whether messages passed before and none since.
func silent(before, after Evidence) bool {
	return before.Links.Messages > 0 && after.Links.Messages == before.Links.Messages
}

// rule sets the fault's rule on its link.
func rule(ctx context.Context, in *Injection) (Undo, error) {
	link := in.fault.Links[0]
	if err := in.cluster.SetLink(ctx, link.From, link.To, *in.fault.Rule); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return in.unlessRemoved(in.cluster.SetLink(ctx, link.From, link.To, fault.Rule{}), link.From, link.To)
	}, nil
}

// passed tells whether messages passed since: the rule treated them.
func passed(before, after Evidence) bool { return after.Links.Messages > before.Links.Messages }

// mending returns the undoing that mends those of the links whose ends are still members.
func (in *Injection) mending(links []fault.Link) Undo {
	return func(ctx context.Context) error {
		var there []fault.Link
		var ends []int
		for _, link := range links {
			if in.nemesis.isMember(link.From) && in.nemesis.isMember(link.To) {
				there = append(there, link)
				ends = append(ends, link.From, link.To)
			}
		}
		if len(there) == 0 {
			return nil
		}
		return in.unlessRemoved(in.cluster.Mend(ctx, there...), ends...)
	}
}

// A message or a sync that takes a part of the election timeout longer delays an election at worst.
func partOfPace(pace time.Duration) time.Duration { return pace / 64 }

func halfOfPace(pace time.Duration) time.Duration { return pace / 2 }
