package fakedb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// node is a node. Its fields are guarded by the cluster's mutex, except for the first three.
type node struct {
	cluster *Cluster
	index   int
	voter   bool

	isolated, removed, down bool
	resumed                 chan struct{} // of a paused node; closed when it goes on
	life                    context.Context
	end                     context.CancelFunc

	state   *state
	applied uint64
	term    uint64
	knows   string // the leader
	led     []uint64
	changes []target.RoleChange

	disk    fault.Disk
	ahead   time.Duration
	version string
	said    strings.Builder
}

// ID returns n0, n1 and so on.
func (n *node) ID() string { return fmt.Sprintf("n%d", n.index) }

// Client is the side of applications.
func (n *node) Client() target.SQL { return side{n, false} }

// Inside is the node itself.
func (n *node) Inside() target.SQL { return side{n, true} }

// Status is the state of the node. Away from its leader it is connecting; down or paused it is offline.
func (n *node) Status(ctx context.Context) (target.Status, error) {
	if err := ctx.Err(); err != nil {
		return target.Status{}, err
	}
	c := n.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return target.Status{}, errClosed
	}
	c.settleLocked()
	if !n.runs() {
		return target.Status{ID: n.ID(), State: target.Offline, LastContact: -1, Reason: n.away().Error()}, nil
	}
	s := target.Status{
		ID: n.ID(), State: target.Connecting, Role: "follower", Leader: n.knows, Term: n.term, Voter: n.voter, LedTerms: n.led,
		CommitIndex: n.applied, AppliedIndex: n.applied, LogEntries: n.applied,
	}
	if n.knows != "" {
		s.State = target.Online
	}
	if n.knows == n.ID() {
		s.Role = "leader"
	}
	return s, nil
}

// runs tells whether the node executes instructions.
func (n *node) runs() bool { return !n.down && n.resumed == nil && !n.removed }

// away says why the node does not run.
func (n *node) away() error {
	switch {
	case n.removed:
		return errors.New("it was removed from the cluster")
	case n.resumed != nil:
		return errors.New("it is paused")
	}
	return errors.New("it does not run")
}

func (n *node) sayLocked(line string) { n.said.WriteString(line + "\n") }

// beginLocked begins a life of the node.
func (n *node) beginLocked() {
	n.life, n.end = context.WithCancel(context.Background())
	n.down, n.led, n.knows = false, nil, ""
	n.sayLocked("version " + n.version + " runs")
}

// endLocked ends the life of the node.
func (n *node) endLocked() {
	n.end()
	n.down, n.knows = true, ""
	if n.resumed != nil {
		close(n.resumed)
		n.resumed = nil
	}
}

// wipe gives the node an empty disk.
func (n *node) wipe() (err error) {
	if n.state != nil {
		err = n.state.close()
	}
	n.applied, n.term = 0, 0
	state, openErr := open()
	n.state = state
	return errors.Join(err, openErr)
}

// catchUpLocked applies what is committed.
func (n *node) catchUpLocked() {
	for _, request := range n.cluster.log[n.applied:] {
		if _, err := n.state.execute(request); err != nil {
			n.sayLocked(fmt.Sprintf("entry %d: %v", n.applied+1, err))
		}
		n.applied++
	}
}

// noteLocked notes the leader that the node knows.
func (n *node) noteLocked(term uint64, leader string) {
	if n.term == term && n.knows == leader {
		return
	}
	n.term, n.knows = term, leader
	role := "follower"
	if leader == n.ID() {
		role = "leader"
	}
	change := target.RoleChange{Node: n.index, At: time.Now(), Role: role, Term: term, Leader: leader}
	n.changes = append(n.changes, change)
	if n.cluster.roles != nil {
		n.cluster.roles(change)
	}
}
