package embedded

import (
	"context"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// leadership implements Leadership for a node.
type leadership struct{ node *Node }

var _ Leadership = leadership{}

func (s leadership) Leads() uint64 {
	l, _, _ := s.node.leaderState.look()
	if !l.self {
		return 0
	}
	return l.term
}

func (s leadership) Settle(ctx context.Context) (uint64, error) {
	l, err := s.node.leaderState.await(ctx, func(l leader, synced bool) bool { return !l.self || synced })
	if err != nil || !l.self {
		return 0, errNotLeading
	}
	return l.term, nil
}

func (s leadership) Confirm(ctx context.Context, term uint64) error {
	l, _, _ := s.node.leaderState.look()
	if !l.self || l.term != term {
		return errNotLeading
	}
	if !s.node.mends.Has(raftfix.Confirmations) {
		return s.node.wait(ctx, func() raft.Future { return s.node.raft.VerifyLeader() })
	}
	return s.node.rounds.confirm(ctx, l)
}
