package raftfix

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// scripted is a transport with scripted answers.
type scripted struct {
	transport // nil: methods that no spec uses

	mu        sync.Mutex
	append    func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error
	install   func() error
	heartbeat func() error
	sent      []raft.AppendEntriesRequest // without heartbeats
	installed int
	closed    bool
}

func (s *scripted) AppendEntries(_ raft.ServerID, _ raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	s.mu.Lock()
	answer, beat := s.append, s.heartbeat
	if !IsHeartbeat(args) {
		s.sent = append(s.sent, *args)
	}
	s.mu.Unlock()
	if IsHeartbeat(args) {
		return beat()
	}
	return answer(args, resp)
}

func (s *scripted) InstallSnapshot(raft.ServerID, raft.ServerAddress,
	*raft.InstallSnapshotRequest, *raft.InstallSnapshotResponse, io.Reader) error {
	s.mu.Lock()
	s.installed++
	answer := s.install
	s.mu.Unlock()
	return answer()
}

func (s *scripted) Close() error { s.closed = true; return nil }

func (s *scripted) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

func (s *scripted) set(change func(*scripted)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

var (
	errSilence = &net.OpError{Op: "read", Err: context.DeadlineExceeded}
	errRefused = errors.New("refused by Raft")
)

func accept(_ *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	resp.Success = true
	return nil
}

func silence(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error { return errSilence }

var _ = Describe("A transport that blocks", func() {
	const term = 7
	var inner *scripted
	var p *Blocking
	BeforeEach(func() {
		inner = &scripted{append: accept, heartbeat: func() error { return nil }, install: func() error { return nil }}
		p = NewBlocking(inner, All)
		p.Lead(term)
	})

	request := func() *raft.AppendEntriesRequest {
		return &raft.AppendEntriesRequest{
			Term: term, PrevLogEntry: 4, PrevLogTerm: 3, LeaderCommitIndex: 2,
			Entries: []*raft.Log{{Index: 5, Term: term}},
		}
	}
	call := func() <-chan error {
		done := make(chan error, 1)
		go func() { done <- p.AppendEntries("b", "b:1", request(), &raft.AppendEntriesResponse{}) }()
		return done
	}
	beat := func() error {
		return p.AppendEntries("b", "b:1", &raft.AppendEntriesRequest{Term: term}, &raft.AppendEntriesResponse{})
	}
	install := func() <-chan error {
		done := make(chan error, 1)
		go func() {
			done <- p.InstallSnapshot("b", "b:1", &raft.InstallSnapshotRequest{Term: term}, &raft.InstallSnapshotResponse{}, nil)
		}()
		return done
	}
	// lose starts a call that waits because the peer cannot be reached.
	lose := func() <-chan error {
		GinkgoHelper()
		inner.set(func(s *scripted) { s.append = silence })
		done := call()
		Eventually(inner.calls).Should(Equal(1))
		Consistently(done, "20ms", "1ms").ShouldNot(Receive())
		Expect(inner.calls()).To(Equal(1), "a waiting call does not retry")
		return done
	}

	It("passes on an answer, and an error that the peer answered", func() {
		Eventually(call()).Should(Receive(BeNil()))
		inner.set(func(s *scripted) {
			s.append = func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error { return errRefused }
		})
		Eventually(call()).Should(Receive(MatchError(errRefused)))
		Expect(inner.calls()).To(Equal(2))
	})

	DescribeTable("waits after", func(err error) {
		inner.set(func(s *scripted) {
			s.append = func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error { return err }
		})
		done := call()
		Eventually(inner.calls).Should(Equal(1))
		Consistently(done, "10ms", "1ms").ShouldNot(Receive())
		p.End()
		Eventually(done).Should(Receive(MatchError(errGaveUp)))
	},
		Entry("a timeout", errSilence),
		Entry("the end of the connection", io.EOF),
		Entry("a connection that ends within an answer", io.ErrUnexpectedEOF),
		Entry("a closed connection", net.ErrClosed),
		Entry("a closed pipe", io.ErrClosedPipe),
	)

	It("continues as soon as a heartbeat succeeds, and sends the call again", func() {
		done := lose()
		inner.set(func(s *scripted) { s.heartbeat = func() error { return errSilence } })
		Expect(beat()).To(MatchError(errSilence), "heartbeats do not wait")
		Consistently(done, "10ms", "1ms").ShouldNot(Receive())
		inner.set(func(s *scripted) { s.append = accept; s.heartbeat = func() error { return nil } })
		Expect(beat()).To(Succeed())
		Eventually(done).Should(Receive(BeNil()))
		Expect(inner.calls()).To(Equal(2))
	})

	It("waits again if the peer is lost again", func() {
		done := lose()
		Expect(beat()).To(Succeed())
		Eventually(inner.calls).Should(Equal(2))
		Consistently(done, "10ms", "1ms").ShouldNot(Receive())
		inner.set(func(s *scripted) { s.append = accept })
		Expect(beat()).To(Succeed())
		Eventually(done).Should(Receive(BeNil()))
	})

	DescribeTable("stops waiting", func(end func()) {
		done, second := lose(), install()
		Consistently(second, "10ms", "1ms").ShouldNot(Receive())
		end()
		Eventually(done).Should(Receive(MatchError(errGaveUp)))
		Eventually(second).Should(Receive(MatchError(errGaveUp)))
	},
		Entry("when leadership is lost", func() { p.Lead(0) }),
		Entry("when another term begins", func() { p.Lead(term + 1) }),
		Entry("when the peer is removed", func() { p.Forget("b") }),
		Entry("when End is called", func() { p.End() }),
		Entry("when the transport is closed", func() { Expect(p.Close()).To(Succeed()); Expect(inner.closed).To(BeTrue()) }),
	)

	It("stops waiting at the peer's old address as soon as heartbeats go to the new one", func() {
		done, second := lose(), install()
		Consistently(second, "10ms", "1ms").ShouldNot(Receive())
		inner.set(func(s *scripted) { s.heartbeat = func() error { return errSilence } })
		Expect(beat()).To(MatchError(errSilence))
		Consistently(done, "10ms", "1ms").ShouldNot(Receive())
		moved := func() error {
			return p.AppendEntries("b", "b:2", &raft.AppendEntriesRequest{Term: term}, &raft.AppendEntriesResponse{})
		}
		Expect(moved()).To(MatchError(errSilence), "it need not be reached there yet")
		Eventually(done).Should(Receive(MatchError(errMoved)))
		Eventually(second).Should(Receive(MatchError(errMoved)))

		By("sending to the new address once the peer is reachable there")
		inner.set(func(s *scripted) { s.append = accept; s.heartbeat = func() error { return nil } })
		there := make(chan error, 1)
		go func() { there <- p.AppendEntries("b", "b:2", request(), &raft.AppendEntriesResponse{}) }()
		Consistently(there, "10ms", "1ms").ShouldNot(Receive())
		Expect(moved()).To(Succeed())
		Eventually(there).Should(Receive(BeNil()))
	})

	It("does not stop waiting when Lead repeats the term or another peer is removed", func() {
		done := lose()
		p.Lead(term)
		p.Forget("c")
		p.reached("c")
		Consistently(done, "20ms", "1ms").ShouldNot(Receive())
		p.End()
		Eventually(done).Should(Receive())
	})

	It("does not wait for calls of a term that this node does not lead", func() {
		inner.set(func(s *scripted) { s.append = silence })
		for _, other := range []uint64{0, term - 1, term + 1} {
			p.Lead(other)
			Eventually(call()).Should(Receive(MatchError(errSilence)))
		}
		p.Lead(term)
		p.End()
		Eventually(call()).Should(Receive(MatchError(errSilence)))
	})

	It("starts a term without the state of peers from the previous one", func() {
		done := lose()
		p.Lead(0)
		Eventually(done).Should(Receive(MatchError(errGaveUp)))
		p.Lead(term)
		inner.set(func(s *scripted) { s.append = accept })
		Eventually(call()).Should(Receive(BeNil()))
	})

	It("fails InstallSnapshot once after a wait", func() {
		Eventually(install()).Should(Receive(BeNil()))
		inner.set(func(s *scripted) { s.install = func() error { return errSilence } })
		Eventually(install()).Should(Receive(MatchError(errSilence)))
		done := install()
		Consistently(done, "10ms", "1ms").ShouldNot(Receive())
		Expect(inner.installed).To(Equal(2))
		Expect(beat()).To(Succeed())
		Eventually(done).Should(Receive(MatchError(errWaited)))
		Expect(inner.installed).To(Equal(2))
		inner.set(func(s *scripted) { s.install = func() error { return errRefused } })
		Eventually(install()).Should(Receive(MatchError(errRefused)))
		Eventually(call()).Should(Receive(BeNil()), "an answer is contact")
	})

	When("a follower waits for a commit", func() {
		notice := func(index, entryTerm, commit uint64) raft.AppendEntriesRequest {
			return raft.AppendEntriesRequest{Term: term, PrevLogEntry: index, PrevLogTerm: entryTerm, LeaderCommitIndex: commit}
		}
		last := func() raft.AppendEntriesRequest { return inner.sent[len(inner.sent)-1] }

		It("is notified immediately, once, and only of entries that it has confirmed", func() {
			Eventually(call()).Should(Receive(BeNil())) // it has 5
			p.Committed("b", 5)
			Expect(inner.calls()).To(Equal(2))
			Expect(last()).To(Equal(notice(5, term, 5)))
			Expect(IsHeartbeat(&inner.sent[1])).To(BeFalse())
			p.Committed("b", 5)
			p.Committed("b", 4)
			Expect(inner.calls()).To(Equal(2), "it knows that already")
			p.Committed("b", 6)
			Expect(inner.calls()).To(Equal(2), "it has not confirmed that yet")
			six := request()
			six.PrevLogEntry, six.PrevLogTerm, six.Entries = 5, term, []*raft.Log{{Index: 6, Term: term}}
			Expect(p.AppendEntries("b", "b:1", six, &raft.AppendEntriesResponse{})).To(Succeed())
			Expect(inner.calls()).To(Equal(4))
			Expect(last()).To(Equal(notice(6, term, 6)))
		})

		It("is not notified of a commit index that Raft has sent", func() {
			told := request()
			told.LeaderCommitIndex = 9 // more than the follower has: it knows of 5
			Expect(p.AppendEntries("b", "b:1", told, &raft.AppendEntriesResponse{})).To(Succeed())
			p.Committed("b", 5)
			Expect(inner.calls()).To(Equal(1))
		})

		It("is left to Raft when it is unreachable, rejects the call, or is in another term", func() {
			p.Committed("b", 5)
			Expect(inner.calls()).To(BeZero(), "nothing is known of it")
			Eventually(call()).Should(Receive(BeNil()))
			inner.set(func(s *scripted) { s.append = silence })
			begun := time.Now()
			p.Committed("b", 5)
			Expect(inner.calls()).To(Equal(2))
			inner.set(func(s *scripted) {
				s.append = func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error { return nil }
			})
			p.Committed("b", 5)
			Expect(inner.calls()).To(Equal(3))
			Expect(time.Since(begun)).To(BeNumerically("<", time.Second), "neither is tried again")
			p.Lead(term + 1)
			p.Committed("b", 5)
			Expect(inner.calls()).To(Equal(3))
		})

		It("is notified with one call at a time, however many requests wait", func() {
			Eventually(call()).Should(Receive(BeNil()))
			release := make(chan struct{})
			inner.set(func(s *scripted) {
				s.append = func(_ *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
					<-release
					resp.Success = true
					return nil
				}
			})
			first := make(chan struct{})
			go func() { p.Committed("b", 4); close(first) }()
			Eventually(inner.calls).Should(Equal(2))
			for range 10 {
				p.Committed("b", 5)
			}
			Expect(inner.calls()).To(Equal(2))
			close(release)
			Eventually(first).Should(BeClosed())
			Expect(inner.calls()).To(Equal(3))
			Expect(last()).To(Equal(notice(5, term, 5)))
		})
	})
})
