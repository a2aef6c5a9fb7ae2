package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// card is what this node says of itself now.
func (n *Node) card() card {
	o := n.identity.get()
	c := card{Node: o.Node, Cluster: o.Cluster, Birth: o.Birth, First: o.First, Founders: o.Founders, Life: o.life()}
	if c.Cluster == "" {
		c.First = n.first
	}
	return c
}

func (n *Node) howMet(name string) *meeting {
	if m, met := n.identity.get().Met[name]; met {
		return &m
	}
	return nil
}

// cofounded tells whether a node that is of a cluster has founded it together with one that
// has not come so far. Its birth proves that the latter's directory was not emptied since.
// One that was started again without first members gets its log from the others.
func cofounded(member, founding card) bool {
	same := founding.First == "" || founding.First == member.First
	return same && founding.Birth != "" && member.Founders[founding.Node] == founding.Birth
}

// mismatch is why two nodes do not go together; empty if they do, or if it takes a leader to
// admit the one into the other's cluster.
func mismatch(own, theirs card, what purpose) string {
	switch {
	case isSelf(own, theirs):
		return ""
	case own.Node == theirs.Node:
		return fmt.Sprintf("two nodes are named %s", own.Node)
	case own.Cluster == "" && theirs.Cluster == "":
		return mismatchedFirst(own, theirs, what)
	case own.Cluster == theirs.Cluster:
		return ""
	case own.Cluster != "" && theirs.Cluster != "":
		return fmt.Sprintf("node %s belongs to cluster %s, and node %s to cluster %s", own.Node, own.Cluster, theirs.Node, theirs.Cluster)
	case what == toReplicate || cofounded(own, theirs) || cofounded(theirs, own):
		return ""
	case own.Cluster == "":
		return emptiedReason(own, theirs)
	}
	return emptiedReason(theirs, own)
}

// isSelf tells whether a node has greeted itself.
func isSelf(own, theirs card) bool {
	return own.Node == theirs.Node && own.Birth == theirs.Birth && own.Life == theirs.Life
}

// mismatchedFirst compares nodes that both belong to no cluster.
func mismatchedFirst(own, theirs card, what purpose) string {
	switch {
	case what == toReplicate:
		return fmt.Sprintf("neither node %s nor node %s belongs to a cluster yet", own.Node, theirs.Node)
	case own.First == "" || theirs.First == "":
		return fmt.Sprintf("node %s and node %s were not both started as first members", own.Node, theirs.Node)
	case own.First != theirs.First:
		return fmt.Sprintf("node %s and node %s were started with different first members", own.Node, theirs.Node)
	}
	return ""
}

func emptiedReason(empty, member card) string {
	return fmt.Sprintf("the directory of node %s is empty, but node %s belongs to cluster %s: "+
		"remove node %s from the cluster and add it again",
		empty.Node, member.Node, member.Cluster, empty.Node)
}

func estrangedReason(node, by string, m meeting) string {
	return fmt.Sprintf("node %s met node %s in life %d (%s), which the directory of node %s does not list: "+
		"it was emptied, copied or rolled back to an older state; "+
		"remove node %s from the cluster and add it again with an empty directory",
		by, node, m.Life.Number, m.Life.ID, node, node)
}

// greetHost greets as the caller. When it returns without an error the host is the one that it must
// be, this node knows its life, and what the host answers may be counted.
func (n *Node) greetHost(conn io.ReadWriter, expected string, what purpose) error {
	if err := n.awaitRaft(); err != nil {
		return err
	}
	own := n.card()
	said := hello{card: own, Purpose: what, Met: n.howMet(expected)}
	theirs, ours, err := newGreeting(conn, n.config.Token).call(said, func(theirs welcome) verdict {
		return n.judgeHost(own, expected, said, theirs)
	})
	switch {
	case errors.Is(err, errToken):
		return n.refused(expected, fmt.Sprintf("node %s was not greeted well by node %s: %v", own.Node, expected, err))
	case err != nil:
		return err
	}
	if err := n.recognise(own, theirs.card, theirs.Met, ours.Knows); err != nil {
		return err
	}
	for _, reason := range []string{ours.Refusal, theirs.Refusal} {
		if reason != "" {
			n.misfit(own, theirs.card)
			return n.refused(expected, reason)
		}
	}
	return n.settle(own, theirs.card, 0)
}

// awaitRaft blocks until Raft can be asked, or the node ends.
func (n *Node) awaitRaft() error {
	select {
	case <-n.raftReady:
		return nil
	case <-n.ctx.Done():
		return context.Cause(n.ctx)
	}
}

