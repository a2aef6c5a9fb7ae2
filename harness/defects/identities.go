package defects

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

func identities() []Defect {
	return []Defect{
		inVotes("votes-of-an-emptied-node-count", "identity",
			"a candidate counts the votes of members whose directories are empty or another's", "suite:identity",
			func(t embedded.Transport) embedded.Transport { return credulous{t} }),
	}
}

// credulous is a transport over which a node that is not who it must be grants its vote.
type credulous struct{ embedded.Transport }

func (t credulous) RequestVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	err := t.Transport.RequestVote(id, to, args, resp)
	if _, another := errors.AsType[*embedded.IdentityError](err); another {
		resp.Term, resp.Granted = args.Term, true
		return nil
	}
	return err
}

func (t credulous) RequestPreVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	err := t.Transport.RequestPreVote(id, to, args, resp)
	if _, another := errors.AsType[*embedded.IdentityError](err); another {
		resp.Term, resp.Granted = args.Term, true
		return nil
	}
	return err
}
