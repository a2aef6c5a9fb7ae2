package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

const (
	// maxAppendEntries is how many entries go to a follower, and into one SQLite
	// transaction, at most.
	maxAppendEntries = 512
	// rpcTimeout bounds a call from node to node. A call into silence is held
	// up no longer by it: the silence's end lets it go on.
	rpcTimeout = time.Second
	// pooledConnections to each other node are kept by Raft's transport.
	pooledConnections = 4
	// inFlight calls of replication to one follower: with 2, the library's
	// default, a follower was seen to get no more entries and Shutdown to hang.
	inFlight = 1
)

func (n *Node) startRaft() error {
	logger := n.config.Logger.Named("raft")
	n.stream = &stream{branch: n.mux.raft, dial: n.conns.dialer(n.ctx, n.config.Endpoint), greet: n.greetAt}
	network := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:          unhurried{n.stream},
		MaxPool:         pooledConnections,
		MaxRPCsInFlight: inFlight,
		Timeout:         rpcTimeout,
		Logger:          logger.Named("transport"),
	})
	inbound := n.sorted(between[Transport](named{network, &n.expected}, n.seams.Transport))
	log := newHollowLog(n.storage.Log, &n.raftStarted)
	n.transport = newPatient(boundedTransport{timedTransport{watchedTransport{inbound, &n.activity}, &n.stall}, log})
	n.rounds = newRounds(n)
	n.leadership = between[Leadership](leadership{n}, n.seams.Leadership)
	n.silence = between(n.stream.silence, n.seams.Silence)
	n.storage.guard.cutOffBy(n.silence)

	config := n.raftConfig(logger)
	bound := n.newLogBound(log)
	var err error
	n.raft, err = n.newRaft(config, bound)
	if err != nil {
		return errors.Join(err, closeTransport(network))
	}
	bound.watch(n.raft)
	n.wg.Go(func() { // what Raft's own Shutdown leaves behind
		<-n.ctx.Done()
		_ = closeTransport(network)
	})
	inbound.raft.Store(n.raft)
	if n.replay.err() != nil {
		end := n.activity.begin("replaying the log")
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

// newRaft starts Raft, on what the stores hold. Raft may not have been told that
// they failed.
func (n *Node) newRaft(config *raft.Config, bound *logBound) (*raft.Raft, error) {
	n.votes.read(n.storage.Stable)
	own := between[raft.BatchingFSM](n.storage.machine, n.seams.Machine)
	n.replay = newReplay(dismissing{own, n.identity}, n.storage)
	if err := n.replay.aim(); err != nil {
		return nil, n.storage.cause(err)
	}
	machine := guardedMachine{watchedMachine{n.replay, &n.activity}, n.storage.guard, &n.raftStarted}
	log := boundedLog{timedLog{bound.log, &n.stall}, bound}
	stable := timedStable{watchedVotes{n.storage.Stable, &n.votes, n.storage.guard}, &n.stall}
	snapshots := boundedSnapshots{watchedSnapshots{n.storage.Snapshots, &n.activity, &n.newestSnapshot}, bound}
	started, err := raft.NewRaft(config, newFilledMachine(machine, bound.log), log, stable, snapshots, n.transport)
	if err = n.storage.cause(err); err == nil {
		n.raftStarted.Store(true)
		return started, nil
	}
	if started != nil {
		n.transport.end()
		err = errors.Join(err, started.Shutdown().Error())
	}
	return nil, err
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
	// A leader that is removed goes on as nobody, and answers what it was asked;
	// shutting down by itself it would not.
	config.ShutdownOnRemove = false
	config.NoLegacyTelemetry = true
	config.Logger = logger
	return config
}

// header is what every message of Raft's begins with.
func (n *Node) header() raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.config.ID), Addr: []byte(n.Address())}
}

// handOver gives leadership to the follower that is furthest, as Raft sees it.
// If that fails the others elect a leader after their timeout, as in a crash.
func (n *Node) handOver(ctx context.Context) {
	if err := n.wait(ctx, n.raft.LeadershipTransfer); err != nil {
		n.config.Logger.Warn("leadership was not handed over", "error", err)
	}
}

func closeTransport(t *raft.NetworkTransport) error {
	t.CloseStreams()
	return t.Close()
}

// wait asks Raft and waits for its answer until ctx ends; Raft itself, in
// questions as in futures, knows no context. Raft answers all it was asked as
// long as it runs, and close waits for that.
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
