package embedded

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// lateAnswers is a transport whose answers to heartbeats arrive late, like answers that wait in the
// socket buffers of a frozen node.
type lateAnswers struct {
	Transport
	mu   sync.Mutex
	hold chan struct{} // closed when the answers may arrive; nil if they are not held
	held int
}

func (t *lateAnswers) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	err := t.Transport.AppendEntries(id, target, args, resp)
	t.mu.Lock()
	hold := t.hold
	if raftfix.IsHeartbeat(args) && err == nil && hold != nil {
		t.held++
	}
	t.mu.Unlock()
	if raftfix.IsHeartbeat(args) && hold != nil {
		<-hold
	}
	return err
}

func (t *lateAnswers) holding() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held
}

// beginHolding holds answers until the channel is closed.
func (t *lateAnswers) beginHolding(until chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hold, t.held = until, 0
}

// countedBeats is a transport that counts heartbeats.
type countedBeats struct {
	Transport
	count *atomic.Int64
}

func (t countedBeats) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if raftfix.IsHeartbeat(args) {
		t.count.Add(1)
	}
	return t.Transport.AppendEntries(id, target, args, resp)
}

var _ = Describe("A strong read", func() {
	It("does not count answers to heartbeats that were sent before the read started", func(ctx SpecContext) {
		late := make(map[string]*lateAnswers)
		memory, nodes := three(func(c *Config) {
			// No answer arrives while they are held: a busy machine must not take that for a lost quorum.
			c.ElectionTimeout, c.WriteTimeout = 4*time.Second, 20*time.Second
			c.Seams = func(life Life) Seams {
				return Seams{Transport: func(inner Transport) Transport {
					late[life.ID] = &lateAnswers{Transport: inner}
					return late[life.ID]
				}}
			}
		})
		var leader *Node
		Eventually(ctx, func() *Node {
			for _, n := range nodes {
				if h := n.Health(); h.State == Online && h.Role == "leader" {
					leader = n
				}
			}
			return leader
		}).ShouldNot(BeNil())
		Expect(post(leader, []byte(`{"sql":"CREATE TABLE t (v)"}`)).Code).To(Equal(http.StatusOK))
		release := make(chan struct{})
		late[leader.ID()].beginHolding(release)
		free := sync.OnceFunc(func() { close(release) })
		DeferCleanup(free)
		strong := func() <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := leader.readIndex(ctx, wire.Strong)
				done <- err
			}()
			return done
		}
		before := strong()
		Eventually(ctx, late[leader.ID()].holding).Should(BeNumerically(">=", 4), "Raft's own heartbeats, and those of the read")
		for _, n := range nodes {
			if n != leader {
				Expect(memory.Between(leader.ID(), n.ID()).Cut(fault.Drop)).To(Succeed())
			}
		}
		after := strong()
		Consistently(after, "50ms", "1ms").ShouldNot(Receive())
		free()
		Eventually(ctx, before).Should(Receive(BeNil()), "what it asked was answered")
		Eventually(ctx, after).Should(Receive(MatchError(errNotLeading)))
	})

	It("shares its heartbeats with concurrent reads", func(ctx SpecContext) {
		var beats atomic.Int64
		l := aFollower(ctx, func(c *Config) {
			c.ElectionTimeout = time.Second // few heartbeats of Raft's own
			c.Seams = func(Life) Seams {
				return Seams{Transport: func(inner Transport) Transport { return countedBeats{inner, &beats} }}
			}
		})
		leader := l.leader
		Eventually(ctx, leader.Health).Should(HaveField("State", Online))
		const readers = 50
		var reads sync.WaitGroup
		before := beats.Load()
		for range readers {
			reads.Go(func() {
				defer GinkgoRecover()
				Expect(leader.readIndex(context.WithoutCancel(ctx), wire.Strong)).Error().NotTo(HaveOccurred())
			})
		}
		reads.Wait()
		Expect(beats.Load()-before).To(BeNumerically("<", 2*readers), "two calls a read were none shared")
	})
})
