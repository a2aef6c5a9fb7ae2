package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
)

// stallTimeouts is how many election timeouts a call of a leader's disk may take before the leader
// falls silent. It is large because a shared disk is slow at times.
const stallTimeouts = 10

// Bounds of the log in bytes: see raftfix.LogBound.
const (
	snapshotBytes = 128 << 20
	trailingBytes = 64 << 20
)

type logBounds struct{ snapshot, trailing int64 }

const (
	// maxAppendEntries is the maximum number of entries in one call to a follower, and in one SQLite
	// transaction.
	maxAppendEntries = 512
	// pooledConnections is the number of connections to each other node that Raft's transport keeps.
	pooledConnections = 4
	// inFlight is the maximum number of concurrent replication calls to one follower. With 2, the
	// library's default, followers sometimes stop receiving entries and Shutdown hangs.
	inFlight = 1
)

// rpcTimeout bounds a call from node to node, also where nodes are slow to elect because their links are slow. Calls to an
// unreachable node are retried when it is reachable again (raftfix.Blocking).
func (c Config) rpcTimeout() time.Duration { return max(time.Second, 20*c.ElectionTimeout) }

// startRaft starts Raft and the goroutines around it.
func (n *Node) startRaft() error {
	logger := n.config.Logger.Named("raft")
	network := n.listenForRaft(logger.Named("transport"))
	log := raftfix.NewLazyLog(n.storage.Log, &n.raftStarted, n.mends)
	n.transport = n.transportOver(network, log)
	n.rounds = newRounds(n)
	n.leadership = decorated[Leadership](leadership{n}, n.seams.Leadership)
	n.silence = decorated(n.stream.silence, n.seams.Silence)
	n.storage.failStop.cutOffBy(n.silence)

	bound := n.newLogBound(log)
	var err error
	if n.raft, err = n.newRaft(n.raftConfig(logger), log, bound); err != nil {
		return errors.Join(err, closeTransport(network))
	}
	if n.mends.Has(raftfix.LogBytes) {
		bound.Serve(n.raft)
		n.wg.Go(func() { bound.Run(n.ctx) })
	}
	n.wg.Go(func() { // Raft's Shutdown does not close its transport
		<-n.ctx.Done()
		_ = closeTransport(network)
	})
	n.inbound.Serve(n.raft)
	if n.replay.err() != nil {
		end := n.activities.begin(Work{Activity: ReplayingLog})
		n.wg.Go(func() {
			defer end()
			n.replay.run(n.ctx)
		})
	}
	n.follow()
	n.resign()
	close(n.raftReady)
	n.meetMembers()
	return n.beginFounding()
}

// listenForRaft returns Raft's transport on the node's port.
func (n *Node) listenForRaft(logger hclog.Logger) *raft.NetworkTransport {
	n.stream = &stream{branch: n.mux.raft, dial: n.conns.dialer(n.ctx, n.config.Endpoint), greet: n.greetAt}
	var layer raft.StreamLayer = n.stream
	if n.mends.Has(raftfix.Deadlines) {
		layer = raftfix.GrowingDeadlines(layer, n.config.rpcTimeout())
	}
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:          layer,
		MaxPool:         pooledConnections,
		MaxRPCsInFlight: inFlight,
		Timeout:         n.config.rpcTimeout(),
		Logger:          logger,
	})
}

// transportOver returns the transport for Raft, with its decorators from the network up.
func (n *Node) transportOver(network *raft.NetworkTransport, log *raftfix.LazyLog) *raftfix.Blocking {
	var t Transport = peerNames{network, &n.expected}
	t = decorated(t, n.seams.Transport)
	n.inbound = raftfix.NewInbound(n.ctx, t, raftfix.Node{
		Header: n.header, FirstIndex: n.storage.Log.FirstIndex,
		Applied: n.storage.machine.Applied, NewestSnapshot: n.newestSnapshot.Load,
	}, n.mends)
	n.wg.Go(n.inbound.Run)
	t = n.inbound
	t = watchedTransport{t, &n.activities}
	if n.mends.Has(raftfix.Stalls) {
		t = n.stall.Transport(t)
	}
	if n.mends.Has(raftfix.LazyEntries) {
		t = raftfix.LoadAppends(t, log)
	}
	return raftfix.NewBlocking(t, n.mends)
}

func (n *Node) newLogBound(log *raftfix.LazyLog) *raftfix.LogBound {
	return raftfix.NewLogBound(log, raftfix.LogBoundConfig{
		SnapshotBytes:  n.config.bounds.snapshot,
		TrailingBytes:  n.config.bounds.trailing,
		TrailingLogs:   uint64(n.config.TrailingLogs),
		Applied:        n.storage.machine.Applied,
		NewestSnapshot: n.newestSnapshot.Load,
		Snapshot:       func() error { return n.wait(n.ctx, func() raft.Future { return n.raft.Snapshot() }) },
		Logger:         n.config.Logger,
	})
}

