package workload_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// scripted is a workload of one request, which a fake cluster answers.
type scripted struct {
	read    func(harness.Result) ([]journal.Step, error)
	refused func(error) bool

	mu      sync.Mutex
	clients []int // that called Next
}

func (*scripted) Name() string { return "scripted" }

func (*scripted) Setup(context.Context, *harness.Cluster) error { return nil }

func (s *scripted) Next(_ *rand.Rand, client int) workload.Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, client)
	return workload.Operation{
		Op:  journal.Op{Model: journal.Counter, Level: journal.Strong, Steps: []journal.Step{{Do: journal.Increment, Key: "k", Value: 1}}},
		SQL: "UPDATE t", Read: s.read, Refused: s.refused,
	}
}

func (*scripted) Final(context.Context, *harness.Cluster) error { return nil }

var _ = Describe("A load", func() {
	var w *scripted
	BeforeEach(nothingIsLeft)
	BeforeEach(func() { w = &scripted{} })

	// onFake runs the body in a bubble, with a fake cluster that calls the hook for each request.
	onFake := func(hook func(context.Context, target.Request) error, body func(ctx context.Context, c *harness.Cluster)) {
		GinkgoHelper()
		synctest.Test(new(testing.T), func(*testing.T) {
			defer GinkgoRecover()
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			var made fake.Target
			c, err := harness.Boot(ctx, &made)
			Expect(err).NotTo(HaveOccurred())
			defer func() { Expect(c.Close()).To(Succeed()) }()
			made.Last().Answers("UPDATE t", fake.Change(1))
			for i := range c.Size() {
				made.Last().Node(i).OnQuery(hook)
			}
			body(ctx, c)
		})
	}
	takes := func(d time.Duration, err error) func(context.Context, target.Request) error {
		return func(ctx context.Context, _ target.Request) error {
			select {
			case <-time.After(d):
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	start := func(ctx context.Context, c *harness.Cluster, l workload.Load) *workload.Running {
		GinkgoHelper()
		l.Workload = w
		r, err := l.Start(ctx, c)
		Expect(err).NotTo(HaveOccurred())
		return r
	}
	said := func(temporary bool, outcome target.Outcome) error {
		return &target.Error{Node: "n0", Code: "SAID", Message: "no", Temporary: temporary, Outcome: outcome}
	}

	It("invokes as many operations as it may, and records each", func() {
		onFake(takes(time.Millisecond, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Most: 103})
			<-r.Done()
			Expect(r.Tally()).To(Equal(workload.Tally{OK: 103}))
			Expect(r.Finish(ctx)).To(Succeed())
			ops := operations(c)
			Expect(ops).To(HaveLen(103))
			Expect(ops).To(HaveEach(HaveField("Outcome", journal.OK)))
			Expect(clients(ops)).To(HaveLen(5))
		})
	})

	It("numbers its clients from the first on", func() {
		onFake(takes(time.Millisecond, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Most: 50, Clients: 3, First: 700})
			<-r.Done()
			Expect(r.Finish(ctx)).To(Succeed())
			Expect(slices.Sorted(maps.Keys(clients(operations(c))))).To(Equal([]int{700, 701, 702}))
		})
	})

	It("keeps to its rate", func() {
		onFake(takes(0, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 10, Rate: 2})
			time.Sleep(100 * time.Second)
			Expect(r.Stop().OK).To(BeNumerically("~", 2000, 100))
		})
	})

	It("finishes what has begun when it is stopped, and begins nothing more", func() {
		onFake(takes(time.Second, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 3})
			time.Sleep(1500 * time.Millisecond)
			Expect(r.Tally()).To(Equal(workload.Tally{OK: 3}))
			begun := time.Now()
			Expect(r.Stop()).To(Equal(workload.Tally{OK: 6}))
			Expect(time.Since(begun)).To(Equal(500 * time.Millisecond))
			Expect(r.Stop()).To(Equal(workload.Tally{OK: 6}))
			Expect(r.Done()).To(BeClosed())
		})
	})

	It("gives an operation its deadline, and goes on as another client after an unknown outcome", func() {
		onFake(takes(time.Hour, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 2, Most: 6, Deadline: time.Second})
			begun := time.Now()
			<-r.Done()
			Expect(time.Since(begun)).To(BeNumerically("~", 3*time.Second, 100*time.Millisecond))
			Expect(r.Tally()).To(Equal(workload.Tally{Unknown: 6}))
			Expect(clients(operations(c))).To(HaveLen(6))
			Expect(w.clients).To(ConsistOf(0, 1, 2, 3, 4, 5))
			Expect(r.Finish(ctx)).To(MatchError(ContainSubstring("no operation succeeded: 0 ok, 0 failed, 6 unknown")))
		})
	})

	It("ends with its context", func() {
		onFake(takes(time.Hour, nil), func(ctx context.Context, c *harness.Cluster) {
			ctx, cancel := context.WithCancel(ctx)
			r := start(ctx, c, workload.Load{})
			synctest.Wait()
			cancel()
			begun := time.Now()
			<-r.Done()
			Expect(time.Since(begun)).To(BeZero())
		})
	})

	It("backs off when it is refused, as the same client", func() {
		onFake(takes(0, said(true, target.NotApplied)), func(ctx context.Context, c *harness.Cluster) {
			begun := time.Now()
			r := start(ctx, c, workload.Load{Clients: 1, Most: 10})
			<-r.Done()
			Expect(r.Tally()).To(Equal(workload.Tally{Failed: 10}))
			Expect(time.Since(begun)).To(BeNumerically(">=", 50*time.Millisecond))
			Expect(clients(operations(c))).To(HaveLen(1))
		})
	})

	It("accepts an error that is an expected answer", func() {
		w.refused = func(error) bool { return true }
		onFake(takes(0, said(false, target.NotApplied)), func(ctx context.Context, c *harness.Cluster) {
			begun := time.Now()
			r := start(ctx, c, workload.Load{Clients: 1, Most: 10})
			<-r.Done()
			Expect(r.Tally()).To(Equal(workload.Tally{Failed: 10}))
			Expect(time.Since(begun)).To(BeZero())
		})
	})

	It("fails at its end over a permanent error", func() {
		onFake(takes(0, said(false, target.NotApplied)), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 1, Most: 10})
			<-r.Done()
			Expect(r.Finish(ctx)).To(MatchError(ContainSubstring("increment k 1 was rejected with a permanent error")))
		})
	})

	It("counts a change that was made though its answer was lost", func() {
		w.read = func(harness.Result) ([]journal.Step, error) { panic("there is no answer") }
		onFake(takes(0, said(true, target.Applied)), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 1, Most: 10})
			<-r.Done()
			Expect(r.Tally()).To(Equal(workload.Tally{OK: 10}))
			Expect(r.Finish(ctx)).To(Succeed())
		})
	})

	It("fails at its end over an invalid answer", func() {
		w.read = func(harness.Result) ([]journal.Step, error) { return nil, errors.New("half a row") }
		onFake(takes(0, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 1, Most: 10})
			<-r.Done()
			Expect(r.Finish(ctx)).To(MatchError(ContainSubstring("invalid answer to increment k 1: half a row")))
		})
	})

	It("records what was read", func() {
		w.read = func(r harness.Result) ([]journal.Step, error) {
			return []journal.Step{{Do: journal.Read, Key: "k", Got: []int64{r.Affected()}}}, nil
		}
		onFake(takes(0, nil), func(ctx context.Context, c *harness.Cluster) {
			r := start(ctx, c, workload.Load{Clients: 1, Most: 1})
			<-r.Done()
			Expect(operations(c)[0].Steps).To(Equal([]journal.Step{{Do: journal.Read, Key: "k", Got: []int64{1}}}))
		})
	})

	It("refuses invalid settings", func(ctx SpecContext) {
		_, err := workload.Load{}.Start(ctx, nil)
		Expect(err).To(MatchError("a load needs a workload"))
		_, err = workload.Load{Workload: w, Rate: -1}.Start(ctx, nil)
		Expect(err).To(MatchError(ContainSubstring("rate -1")))
	})
})

// operations returns the operations of clients, in the order in which they ended.
func operations(c *harness.Cluster) (ops []journal.Op) {
	for _, e := range c.Journal().Events() {
		if e.Op != nil && e.Op.Client != journal.None {
			ops = append(ops, *e.Op)
		}
	}
	return ops
}

// clients returns how many operations each client invoked.
func clients(ops []journal.Op) map[int]int {
	by := make(map[int]int)
	for _, op := range ops {
		by[op.Client]++
	}
	return by
}
