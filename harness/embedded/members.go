package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/hashicorp/raft"
)

// Member is one node of the cluster, as a node's log has it.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Voter   bool   `json:"voter"`
}

// AddMember takes a node into the cluster, or makes a member a voter that was
// none; to make a voter one that does not vote is not possible. It may be asked
// of any node, and blocks until the change is committed, for WriteTimeout at
// most. Asking again is no error. The new node must run, or be started soon: a
// voter that is away is one that a quorum is missing.
func (n *Node) AddMember(ctx context.Context, m Member) error {
	return n.changeMembers(ctx, memberChange{Add: &m}, false)
}

// RemoveMember takes the node with that ID out of the cluster. It may be asked
// of any node, and blocks until the change is committed, for WriteTimeout at
// most. Removing who is no member is no error. A leader that is removed stops
// leading.
func (n *Node) RemoveMember(ctx context.Context, id string) error {
	return n.changeMembers(ctx, memberChange{Remove: id}, false)
}

func (n *Node) members() []Member {
	servers := n.raft.GetConfiguration().Configuration().Servers
	members := make([]Member, len(servers))
	for i, s := range servers {
		members[i] = Member{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter}
	}
	return members
}

// memberChange is one change, and the body of a request for it.
type memberChange struct {
	Add    *Member `json:"add,omitempty"`
	Remove string  `json:"remove,omitempty"`
}

func (c memberChange) validate() error {
	switch {
	case (c.Add == nil) == (c.Remove == ""):
		return refuse(http.StatusBadRequest, CodeBadRequest, `the body must be {"add": {"id", "address", "voter"}} or {"remove": id}`)
	case c.Add != nil && (c.Add.ID == "" || c.Add.Address == ""):
		return refuse(http.StatusBadRequest, CodeBadRequest, "a new member needs an id and an address")
	case c.Add != nil && !printable(c.Add.ID):
		return refuse(http.StatusBadRequest, CodeBadRequest, "the new member's id is not all printable ASCII")
	}
	return nil
}

func (c memberChange) String() string {
	if c.Add != nil {
		return "add member " + c.Add.ID
	}
	return "remove member " + c.Remove
}

// ask asks Raft, on the leader.
func (c memberChange) ask(r *raft.Raft) raft.Future {
	switch {
	case c.Add == nil:
		return r.RemoveServer(raft.ServerID(c.Remove), 0, 0)
	case c.Add.Voter:
		return r.AddVoter(raft.ServerID(c.Add.ID), raft.ServerAddress(c.Add.Address), 0, 0)
	}
	return r.AddNonvoter(raft.ServerID(c.Add.ID), raft.ServerAddress(c.Add.Address), 0, 0)
}

// changeMembers brings the change to the leader, wherever it is. It is safe to
// bring it to the next one too: it says what is to be, not what is to be done.
func (n *Node) changeMembers(ctx context.Context, change memberChange, forwarded bool) error {
	if err := change.validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, n.config.WriteTimeout)
	defer cancel()
	var last error
	for {
		l, _, changed := n.standing.look()
		switch {
		case l.self:
			if last = n.changeMembersHere(ctx, change); last == nil {
				return nil
			}
		case forwarded:
			return unavailable(CodeNotLeader, "node %s does not lead", n.config.ID)
		case l.id != "":
			if last = n.changeMembersThere(ctx, l, change); last == nil {
				return nil
			}
		}
		if err := n.pause(ctx, changed); err != nil {
			return fmt.Errorf("%v: %w", change, n.noLeader(err, last))
		}
	}
}

// changeMembersHere changes them as the leader. With the change, what the leader
// wrote before is committed too, in its own term.
func (n *Node) changeMembersHere(ctx context.Context, change memberChange) error {
	return n.wait(ctx, func() raft.Future { return change.ask(n.raft) })
}

const membersPath = "/v1/api/cluster/members"

func (n *Node) changeMembersThere(ctx context.Context, l leader, change memberChange) (err error) {
	ctx, cancel := n.whileLeads(ctx, l)
	defer cancel()
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	target := url.URL{Scheme: "http", Host: l.address, Path: membersPath}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := n.send(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	said, err := io.ReadAll(io.LimitReader(response.Body, maxInternalAnswer))
	return errors.Join(fmt.Errorf("leader %s: %s: %s", l.id, response.Status, said), err)
}

func (n *Node) serveMembers(w http.ResponseWriter, r *http.Request) {
	var change memberChange
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxInternalAnswer))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&change); err != nil {
		n.fail(w, refuse(http.StatusBadRequest, CodeBadRequest, "%v", err))
		return
	}
	if _, err := decoder.Token(); err != io.EOF {
		n.fail(w, refuse(http.StatusBadRequest, CodeBadRequest, "the body is more than one JSON object"))
		return
	}
	forwarder, err := n.forwarderOf(r)
	if err == nil {
		err = n.changeMembers(r.Context(), change, forwarder != "")
	}
	if err != nil {
		n.fail(w, err)
		return
	}
	n.reply(w, http.StatusOK, struct{}{})
}
