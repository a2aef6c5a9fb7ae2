package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// Member is one member of the cluster, according to a node's log.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Voter   bool   `json:"voter"`
}

// AddMember adds a node to the cluster, changes the address of a member, or makes a member a voter or
// a non-voter. Any node accepts the call. It blocks until the change is committed. Repeating it is
// no error.
//
// A new node, or one with a new address, must run, and the leader must reach it at that address. A
// new voter is first added as a non-voter, and becomes a voter when it has applied what was
// committed when it was added. It has three WriteTimeouts for that, and AddMember takes at most
// four. If it needs longer, it is removed again, unless it was a member before. To add a node that
// needs longer, add it as a non-voter, wait until it is online, and add it again as a voter. All
// other changes take at most one WriteTimeout.
//
// A change is refused if fewer voters than a quorum could be reached after it, or if it gives the
// leader an address at which it does not listen.
//
// If the error has an unknown outcome (wire.Error), the change may still be made. After every other
// error nothing was changed.
func (n *Node) AddMember(ctx context.Context, m Member) error {
	return n.changeOwn(ctx, memberChange{Add: &m})
}

// RemoveMember removes the node with that ID from the cluster. Any node accepts the call. It blocks
// until the change is committed, at most for WriteTimeout. Removing a node that is not a member is no
// error. A leader that is removed steps down. The last voter cannot be removed, nor a voter if fewer
// than a quorum of the others can be reached. For errors see AddMember.
func (n *Node) RemoveMember(ctx context.Context, id string) error {
	return n.changeOwn(ctx, memberChange{Remove: id})
}

// changeOwn makes a change that did not come in a request.
func (n *Node) changeOwn(ctx context.Context, change memberChange) error {
	if !n.leaderState.enter(&n.requests) {
		return unavailable(CodeStopping, "node %s is leaving; nothing was changed", n.config.ID)
	}
	defer n.requests.Done()
	return n.changeMembers(ctx, change, false)
}

func (n *Node) members() []Member {
	servers := n.raft.GetConfiguration().Configuration().Servers
	members := make([]Member, len(servers))
	for i, s := range servers {
		members[i] = Member{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter}
	}
	return members
}

// memberChange is one change, and the body of its request.
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
		return refuse(http.StatusBadRequest, CodeBadRequest, "the id of the new member is not printable ASCII")
	case c.Add != nil:
		if err := validAddress(c.Add.Address); err != nil {
			return refuse(http.StatusBadRequest, CodeBadRequest, "the address %q of %s is not host:port: %v", c.Add.Address, c.Add.ID, err)
		}
	}
	return nil
}

// validAddress returns an error if the address is not a host and a port.
func validAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if host == "" || strings.ContainsAny(host, "/@ ") || !printable(host) {
		return fmt.Errorf("%q is not a host", host)
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return fmt.Errorf("port %q is not from 1 to 65535", port)
	}
	return nil
}

func (c memberChange) String() string {
	if c.Add != nil {
		return "add member " + c.Add.ID
	}
	return "remove member " + c.Remove
}

// joinTimeouts is how many WriteTimeouts a new voter has to catch up. The rest of the change has one
// more.
const joinTimeouts = 3

func (c memberChange) patience(writeTimeout time.Duration) time.Duration {
	if c.Add != nil && c.Add.Voter {
		return (joinTimeouts + 1) * writeTimeout
	}
	return writeTimeout
}

// changeMembers sends the change to the leader, and retries it at the next one. That is safe because
// a change is idempotent.
func (n *Node) changeMembers(outer context.Context, change memberChange, forwarded bool) error {
	if err := change.validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(outer, change.patience(n.config.WriteTimeout))
	defer cancel()
	search, cancel := context.WithTimeout(outer, n.config.WriteTimeout) // for a leader
	defer cancel()
	var last error
	inDoubt := false
	for {
		l, _, changed := n.leaderState.look()
		if forwarded && !l.self {
			return n.notLeading(inDoubt, last)
		}
		if l.id != "" {
			err := n.changeMembersBy(ctx, l, change)
			if final, is := errors.AsType[*answer](err); err == nil || is {
				return change.answered(final, inDoubt)
			}
			last = err
			inDoubt = inDoubt || !errors.Is(err, errNotLeading)
		}
		if err := n.pause(search, changed); err != nil {
			return fmt.Errorf("%v: %w", change, n.gaveUp(err, last, inDoubt))
		}
	}
}

// answered returns the leader's final answer as an error; nil if it made the change. If an earlier
// leader may have made the change, the outcome of a refusal is unknown.
func (c memberChange) answered(final *answer, inDoubt bool) error {
	if final == nil {
		return nil
	}
	if inDoubt {
		final = final.withOutcome(OutcomeUnknown)
	}
	return fmt.Errorf("%v: %w", c, final)
}

// changeMembersBy makes the change through one leader. An *answer is final. After errNotLeading
// nothing was changed; after any other error the outcome is unknown.
func (n *Node) changeMembersBy(ctx context.Context, l leader, change memberChange) error {
	if l.self {
		return n.changeMembersHere(ctx, l, change)
	}
	return n.changeMembersThere(ctx, l, change)
}

const membersPath = "/v1/api/cluster/members"

func (n *Node) changeMembersThere(ctx context.Context, l leader, change memberChange) (err error) {
	ctx, cancel := n.whileLeads(ctx, l)
	defer cancel()
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	sent := false
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}
	target := url.URL{Scheme: "http", Host: l.address, Path: membersPath}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := n.send(request)
	switch {
	case err != nil && !sent:
		return errors.Join(errNotLeading, err)
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	reader := wire.NewReader(io.LimitReader(response.Body, maxInternalAnswer))
	for reader.NextResult() { // an error has none
	}
	said, is := errors.AsType[*wire.Error](reader.Err())
	if !is {
		return fmt.Errorf("leader %s: %s: %w", l.id, response.Status, reader.Err())
	}
	err = &answer{status: response.StatusCode, body: said}
	switch said.Code {
	case CodeNotLeader, CodeNoLeader, CodeStopping, CodeNoQuorum, CodeFailed:
		err = fmt.Errorf("leader %s: %w", l.id, said)
		if said.Outcome != OutcomeUnknown {
			err = errors.Join(errNotLeading, err)
		}
	}
	return err
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