// judgeHost is what the caller makes of the host.
func (n *Node) judgeHost(own card, expected string, said hello, theirs welcome) verdict {
	v := verdict{Knows: theirs.Met == nil || n.identity.get().knows(*theirs.Met)}
	switch v.Refusal = mismatch(own, theirs.card, said.Purpose); {
	case v.Refusal != "":
	case theirs.Node != expected:
		v.Refusal = fmt.Sprintf("%v was expected where %v is", memberName(expected, own.Cluster), theirs.card)
	case said.Met != nil && !theirs.Knows:
		v.Refusal = estrangedReason(theirs.Node, own.Node, *said.Met)
	case own.Cluster != "" && theirs.Cluster == "" && !cofounded(own, theirs.card):
		v.Admit, v.Refusal = n.admit(theirs.card)
	}
	return v
}

// admit lets a leader take a node that belongs to no cluster into its own: only the leader
// knows all that was committed, and that the member of that name is a new one.
func (n *Node) admit(theirs card) (index uint64, refusal string) {
	if n.raft.State() != raft.Leader || !n.isMember(theirs.Node) {
		return 0, fmt.Sprintf("node %s belongs to no cluster yet, and only the leader of cluster %s admits it",
			theirs.Node, n.identity.get().Cluster)
	}
	return n.raft.LastIndex(), ""
}

// greetCaller greets as the host. replicates tells whether the connection is Raft's now.
func (n *Node) greetCaller(conn io.ReadWriter) (replicates bool, err error) {
	if err := n.awaitRaft(); err != nil {
		return false, err
	}
	if n.stream.silenced.Load() {
		return false, errSilenced
	}
	own := n.card()
	theirs, ours, said, err := newGreeting(conn, n.config.Token).receive(func(theirs hello) welcome {
		w := welcome{card: own, Met: n.howMet(theirs.Node)}
		w.Knows = theirs.Met == nil || n.identity.get().knows(*theirs.Met)
		w.Refusal = mismatch(own, theirs.card, theirs.Purpose)
		if w.Refusal == "" && own.Cluster != "" && theirs.Cluster == "" && theirs.Purpose == toReplicate {
			w.Refusal = fmt.Sprintf("node %s belongs to no cluster, and node %s to cluster %s", theirs.Node, own.Node, own.Cluster)
		}
		return w
	})
	switch {
	case errors.Is(err, errToken):
		return false, n.refused(theirs.Node, fmt.Sprintf("node %s was not greeted well by node %s: %v", own.Node, theirs.Node, err))
	case err != nil:
		return false, err
	}
	if err := n.recognise(own, theirs.card, theirs.Met, ours.Knows); err != nil {
		return false, err
	}
	refusal := ours.Refusal
	if refusal == "" {
		refusal = said.Refusal
	}
	switch {
	case refusal != "":
	case ours.Met != nil && !said.Knows:
		refusal = estrangedReason(theirs.Node, own.Node, *ours.Met)
	case own.Cluster == "" && theirs.Cluster != "" && said.Admit == 0 && !cofounded(theirs.card, own):
		refusal = emptiedReason(own, theirs.card)
	}
	if refusal != "" {
		n.misfit(own, theirs.card)
		return false, n.refused(theirs.Node, refusal)
	}
	return theirs.Purpose == toReplicate, n.settle(own, theirs.card, said.Admit)
}

// recognise returns an error if the other node met this one in a life that its directory
// does not know. Then this node has broken what it promised there, and must not go on,
// unless it is new and waits to be added.
func (n *Node) recognise(own, theirs card, m *meeting, known bool) error {
	switch {
	case m == nil || known:
		return nil
	case own.Cluster == "" && own.First == "":
		reason := estrangedReason(own.Node, theirs.Node, *m)
		n.encounters.turnAway(reason)
		return n.refused(theirs.Node, reason)
	case own.Cluster != theirs.Cluster: // which refuses it anyhow
		return nil
	}
	err := &IdentityError{Reason: estrangedReason(own.Node, theirs.Node, *m)}
	n.storage.failStop.fail(err)
	return err
}

// misfit notes a node that this one does not go together with.
func (n *Node) misfit(own, theirs card) {
	switch {
	case own.Cluster == "" && theirs.Cluster != "" && own.First != "" && !cofounded(theirs, own):
		n.encounters.wasEmptied(emptiedReason(own, theirs))
	case own.Cluster != "" && theirs.Cluster != "" && own.Cluster != theirs.Cluster && n.isMember(theirs.Node):
		n.encounters.metStranger(theirs.Node, mismatch(own, theirs, toReplicate))
	}
}

func (n *Node) isMember(name string) bool {
	return slices.ContainsFunc(n.members(), func(m Member) bool { return m.ID == name })
}