// newRaft starts Raft with the stored state. Some errors of the stores are hidden from Raft, so the
// returned error is that of the storage if it has failed.
func (n *Node) newRaft(config *raft.Config, log *raftfix.LazyLog, bound *raftfix.LogBound) (*raft.Raft, error) {
	n.votes.read(n.storage.Stable)
	own := decorated[raft.BatchingFSM](n.storage.machine, n.seams.Machine)
	n.replay = newReplay(removalMachine{own, n.identity}, n.storage)
	if err := n.replay.aim(); err != nil {
		return nil, n.storage.cause(err)
	}
	started, err := raft.NewRaft(config, n.machineFor(log), n.logFor(log, bound), n.stableForRaft(), n.snapshotsFor(bound), n.transport)
	if err = n.storage.cause(err); err == nil {
		n.raftStarted.Store(true)
		return started, nil
	}
	if started != nil {
		n.transport.End()
		err = errors.Join(err, started.Shutdown().Error())
	}
	return nil, err
}

// machineFor returns the state machine for Raft, with its decorators from the inside out.
func (n *Node) machineFor(log *raftfix.LazyLog) raft.FSM {
	var m raft.BatchingFSM = n.replay
	m = watchedMachine{m, &n.activities}
	m = failStopMachine{m, n.storage.failStop, &n.raftStarted}
	if n.mends.Has(raftfix.LazyEntries) {
		m = raftfix.LoadApplies(m, log, n.storage.failStop.fail, func(cause error) any {
			return machine.Response{Err: &machine.FailedError{Cause: cause}}
		})
	}
	return m
}

// logFor returns the log for Raft, with its decorators from the disk up.
func (n *Node) logFor(lazy *raftfix.LazyLog, bound *raftfix.LogBound) raft.LogStore {
	var log raft.LogStore = lazy
	log = n.stall.Log(log)
	if n.mends.Has(raftfix.LogBytes) {
		log = bound.Log(log)
	}
	if n.mends.Has(raftfix.StoreErrors) {
		log = raftfix.LogWithoutErrors(log)
	}
	return log
}

// stableForRaft returns the store of term and vote for Raft, with its decorators from the disk up.
func (n *Node) stableForRaft() raft.StableStore {
	stable := n.storage.Stable
	stable = watchedVotes{stable, &n.votes}
	if n.roles.report != nil {
		stable = watchedTerms{stable, &n.roles}
	}
	stable = n.stall.Stable(stable)
	if n.mends.Has(raftfix.StoreErrors) {
		stable = raftfix.StableWithoutErrors(stable)
	}
	return stable
}

// snapshotsFor returns the snapshot store for Raft, with its decorators from the disk up.
func (n *Node) snapshotsFor(bound *raftfix.LogBound) raft.SnapshotStore {
	snapshots := n.storage.Snapshots
	snapshots = watchedSnapshots{snapshots, &n.activities, &n.newestSnapshot}
	if n.mends.Has(raftfix.LogBytes) {
		snapshots = bound.Snapshots(snapshots)
	}
	return snapshots
}

func (n *Node) raftConfig(logger hclog.Logger) *raft.Config {
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(n.config.ID)
	config.HeartbeatTimeout = n.config.ElectionTimeout
	config.ElectionTimeout = n.config.ElectionTimeout
	config.LeaderLeaseTimeout = n.config.ElectionTimeout
	config.CommitTimeout = n.config.ElectionTimeout / 10
	config.MaxAppendEntries = maxAppendEntries
	config.BatchApplyCh = true
	config.SnapshotThreshold = n.config.SnapshotThreshold
	config.SnapshotInterval = n.config.SnapshotInterval
	config.TrailingLogs = uint64(n.config.TrailingLogs)
	// A removed leader keeps running as a non-member to answer pending requests.
	config.ShutdownOnRemove = false
	config.NoLegacyTelemetry = true
	config.Logger = logger
	return config
}

// header returns the header of this node's Raft messages.
func (n *Node) header() raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.config.ID), Addr: []byte(n.Address())}
}

// handOver transfers leadership to the follower with the longest log, as far as Raft knows. If that
// fails, the others elect a leader after their election timeout.
func (n *Node) handOver(ctx context.Context) {
	if err := n.wait(ctx, n.raft.LeadershipTransfer); err != nil {
		n.config.Logger.Warn("leadership was not transferred", "error", err)
	}
}

func closeTransport(t *raft.NetworkTransport) error {
	t.CloseStreams()
	return t.Close()
}

// wait calls Raft and blocks until it has answered, or ctx ends. Raft's methods and futures take no
// context. Raft answers everything while it runs, and close waits for the answers.
func (n *Node) wait(ctx context.Context, ask func() raft.Future) error {
	done := make(chan error, 1)
	n.futures.Go(func() { done <- ask().Error() })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
