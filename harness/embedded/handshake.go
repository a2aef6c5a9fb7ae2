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

// card returns this node's current card.
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

// cofounded returns whether member, which belongs to a cluster, founded it together with a node that
// has not joined it yet. The birth of the latter proves that its directory was not emptied since. If
// it was restarted without first members, it gets its log from the others.
func cofounded(member, founding card) bool {
	same := founding.First == "" || founding.First == member.First
	return same && founding.Birth != "" && member.Founders[founding.Node] == founding.Birth
}

// mismatch returns why two nodes may not communicate; empty if they may, or if a leader must decide
// whether to admit one into the other's cluster.
func mismatch(own, theirs card, what purpose) string {
	switch {
	case isSelf(own, theirs):
		return ""
	case own.Node == theirs.Node:
		return fmt.Sprintf("two nodes have the ID %s", own.Node)
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

// isSelf returns whether a node has connected to itself.
func isSelf(own, theirs card) bool {
	return own.Node == theirs.Node && own.Birth == theirs.Birth && own.Life == theirs.Life
}

// mismatchedFirst is mismatch for two nodes without a cluster.
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

// greetHost does the handshake as the caller. If it returns no error, the host is the expected node,
// this node has stored the host's life, and the host's votes and acknowledgements may count.
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
		return n.refused(expected, fmt.Sprintf("handshake of node %s with node %s: %v", own.Node, expected, err))
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

// awaitRaft blocks until Raft runs, or the node ends.
func (n *Node) awaitRaft() error {
	select {
	case <-n.raftReady:
		return nil
	case <-n.ctx.Done():
		return context.Cause(n.ctx)
	}
}

// judgeHost returns the caller's verdict on the host.
func (n *Node) judgeHost(own card, expected string, said hello, theirs welcome) verdict {
	v := verdict{Knows: theirs.Met == nil || n.identity.get().knows(*theirs.Met)}
	switch v.Refusal = mismatch(own, theirs.card, said.Purpose); {
	case v.Refusal != "":
	case theirs.Node != expected:
		v.Refusal = fmt.Sprintf("expected %v, found %v", memberName(expected, own.Cluster), theirs.card)
	case said.Met != nil && !theirs.Knows:
		v.Refusal = estrangedReason(theirs.Node, own.Node, *said.Met)
	case own.Cluster != "" && theirs.Cluster == "" && !cofounded(own, theirs.card):
		v.Admit, v.Refusal = n.admit(theirs.card)
	}
	return v
}

// admit lets a leader admit a node without a cluster. Only the leader knows all committed entries,
// and with them that the member of that ID is a new one.
func (n *Node) admit(theirs card) (index uint64, refusal string) {
	if n.raft.State() != raft.Leader || !n.isMember(theirs.Node) {
		return 0, fmt.Sprintf("node %s belongs to no cluster yet; only the leader of cluster %s can admit it",
			theirs.Node, n.identity.get().Cluster)
	}
	return n.raft.LastIndex(), ""
}

// greetCaller does the handshake as the host. replicates is true if Raft uses the connection next.
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
		return false, n.refused(theirs.Node, fmt.Sprintf("handshake of node %s with node %s: %v", own.Node, theirs.Node, err))
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

// recognise returns an error if the other node met this one in a life that this directory does not
// list. Then this node has lost votes or acknowledgements that it gave, and fails, unless it is new
// and waits to be added.
func (n *Node) recognise(own, theirs card, m *meeting, known bool) error {
	switch {
	case m == nil || known:
		return nil
	case own.Cluster == "" && own.First == "":
		reason := estrangedReason(own.Node, theirs.Node, *m)
		n.encounters.turnAway(reason)
		return n.refused(theirs.Node, reason)
	case own.Cluster != theirs.Cluster: // refused in any case
		return nil
	}
	err := &IdentityError{Reason: estrangedReason(own.Node, theirs.Node, *m)}
	n.storage.failStop.fail(err)
	return err
}

// misfit records a node with which this one may not communicate.
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

// settle completes a successful handshake: this node joins the cluster of the other if it has none,
// and stores the other node's life.
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
	if !n.isMember(theirs.Node) { // according to this node's log, which may lag: a later handshake stores it
		return nil
	}
	if err := n.identity.meet(theirs, n.raft.CommitIndex()); err != nil {
		return err
	}
	n.encounters.note(theirs.Node)
	return nil
}

// isFirst returns whether this node was started with that one as a first member.
func (n *Node) isFirst(name string) bool {
	return slices.ContainsFunc(n.config.Peers, func(p Peer) bool { return p.ID == name })
}

// refused returns the error of a handshake, and logs it if it is new. All unknown IDs count as one,
// because a client may send any number of them.
func (n *Node) refused(other, reason string) error {
	known := ""
	if n.isMember(other) || n.isFirst(other) {
		known = other
	}
	if n.encounters.news(known, reason) {
		n.config.Logger.Warn("refused a connection with another node", "node", other, "reason", reason)
	}
	return &IdentityError{Reason: reason}
}

// peerNames is a transport that records which node Raft expects at an address.
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

// greetAt does the handshake with the node that Raft expects at an address.
func (n *Node) greetAt(conn io.ReadWriter, at raft.ServerAddress) error {
	expected, known := n.expected.Load(at)
	if !known {
		return fmt.Errorf("no node is expected at %s", at)
	}
	return n.greetHost(conn, string(expected.(raft.ServerID)), toReplicate)
}

// meet does a handshake with another node, and nothing else.
func (n *Node) meet(peer Peer) error {
	ctx, cancel := context.WithTimeout(n.ctx, n.config.rpcTimeout())
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

// awaitEnd blocks until the other side closes, after it has read the last message.
func awaitEnd(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

// meetMembers does the handshake with all other members once in this life, so that not only the
// leader notices if this directory, or one of theirs, is rolled back later. A member that cannot be
// reached is contacted again at growing intervals: it contacts the others itself when it starts.
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

// longestPause is the longest interval between attempts to contact a member, in election timeouts.
const longestPause = 32

func (n *Node) meetMember(m Member) {
	if err := n.meet(Peer{ID: m.ID, Address: m.Address}); err != nil {
		n.config.Logger.Debug("could not meet a member", "member", m.ID, "error", err)
	}
}