// settle follows a greeting that went well: this node learns what the other one knows, and
// remembers it.
func (n *Node) settle(own, theirs card, admitted uint64) error {
	switch {
	case isSelf(own, theirs):
		return nil
	case own.Cluster == "" && theirs.Cluster == "":
		return n.learn(theirs)
	case own.Cluster == "" && cofounded(theirs, own):
		if err := n.join(owner{Cluster: theirs.Cluster, First: theirs.First, Founders: theirs.Founders}); err != nil {
			return err
		}
	case own.Cluster == "":
		if err := n.join(owner{Cluster: theirs.Cluster, Admitted: admitted}); err != nil {
			return err
		}
	}
	if now := n.identity.get().Cluster; theirs.Cluster != "" && now != theirs.Cluster {
		return n.refused(theirs.Node, fmt.Sprintf("node %s belongs to cluster %s, and node %s to cluster %s",
			own.Node, now, theirs.Node, theirs.Cluster))
	}
	n.encounters.metOwn(theirs.Node)
	if !n.isMember(theirs.Node) { // by this node's log, which may lag: a later greeting will do
		return nil
	}
	if err := n.identity.meet(theirs, n.raft.CommitIndex()); err != nil {
		return err
	}
	n.encounters.note(theirs.Node)
	return nil
}

// isFirst tells whether the node was started with that one as a first member.
func (n *Node) isFirst(name string) bool {
	return slices.ContainsFunc(n.config.Peers, func(p Peer) bool { return p.ID == name })
}

// refused is the error of a greeting, which is logged if it is news. Of names that this node
// does not know, anybody may send any number; they count as one.
func (n *Node) refused(other, reason string) error {
	known := ""
	if n.isMember(other) || n.isFirst(other) {
		known = other
	}
	if n.encounters.news(known, reason) {
		n.config.Logger.Warn("refused to go together with another node", "node", other, "reason", reason)
	}
	return &IdentityError{Reason: reason}
}

// peerNames is a transport that notes whom Raft expects at an address.
type peerNames struct {
	Transport
	expected *sync.Map // of raft.ServerID by raft.ServerAddress
}

func (t peerNames) expect(id raft.ServerID, at raft.ServerAddress) {
	if known, _ := t.expected.Load(at); known != id {
		t.expected.Store(at, id)
	}
}

func (t peerNames) AppendEntries(id raft.ServerID, at raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	t.expect(id, at)
	return t.Transport.AppendEntries(id, at, args, resp)
}

func (t peerNames) AppendEntriesPipeline(id raft.ServerID, at raft.ServerAddress) (raft.AppendPipeline, error) {
	t.expect(id, at)
	return t.Transport.AppendEntriesPipeline(id, at)
}

func (t peerNames) RequestVote(id raft.ServerID, at raft.ServerAddress,
	args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	t.expect(id, at)
	return t.Transport.RequestVote(id, at, args, resp)
}

func (t peerNames) RequestPreVote(id raft.ServerID, at raft.ServerAddress,
	args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	t.expect(id, at)
	return t.Transport.RequestPreVote(id, at, args, resp)
}

func (t peerNames) InstallSnapshot(id raft.ServerID, at raft.ServerAddress,
	args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	t.expect(id, at)
	return t.Transport.InstallSnapshot(id, at, args, resp, data)
}

func (t peerNames) TimeoutNow(id raft.ServerID, at raft.ServerAddress,
	args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	t.expect(id, at)
	return t.Transport.TimeoutNow(id, at, args, resp)
}

// greetAt greets the node that Raft expects at an address.
func (n *Node) greetAt(conn io.ReadWriter, at raft.ServerAddress) error {
	expected, known := n.expected.Load(at)
	if !known {
		return fmt.Errorf("no node is expected at %s", at)
	}
	return n.greetHost(conn, string(expected.(raft.ServerID)), toReplicate)
}

// meet does a handshake with another node, and nothing else.
func (n *Node) meet(peer Peer) error {
	ctx, cancel := context.WithTimeout(n.ctx, rpcTimeout)
	defer cancel()
	conn, err := n.stream.dial(ctx, "tcp", peer.Address)
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return errors.Join(err, conn.Close())
	}
	err = n.greetHost(conn, peer.ID, toMeet)
	if err == nil {
		awaitEnd(conn)
	}
	return errors.Join(err, conn.Close())
}

// awaitEnd reads until the other side closes: then it has read what was said.
func awaitEnd(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

// meetMembers greets all other members once in this life, so that not only the leader will
// notice if this directory, or one of theirs, comes back as an older state. A node that is away is
// greeted again, ever less often: it greets the others itself when it starts.
func (n *Node) meetMembers() {
	n.wg.Go(func() {
		select {
		case <-n.founding.done:
		case <-n.ctx.Done():
			return
		}
		for pause := n.config.ElectionTimeout; ; pause = min(2*pause, longestPause*n.config.ElectionTimeout) {
			var greeted sync.WaitGroup
			for _, m := range n.members() {
				if m.ID != n.config.ID && !n.encounters.has(m.ID) {
					greeted.Go(func() { n.meetMember(m) })
				}
			}
			greeted.Wait()
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-n.ctx.Done():
				timer.Stop()
				return
			}
		}
	})
}

// longestPause is how many election timeouts a member is left alone that did not answer.
const longestPause = 32

func (n *Node) meetMember(m Member) {
	if err := n.meet(Peer{ID: m.ID, Address: m.Address}); err != nil {
		n.config.Logger.Debug("could not meet a member", "member", m.ID, "error", err)
	}
}
