package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// The first members form a cluster once each knows the births of all. The cluster's ID is a digest
// of these births and of the list of first members, so that all compute the same ID without a vote.
// A directory that was emptied has another birth, and so cannot form a cluster with the remaining
// members: they report the births of the founders, and its node refuses to be a first member.
//
// Until the cluster has formed, a first member neither votes nor starts an election.

// founding is what a first member has learned about the others.
type founding struct {
	mu   sync.Mutex
	met  map[string]card // first members without a cluster, by ID
	turn chan struct{}   // a lock, held while the node joins a cluster
	done chan struct{}   // closed when the node belongs to a cluster
}

func newFounding() *founding {
	return &founding{met: make(map[string]card), turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// firstDigest identifies a list of first members, independent of their order; empty if there are
// none.
func firstDigest(peers []Peer) string {
	if len(peers) == 0 {
		return ""
	}
	sorted := slices.SortedFunc(slices.Values(peers), func(a, b Peer) int { return strings.Compare(a.ID, b.ID) })
	return digestOf(sorted)
}

// clusterID returns the ID of the cluster with these first members and births.
func clusterID(first string, births map[string]string) string {
	return digestOf(struct {
		First  string
		Births map[string]string
	}{first, births})
}

// digestOf returns 64 bits of a digest of the value's JSON, in which maps are sorted.
func digestOf(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings can always be encoded
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// beginFounding starts to form the cluster, or continues where an earlier life was interrupted. It
// does not wait for the other nodes.
func (n *Node) beginFounding() error {
	o := n.identity.get()
	switch {
	case o.Cluster != "":
		close(n.founding.done)
		if o.Logged || len(o.Founders) == 0 || n.first != o.First {
			return nil
		}
		return n.bootstrap()
	case len(n.config.Peers) == 0:
		return nil
	}
	for _, peer := range n.config.Peers {
		if peer.ID != n.config.ID {
			n.encounters.waitFor(peer.ID, "not contacted yet")
			n.wg.Go(func() { n.askFirst(peer) })
		}
	}
	return n.foundIfComplete()
}

// askFirst contacts another first member until it has answered.
func (n *Node) askFirst(peer Peer) {
	retry := time.NewTicker(n.config.ElectionTimeout / 2)
	defer retry.Stop()
	for {
		err := n.meet(peer)
		if emptied, _, _ := n.encounters.look(); err == nil || emptied != "" || n.knowsFirst(peer.ID) {
			return
		}
		n.encounters.waitFor(peer.ID, err.Error())
		select {
		case <-retry.C:
		case <-n.founding.done:
			return
		case <-n.ctx.Done():
			return
		}
	}
}

func (n *Node) knowsFirst(id string) bool {
	n.founding.mu.Lock()
	defer n.founding.mu.Unlock()
	_, known := n.founding.met[id]
	return known
}

// learn records the birth of another first member without a cluster.
func (n *Node) learn(theirs card) error {
	if !n.isFirst(theirs.Node) {
		return nil
	}
	n.founding.mu.Lock()
	n.founding.met[theirs.Node] = theirs
	n.founding.mu.Unlock()
	n.encounters.waitFor(theirs.Node, "")
	n.encounters.note(theirs.Node)
	return n.foundIfComplete()
}

// foundIfComplete forms the cluster if all first members are known.
func (n *Node) foundIfComplete() error {
	own := n.card()
	if own.Cluster != "" || own.First == "" {
		return nil
	}
	births, met := map[string]string{own.Node: own.Birth}, make(map[string]meeting)
	n.founding.mu.Lock()
	known := maps.Clone(n.founding.met)
	n.founding.mu.Unlock()
	for _, peer := range n.config.Peers {
		theirs, is := known[peer.ID]
		switch {
		case peer.ID == n.config.ID:
		case !is:
			return nil
		default:
			births[peer.ID] = theirs.Birth
			met[peer.ID] = meeting{Life: theirs.Life, Birth: theirs.Birth}
		}
	}
	return n.join(owner{Cluster: clusterID(own.First, births), First: own.First, Founders: births, Met: met})
}

// join makes the node a member of a cluster, once, and stores that durably before another node
// learns of it. A founder writes the first members into its log; the first of them starts an
// election.
func (n *Node) join(as owner) error {
	n.founding.turn <- struct{}{}
	defer func() { <-n.founding.turn }()
	if n.identity.get().Cluster != "" {
		return nil
	}
	err := n.identity.change(func(o *owner) bool {
		o.Cluster, o.First, o.Founders, o.Admitted = as.Cluster, as.First, as.Founders, as.Admitted
		maps.Copy(o.Met, as.Met)
		return true
	})
	if err != nil {
		return fmt.Errorf("join cluster %s: %w", as.Cluster, err)
	}
	defer close(n.founding.done)
	n.config.Logger.Info("joined a cluster", "cluster", as.Cluster)
	if len(as.Founders) == 0 || len(n.config.Peers) == 0 {
		return nil
	}
	return n.bootstrap()
}

// bootstrap writes the first members into the empty log.
func (n *Node) bootstrap() error {
	var members raft.Configuration
	for _, peer := range n.config.Peers {
		members.Servers = append(members.Servers, raft.Server{
			Suffrage: raft.Voter, ID: raft.ServerID(peer.ID), Address: raft.ServerAddress(peer.Address),
		})
	}
	err := n.raft.BootstrapCluster(members).Error()
	if errors.Is(err, raft.ErrCantBootstrap) { // an earlier attempt was interrupted, or a leader was faster
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the first members into the log: %w", n.storage.cause(err))
	}
	if n.config.Peers[0].ID == n.config.ID {
		n.stand()
	}
	return nil
}

// stand starts an election at once, with the message that transfers leadership: a new cluster has no
// leader to wait for.
func (n *Node) stand() {
	n.wg.Go(func() { n.inbound.Deliver(raftfix.Unanswered(&raft.TimeoutNowRequest{RPCHeader: n.header()})) })
}

// noteLogged records the owner in the log, and in the identity that the node has a log: from then on
// an empty log is a lost log. It is called when the node is online, so that the start does not wait
// for it.
func (n *Node) noteLogged() {
	if n.identity.get().Logged {
		return
	}
	err := n.identity.sign(n.storage.Stable, n.identity.get())
	if err == nil {
		err = n.identity.change(func(o *owner) bool {
			changed := !o.Logged
			o.Logged = true
			return changed
		})
	}
	if err != nil {
		n.config.Logger.Error("the identity was not updated: a lost log would not be detected", "error", err)
	}
}

// removalMachine is a state machine that also makes the identity forget removed members: a later
// node with the same ID is a different one.
type removalMachine struct {
	raft.BatchingFSM
	identity *identity
}

func (m removalMachine) ApplyBatch(logs []*raft.Log) []any {
	for _, log := range logs {
		if log.Type != raft.LogConfiguration {
			continue
		}
		// On an error the node has failed already.
		_ = m.identity.dismissed(log.Index, raft.DecodeConfiguration(log.Data))
	}
	return m.BatchingFSM.ApplyBatch(logs)
}
