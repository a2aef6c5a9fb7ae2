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

// Version is the version that a node reports in Health.
const Version = "0.1.0"

// stamp is the version that a node reports in place of Version. Only the linker sets it, for specs of several versions:
// -ldflags "-X github.com/rejoin-db/rejoin/harness/embedded.stamp=0.0.9".
var stamp string

// version is the version that a node reports.
func version() string {
	if stamp != "" {
		return stamp
	}
	return Version
}

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
	silence    func() // closes all connections of the stream permanently
	inbound    *raftfix.Inbound
	transport  *raftfix.Blocking
	rounds     *rounds
	// membersTurn is a lock, held while the leader changes the members.
	membersTurn chan struct{}
	raft        *raft.Raft
	replay      *replay
	server      *http.Server
	busy        *busy
	client      *http.Client // to the other nodes
	identity    *identity
	founding    *founding
	encounters  encounters
	proof       string        // that requests of this node come from a node; see proofOf
	first       string        // firstDigest of Config.Peers
	expected    sync.Map      // raft.ServerID by raft.ServerAddress: the node that Raft expects there
	raftReady   chan struct{} // closed when Raft runs

	leaderState leaderState
	activities  activities
	// newestSnapshot is its log index; 0 if there is none. Raft's Stats has it too, but takes as long
	// as the rest of Health.
	newestSnapshot atomic.Uint64
	stall          *raftfix.Stall
	votes          votes
	roles          roles
	raftStarted    atomic.Bool

	// ctx ends when the node closes, and ends all waits in the node.
	ctx      context.Context
	end      context.CancelFunc
	requests sync.WaitGroup // running handlers
	futures  sync.WaitGroup // pending answers of Raft
	wg       sync.WaitGroup // all other goroutines

	// closing makes concurrent Close calls share one shutdown and its error.
	closing sync.Once
	// ended is set before ctx ends. It can be read from outside a virtual-time bubble, unlike ctx.
	ended  atomic.Bool
	closed error
}

// Start starts a node and returns when HTTP and Raft run. It does not wait for a leader. Starting
// again with the same Dir continues from the durable state. The caller must call Stop or Close.
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

// idleTimeout is how long an unused connection of a client stays open.
const idleTimeout = 2 * time.Minute

// idleConnections is the number of idle connections to each other node that are kept open.
const idleConnections = 64

// ID returns the ID of the node.
func (n *Node) ID() string { return n.config.ID }

// Address returns the address of the node, host:port.
func (n *Node) Address() string { return n.config.Endpoint.Addr() }

// Stop ends the node gracefully: it refuses new requests, transfers leadership to the follower with
// the longest log, waits for the requests in progress, and closes everything. It blocks until all
// goroutines, sockets and files are closed; ctx bounds only the wait for requests. The directory
// remains.
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

// Close ends the node without a transfer of leadership and interrupts requests in progress. It blocks
// until all goroutines, sockets and files are closed. The directory remains.
func (n *Node) Close() error { return n.close() }

func (n *Node) close() error {
	n.closing.Do(func() { n.closed = n.closeOnce() })
	return n.closed
}

// closeOnce ends everything that was started, in an order in which nothing blocks: waits,
// connections, requests, Raft, storage.
func (n *Node) closeOnce() error {
	var errs []error
	n.leaderState.leave()
	n.ended.Store(true)
	n.end()
	n.conns.cut()
	if n.storage != nil {
		n.storage.machine.Interrupt() // an entry may take seconds to apply, and Raft waits for it
		// The connections are closed, so Raft acknowledges nothing that it still stores. And it
		// may be blocked by a slow or torn disk.
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
		// When Raft shuts down, it does not answer what is in its queues. Before that it answers
		// everything: a leader without connections steps down within its lease.
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
