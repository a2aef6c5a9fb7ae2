package defects

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

func cluster() []Defect {
	const kind = "cluster"
	return []Defect{
		inTransport("two-leaders-in-one-term", kind,
			"a candidate counts votes that were not given", "suite:members",
			func(t embedded.Transport) embedded.Transport { return everyVote{t} }),
		inTransport("no-re-election", kind,
			"after the first leader, no node grants a vote", "suite:recovery",
			func(t embedded.Transport) embedded.Transport { return noVote{t} }),
		{
			Name: "election-ten-times-too-slow", Kind: kind, About: "suite:availability",
			Text:   "the election of a new leader takes ten times as long",
			target: slowed},
		{
			Name: "isolated-node-answers", Kind: kind, About: "suite:skip",
			Text: "an isolated node still answers its clients",
			target: planted{client: func(n target.Node) target.SQL {
				return sqlFunc(func(ctx context.Context, request target.Request) (target.Rows, error) {
					rows, err := n.Client().Query(ctx, request)
					if err != nil && target.OutcomeOf(err) == target.NotApplied {
						request.Consistency = target.Local
						return n.Inside().Query(ctx, request)
					}
					return rows, err
				})
			}}.plant},
		{
			Name: "leaving-looks-online", Kind: kind, About: "suite:health",
			Text: "a node that is leaving reports that it is online",
			target: planted{status: func(s target.Status) target.Status {
				if s.State == target.Leaving {
					s.State = target.Online
				}
				return s
			}}.plant},
		{
			Name: "all-forgets-a-node", Kind: kind, About: "suite:skip",
			Text:  "a statement for all nodes goes to all but one",
			route: func(r harness.Router) harness.Router { return forgetting{r} }},
		{
			Name: "all-asks-one-twice", Kind: kind, About: "suite:skip",
			Text:  "a statement for all nodes goes to one of them twice, and one gets none",
			route: func(r harness.Router) harness.Router { return doubling{r} }},
		{
			Name: "consistency-counts-only", Kind: kind, About: "suite:reads",
			Text: "a comparison of nodes compares only their numbers of rows",
			target: planted{client: func(n target.Node) target.SQL {
				return sqlFunc(func(ctx context.Context, request target.Request) (target.Rows, error) {
					rows, err := n.Client().Query(ctx, request)
					if err == nil && request.Consistency == target.Local {
						rows = alike{rows}
					}
					return rows, err
				})
			}}.plant},
		{
			Name: "all-offline-hangs", Kind: kind, About: "suite:all-offline",
			Text:  "if no node is online, a request hangs instead of failing",
			route: func(r harness.Router) harness.Router { return hanging{r} }},
		leaking("leaks-a-goroutine",
			"a node leaks a goroutine at every restart", "suite:modes",
			func(embedded.Life) {
				go func() { <-make(chan struct{}) }()
			}),
		leaking("leaks-a-file",
			"a node leaks an open file at every restart", "suite:modes",
			func(life embedded.Life) {
				_, _ = syscall.Open(life.Dir, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			}),
		leaking("leaks-a-process",
			"a node leaks a process at every restart", "suite:modes",
			func(embedded.Life) {
				_ = exec.Command("sleep", "20").Start() //nolint:noctx // the leak is the point
			}),
	}
}

const slowElection = 500 * time.Millisecond

// slowed returns the target with nodes that elect slowly at any pace.
func slowed(t target.Target) (target.Target, error) {
	pacer, can := t.(target.Pacer)
	if !can {
		return nil, fmt.Errorf("the pace of a %T cannot be set", t)
	}
	slow := unhurried{pacer.AtPace(slowElection), pacer}
	if seeder, can := slow.Target.(target.Seeder); can {
		return struct {
			unhurried
			target.Seeder
		}{slow, seeder}, nil
	}
	return slow, nil
}

type unhurried struct {
	target.Target
	pacer target.Pacer
}

func (u unhurried) AtPace(election time.Duration) target.Target {
	return u.pacer.AtPace(max(election, slowElection))
}

func inTransport(name, kind, text, about string, change func(embedded.Transport) embedded.Transport) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Transport: change}
	}}
}

// everyVote is a transport that reports every vote as granted.
type everyVote struct{ embedded.Transport }

func (everyVote) RequestVote(
	_ raft.ServerID, _ raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	resp.Term, resp.Granted = args.Term, true
	return nil
}

func (everyVote) RequestPreVote(
	_ raft.ServerID, _ raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse,
) error {
	resp.Term, resp.Granted = args.Term, true
	return nil
}

// noVote is a transport over which only the first leader can be elected.
type noVote struct{ embedded.Transport }

const firstTerm = 2

func (t noVote) RequestVote(
	id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	if args.Term > firstTerm {
		return errors.New("planted: no votes after the first term")
	}
	return t.Transport.RequestVote(id, to, args, resp)
}

// forgetting skips the last node.
type forgetting struct{ harness.Router }

func (forgetting) All(online []*harness.Node) []*harness.Node {
	if len(online) > 1 {
		return online[:len(online)-1]
	}
	return online
}

// doubling replaces the last node by the first.
type doubling struct{ harness.Router }

func (doubling) All(online []*harness.Node) []*harness.Node {
	if len(online) > 1 {
		return append(slices.Clone(online[:len(online)-1]), online[0])
	}
	return online
}

// hanging waits forever if no node is online.
type hanging struct{ harness.Router }

func (h hanging) One(ctx context.Context, online []*harness.Node) (*harness.Node, error) {
	if len(online) == 0 {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return h.Router.One(ctx, online)
}

// alike are rows with the same bytes.
type alike struct{ target.Rows }

func (alike) Raw() []byte { return []byte("a row") }

// leaking is a bug that leaks something at every start of a node but its first.
func leaking(name, text, about string, leak func(embedded.Life)) Defect {
	return Defect{Name: name, Kind: "cluster", Text: text, About: about, seams: func(life embedded.Life) embedded.Seams {
		return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
			if hasLived(s) {
				leak(life)
			}
			return s
		}}
	}}
}
