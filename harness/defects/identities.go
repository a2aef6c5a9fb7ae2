package defects

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

func identities() []Defect {
	return []Defect{
		inTransport("votes-of-an-emptied-node-count", "identity",
			"a candidate counts the votes of members whose directory is empty or belongs to a different node", "suite:identity",
			func(t embedded.Transport) embedded.Transport { return credulous{t} }),
	}
}

// credulous is a transport that counts the vote of a node with the wrong identity as granted.
type credulous struct{ embedded.Transport }

func (t credulous) RequestVote(
	id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	err := t.Transport.RequestVote(id, to, args, resp)
	if _, wrong := errors.AsType[*embedded.IdentityError](err); wrong {
		resp.Term, resp.Granted = args.Term, true
		return nil
	}
	return err
}

func (t credulous) RequestPreVote(
	id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse,
) error {
	err := t.Transport.RequestPreVote(id, to, args, resp)
	if _, wrong := errors.AsType[*embedded.IdentityError](err); wrong {
		resp.Term, resp.Granted = args.Term, true
		return nil
	}
	return err
}
