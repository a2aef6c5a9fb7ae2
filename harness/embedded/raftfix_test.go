package embedded

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// listener is a follower to which a spec sends messages in its leader's name.
type listener struct {
	*Node
	network *network.Network
	leader  *Node
	third   *Node
}

// aFollower starts three nodes and returns a follower.
func aFollower(ctx context.Context, changes ...func(*Config)) (l listener) {
	GinkgoHelper()
	memory, nodes := three(changes...)
	l.network = memory
	Eventually(ctx, func() *Node {
		for _, n := range nodes {
			if h := n.Health(); h.State == Online && h.Role == "follower" {
				l.Node = n
			}
		}
		return l.Node
	}).ShouldNot(BeNil())
	l.leader = nodes[l.Health().Leader]
	for _, n := range nodes {
		if n != l.Node && n != l.leader {
			l.third = n
		}
	}
	return l
}

// lose isolates the follower, and waits until it is a candidate.
func (l listener) lose(ctx context.Context) {
	GinkgoHelper()
	for _, other := range []*Node{l.leader, l.third} {
		Expect(l.network.Between(other.ID(), l.ID()).Cut(fault.Drop)).To(Succeed())
	}
	Eventually(ctx, l.Health).Should(HaveField("State", Connecting))
	Eventually(ctx, l.raft.State).Should(Equal(raft.Candidate))
}

func (l listener) self() (raft.ServerID, raft.ServerAddress) {
	return raft.ServerID(l.ID()), raft.ServerAddress(l.Address())
}

func (l listener) beat(term uint64) (raft.AppendEntriesResponse, error) {
	id, address := l.self()
	var answer raft.AppendEntriesResponse
	err := l.inbound.AppendEntries(id, address, &raft.AppendEntriesRequest{RPCHeader: l.leader.header(), Term: term}, &answer)
	return answer, err
}

// snapshot sends the follower a snapshot that is newer than its log, with data as its content.
func (l listener) snapshot(data io.Reader) error {
	id, address := l.self()
	members := raft.EncodeConfiguration(l.raft.GetConfiguration().Configuration())
	return l.inbound.InstallSnapshot(id, address, &raft.InstallSnapshotRequest{
		RPCHeader: l.leader.header(), SnapshotVersion: 1, Term: l.raft.CurrentTerm(), Leader: []byte(l.leader.Address()),
		LastLogIndex: 1 << 40, LastLogTerm: l.raft.CurrentTerm(), Configuration: members, ConfigurationIndex: 1, Size: 1 << 20,
	}, &raft.InstallSnapshotResponse{}, data)
}

func (l listener) named() string {
	_, named := l.raft.LeaderWithID()
	return string(named)
}

var errLost = errors.New("the rest is lost")

// untilClosed blocks reads until the channel is closed, then returns errLost.
type untilClosed <-chan struct{}

func (c untilClosed) Read([]byte) (int, error) { <-c; return 0, errLost }

var _ = Describe("A candidate with a leader set", func() {
	It("reports no leader", func(ctx SpecContext) {
		lost := aFollower(ctx)
		lost.lose(ctx)
		// During an election that TimeoutNow started, a heartbeat makes Raft set the sender as
		// leader and stay a candidate.
		Eventually(ctx, func(g Gomega) {
			id, address := lost.self()
			request := &raft.TimeoutNowRequest{RPCHeader: lost.leader.header()}
			g.Expect(lost.transport.TimeoutNow(id, address, request, &raft.TimeoutNowResponse{})).To(Succeed())
			g.Expect(lost.beat(lost.raft.CurrentTerm())).Error().NotTo(HaveOccurred())
			g.Expect(lost.named()).To(Equal(lost.leader.ID()))
			g.Expect(lost.raft.State()).To(Equal(raft.Candidate))
		}).Should(Succeed())
		Consistently(ctx, func() string { return lost.Health().Leader }, "200ms", "1ms").Should(BeEmpty())
		Expect(lost.named()).To(Equal(lost.leader.ID()), "Raft no longer names a leader: this spec shows nothing")

		lost.network.MendAll()
		Eventually(ctx, lost.Health).Should(HaveField("State", Online))
	})

	It("still grants its vote to another candidate", func(ctx SpecContext) {
		lost := aFollower(ctx)
		lost.lose(ctx)
		Expect(lost.snapshot(untilClosed(closed()))).To(MatchError(errLost))
		Eventually(ctx, lost.named).Should(Equal(lost.leader.ID()))
		Expect(lost.raft.State()).To(Equal(raft.Candidate), "Raft follows the sender of a snapshot: this spec shows nothing")

		id, address := lost.self()
		Eventually(ctx, func() (bool, error) {
			term := lost.raft.CurrentTerm() + 1
			var vote raft.RequestPreVoteResponse
			err := lost.transport.RequestPreVote(id, address, &raft.RequestPreVoteRequest{
				RPCHeader: lost.third.header(), Term: term, LastLogIndex: 1 << 40, LastLogTerm: term,
			}, &vote)
			return vote.Granted, err
		}).Should(BeTrue())
	})
})

