package membership_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/internal/membership"
	"github.com/rejoin-db/rejoin/harness/target"
)

func TestMembership(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Membership")
}

// member is a member whose behaviour a spec sets.
type member struct {
	id string

	mu     sync.Mutex
	status func() (target.Status, error)
	change func(what string) error // nil for success
	asked  []string
}

func (m *member) ID() string { return m.id }

func (m *member) Status(context.Context) (target.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status()
}

func (m *member) ask(what string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, what)
	if m.change == nil {
		return nil
	}
	return m.change(what)
}

func (m *member) AddMember(_ context.Context, added embedded.Member) error {
	return m.ask(fmt.Sprintf("add %s at %s, voter %t", added.ID, added.Address, added.Voter))
}

func (m *member) RemoveMember(_ context.Context, id string) error { return m.ask("remove " + id) }

func (m *member) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

func shows(s target.Status) func() (target.Status, error) {
	return func() (target.Status, error) { return s, nil }
}

var _ = Describe("Membership", func() {
	var online, lost, gone, fresh *member
	var through []membership.Node
	enough := errors.New("enough")

	BeforeEach(func() {
		online = &member{id: "n0", status: shows(target.Status{State: target.Online, Leader: "n0", CommitIndex: 40})}
		lost = &member{id: "n1", status: shows(target.Status{State: target.Connecting, CommitIndex: 50})}
		gone = &member{id: "n2", status: func() (target.Status, error) { return target.Status{}, errors.New("no answer") }}
		fresh = &member{id: "n3", status: shows(target.Status{State: target.Online, AppliedIndex: 50})}
		through = []membership.Node{gone, lost, online}
	})

	It("adds a nonvoter through a member that knows a leader", func(ctx SpecContext) {
		Expect(membership.Add(ctx, through, fresh, "h:1", false)).To(Succeed())
		Expect(online.requests()).To(Equal([]string{"add n3 at h:1, voter false"}))
		Expect(append(lost.requests(), gone.requests()...)).To(BeEmpty())
	})

	It("makes a node a voter only after it has applied the highest commit index of the members", func(ctx SpecContext) {
		applied := uint64(49)
		fresh.status = func() (target.Status, error) {
			return target.Status{State: target.Online, AppliedIndex: applied, Voter: len(online.requests()) == 2}, nil
		}
		added := make(chan error)
		go func() { added <- membership.Add(ctx, through, fresh, "h:1", true) }()
		Consistently(added, "50ms", "1ms").ShouldNot(Receive())
		Expect(online.requests()).To(HaveLen(1))
		fresh.mu.Lock()
		applied = 50
		fresh.mu.Unlock()
		Eventually(ctx, added).Should(Receive(BeNil()))
		Expect(online.requests()).To(Equal([]string{"add n3 at h:1, voter false", "add n3 at h:1, voter true"}))
	})

	It("reports what it waited for and the last status", func(ctx SpecContext) {
		fresh.status = shows(target.Status{State: target.Syncing, AppliedIndex: 7, Leader: "n0"})
		waiting, stop := context.WithTimeoutCause(ctx, 20*time.Millisecond, enough)
		defer stop()
		Expect(membership.Add(waiting, through, fresh, "h:1", true)).To(MatchError(
			`wait for node n3 to be online, with log index 50 applied: ` +
				`last seen state syncing, applied index 7, leader "n0", voter false: enough`))
		fresh.status = gone.status
		waiting, stop = context.WithTimeoutCause(ctx, 20*time.Millisecond, enough)
		defer stop()
		Expect(membership.Add(waiting, through, fresh, "h:1", true)).To(MatchError(ContainSubstring("last seen no answer: enough")))
	})

	It("retries until a member succeeds", func(ctx SpecContext) {
		online.change = func(string) error {
			if len(online.asked) < 3 {
				return errors.New("not now")
			}
			return nil
		}
		Expect(membership.Remove(ctx, through, "n3")).To(Succeed())
		Expect(online.requests()).To(Equal([]string{"remove n3", "remove n3", "remove n3"}))
	})

	It("reports why each member could not", func(ctx SpecContext) {
		online.change = func(string) error { return errors.New("not now") }
		waiting, stop := context.WithTimeoutCause(ctx, 20*time.Millisecond, enough)
		defer stop()
		err := membership.Remove(waiting, through, "n3")
		Expect(err).To(MatchError(enough))
		Expect(err).To(MatchError(And(
			HavePrefix("remove member n3: none of 3 members could make the change: no answer\n"),
			ContainSubstring(`node n1 is connecting, leader ""`), ContainSubstring("not now"))))
	})
})
