package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// Version is the version that a node shows in its Health.
const Version = "0.1.0"

// Node is one running node. All methods are safe for concurrent use.
type Node struct {
	config     Config
	seams      Seams
	mends      raftfix.Mends
	storage    *storage
	progress   Progress // of the state machine
	leadership Leadership
	conns      *conns
	mux        *mux
	stream     *stream
	silence    func() // cuts the stream off, for good
	inbound    *raftfix.Inbound
	transport  *raftfix.Blocking
	rounds     *rounds
	// membersTurn is a lock: a value in it is held while the leader changes the members.
	membersTurn chan struct{}
	raft        *raft.Raft
	replay      *replay
	server      *http.Server
	busy        *busy
	client      *http.Client // to the other nodes
	identity    *identity
	founding    *founding
	encounters  encounters
	proof       string        // that this node is one of the cluster's
	first       string        // the digest of the first members that it was given
	expected    sync.Map      // of raft.ServerID by raft.ServerAddress: whom Raft dials
	raftReady   chan struct{} // closed when Raft runs

	leaderState leaderState
	activities  activities
	// newestSnapshot is a log index; 0 if there is none. Raft tells it too, among
	// much else that takes as long as all the rest of Health.
	newestSnapshot atomic.Uint64
	stall          *raftfix.Stall
	votes          votes
	roles          roles
	raftStarted    atomic.Bool

	// ctx ends when the node closes; with it end all waits within.
	ctx      context.Context
	end      context.CancelFunc
	requests sync.WaitGroup // handlers under way
	futures  sync.WaitGroup // waits for Raft's answers
	wg       sync.WaitGroup // everything else

	// closing makes concurrent Close calls share one shutdown and its error.
	closing sync.Once
	// ended is set before ctx ends. A report may ask a node in virtual time from outside, and
	// must not touch the context then.
	ended  atomic.Bool
	closed error
}

// Start starts a node and returns when it serves: HTTP is answered, Raft takes
// part. It does not wait for a leader. Starting again in the same Dir goes on
// from what was synced there. Stop must follow.
func Start(config Config) (_ *Node, err error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	n := &Node{
		config: config, seams: config.seams(), conns: newConns(), busy: newBusy(), founding: newFounding(),
		raftReady: make(chan struct{}), membersTurn: make(chan struct{}, 1),
	}
	n.roles.report, n.roles.id = config.Roles, config.ID
	n.mends = decorated(raftfix.All, n.seams.Raft)
	n.proof = n.proofOf(config.ID)
	n.first = firstDigest(config.Peers)
	n.leaderState.init()
	n.stall = raftfix.NewStall(stallTimeouts * config.ElectionTimeout)
	n.ctx, n.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start node %s: %w", config.ID, advised(err)), n.close())
		}
	}()
	listener, err := config.Endpoint.Listen()
	if err != nil {
		return nil, err
	}
	if n.storage, err = openStorage(config, n.seams, n.mends); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	n.progress = decorated[Progress](n.storage.machine, n.seams.Progress)
	n.identity = n.storage.identity
	n.mux = newMux(listener, n.conns, config.RequestTimeout, n.seams.Accepted, n.greetCaller)
	n.client = &http.Client{Transport: &http.Transport{
		DialContext:         n.conns.dialer(n.ctx, config.Endpoint),
		MaxIdleConnsPerHost: idleConnections,
		DisableCompression:  true,
	}}
	if err := n.startRaft(); err != nil {
		return nil, err
	}
	n.serveHTTP()
	return n, nil
}

// idleTimeout is how long a client may keep a connection without using it.
const idleTimeout = 2 * time.Minute

// idleConnections to each other node are kept for the next forwarded request.
const idleConnections = 64

// ID is the node's name.
func (n *Node) ID() string { return n.config.ID }

// Address is the node's one address, host:port.
func (n *Node) Address() string { return n.config.Endpoint.Addr() }

// Stop ends the node gracefully: it refuses new requests, hands leadership to the
// follower that is furthest, lets the requests under way end, and closes
// everything. It blocks until nothing of the node is left; ctx bounds only how
// long it waits for requests before that. The node's files remain.
func (n *Node) Stop(ctx context.Context) error {
	if !n.leaderState.enter(&n.requests) {
		return n.close()
	}
	n.leaderState.leave()
	if n.raft.State() == raft.Leader {
		n.handOver(ctx)
	}
	n.requests.Done()
	served := make(chan struct{})
	go func() { n.requests.Wait(); close(served) }()
	select {
	case <-served:
		n.busy.wait(ctx)
	case <-ctx.Done():
	}
	err := n.close()
	<-served
	return err
}

// Close ends the node without handing anything over, and blocks until nothing
// of it is left. Requests under way are cut off. The node's files remain.
func (n *Node) Close() error { return n.close() }

func (n *Node) close() error {
	n.closing.Do(func() { n.closed = n.closeOnce() })
	return n.closed
}

// closeOnce ends whatever was started, in the order that lets each end: waits,
// connections, requests, Raft, storage.
func (n *Node) closeOnce() error {
	var errs []error
	n.leaderState.leave()
	n.ended.Store(true)
	n.end()
	n.conns.cut()
	if n.storage != nil {
		n.storage.machine.Interrupt() // an entry may take seconds to apply, and Raft waits for it
		// What Raft still stores is acknowledged to no node; and it may wait for a
		// disk that is slow, or torn.
		errs = append(errs, n.storage.disk.Close())
	}
	if n.mux != nil {
		errs = append(errs, n.mux.close())
	}
	if n.server != nil {
		errs = append(errs, n.server.Close())
	}
	n.requests.Wait()
	n.wg.Wait()
	if n.raft != nil {
		// Raft leaves what is still in its queues without an answer when it shuts
		// down. Before, it answers all: a leader without followers to talk to
		// gives up within its lease.
		n.futures.Wait()
		n.transport.End()
		errs = append(errs, n.raft.Shutdown().Error())
	}
	if n.stream != nil {
		n.stream.wait()
	}
	if n.client != nil {
		n.client.CloseIdleConnections()
	}
	if n.storage != nil {
		errs = append(errs, n.storage.close())
	}
	return errors.Join(errs...)
}
