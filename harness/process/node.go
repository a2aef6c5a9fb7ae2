package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/process/child"
	"github.com/rejoin-db/rejoin/harness/target"
)

// node is one node over all its lives.
type node struct {
	cluster  *Cluster
	id       string
	home     home
	socket   string
	log      string
	client   *client.Client // at the clients' host
	changing ctxmutex.Mutex // held during every operation on it

	// Guarded by the cluster's mu.
	state   state
	reason  string // why it is down
	life    *life  // the latest; nil before the first
	voter   bool
	version string // that it starts with; "" is the latest
	removed bool   // permanently
	faults  fault.Disk
	ahead   time.Duration
	pending pending
}

// state is the state of a node's process.
type state int

const (
	down     state = iota // no process
	starting              // not serving yet
	running
	paused
)

func (n *node) ID() string         { return n.id }
func (n *node) Client() target.SQL { return n.client }
func (n *node) Inside() target.SQL { return inside{n} }

func (n *node) host() child.Host {
	return child.Host{Name: n.id, Address: n.home.addr()}
}

// inside reaches the node directly, in its current life.
type inside struct{ *node }

// Query fails immediately if the node is not running.
func (i inside) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	life, err := i.running()
	if err != nil {
		return nil, &target.Error{
			Node: i.id, Code: client.CodeUnreachable, Message: err.Error(),
			Outcome: target.NotApplied, Kind: target.ErrUnreachable, Cause: err,
		}
	}
	return life.control.Inside.Query(ctx, request)
}

// running returns the life that serves, or an error with the reason why there is none.
func (n *node) running() (*life, error) {
	life, away := n.look()
	if life == nil {
		return nil, fmt.Errorf("node %s is offline: %s", n.id, away)
	}
	return life, nil
}

// look returns the life that serves, or nil and the reason.
func (n *node) look() (_ *life, away string) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	switch n.state {
	case running:
		return n.life, ""
	case paused:
		return nil, "paused"
	case starting:
		return nil, "starting"
	default: // down
		return nil, n.reason
	}
}

// Status asks the node, unless it is known to be down or paused. Status.Memory is the resident memory of its process.
func (n *node) Status(ctx context.Context) (target.Status, error) {
	life, away := n.look()
	if life != nil {
		health, err := life.control.Health(ctx)
		if err == nil {
			status := client.Status(health, n.home.addr())
			status.Memory = resident(life.body.pid())
			return status, nil
		}
		if ctx.Err() != nil || !life.hasEnded(ctx) {
			return target.Status{}, err
		}
		if life, away = n.look(); life != nil { // it has restarted
			return target.Status{}, err
		}
	}
	return target.Status{
		ID: n.id, Address: n.home.addr(), State: target.Offline, LastContact: -1, Reason: away,
	}, nil
}

// resident returns the resident memory of a process in bytes; 0 if unknown.
func resident(pid int) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// close ends the node permanently. Callers must hold n.changing.
func (n *node) close() error {
	n.cluster.mu.Lock()
	life := n.life
	n.cluster.mu.Unlock()
	var errs []error
	if life != nil {
		errs = append(errs, life.kill(context.Background()), life.left)
	}
	n.client.Close()
	return errors.Join(append(errs, n.home.close())...)
}