var _ = Describe("A heartbeat", func() {
	It("is answered while Raft is busy, and delivered afterwards", func(ctx SpecContext) {
		busy := aFollower(ctx)
		Expect(busy.network.Between(busy.leader.ID(), busy.ID()).Cut(fault.Drop)).To(Succeed()) // only the spec sends messages
		Expect(busy.beat(busy.raft.CurrentTerm())).To(HaveField("Success", true))
		term, sent, release := busy.raft.CurrentTerm(), make(chan error, 1), make(chan struct{})
		free := sync.OnceFunc(func() { close(release) })
		DeferCleanup(free)
		go func() { sent <- busy.snapshot(untilClosed(release)) }()
		Eventually(ctx, busy.Health).Should(HaveField("Activity", ContainSubstring("receiving a snapshot")))

		heard := busy.raft.LastContact()
		Expect(busy.beat(term)).To(And(HaveField("Success", true), HaveField("Term", term)))
		Consistently(ctx, busy.raft.LastContact, "50ms", "1ms").Should(Equal(heard), "Raft was not at work: this spec shows nothing")

		By("not answering a heartbeat of another term early")
		later := make(chan raft.AppendEntriesResponse, 1)
		go func() {
			defer GinkgoRecover()
			answer, err := busy.beat(term + 1)
			Expect(err).NotTo(HaveOccurred())
			later <- answer
		}()
		Consistently(ctx, later, "50ms", "1ms").ShouldNot(Receive())

		free()
		Eventually(ctx, later).Should(Receive(HaveField("Success", true)))
		Eventually(ctx, sent).Should(Receive(MatchError(errLost)))
		Expect(busy.raft.LastContact()).To(BeTemporally(">", heard))
	})
})

var _ = Describe("Entries that start within the snapshot", func() {
	It("are accepted, although the log does not reach back that far", func(ctx SpecContext) {
		behind := aFollower(ctx, func(c *Config) { c.TrailingLogs = -1 })
		for range 5 {
			Expect(post(behind.leader, []byte(`{"sql":"CREATE TABLE IF NOT EXISTS t (v); INSERT INTO t VALUES (1)"}`)).Code).To(Equal(http.StatusOK))
		}
		end := behind.leader.Health().AppliedIndex
		Eventually(ctx, behind.Health).Should(HaveField("AppliedIndex", end))
		Expect(behind.Snapshot(ctx)).To(Succeed())
		Expect(behind.Health()).To(And(HaveField("SnapshotIndex", end), HaveField("LogEntries", BeZero())))
		Expect(behind.network.Between(behind.leader.ID(), behind.ID()).Cut(fault.Drop)).To(Succeed()) // only the spec sends messages

		term := behind.raft.CurrentTerm()
		noop := func(index uint64) *raft.Log { return &raft.Log{Index: index, Term: term, Type: raft.LogNoop} }
		take := func(previous, commit uint64, entries ...*raft.Log) (bool, error) {
			id, address := behind.self()
			var answer raft.AppendEntriesResponse
			err := behind.inbound.AppendEntries(id, address, &raft.AppendEntriesRequest{
				RPCHeader: behind.leader.header(), Term: term, PrevLogEntry: previous, PrevLogTerm: term, LeaderCommitIndex: commit, Entries: entries,
			}, &answer)
			return answer.Success, err
		}
		Expect(take(end-2, end, noop(end-1), noop(end), noop(end+1), noop(end+2))).To(BeTrue())
		Expect(behind.raft.LastIndex()).To(Equal(end + 2))
		Expect(take(end-2, end, noop(end-1), noop(end), noop(end+1), noop(end+2))).To(BeTrue(), "once more")
		Expect(take(end, end, noop(end+1), noop(end+2), noop(end+3))).To(BeTrue())
		Expect(behind.raft.LastIndex()).To(Equal(end + 3))

		By("limiting the commit index to them")
		Expect(take(end-2, end+3)).To(BeTrue())
		Expect(take(end-2, end+3, noop(end-1), noop(end))).To(BeTrue())
		Expect(behind.raft.CommitIndex()).To(Equal(end))
		Expect(take(end, end+3, noop(end+1))).To(BeTrue())
		Expect(behind.raft.CommitIndex()).To(Equal(end + 1))
	})
})

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
