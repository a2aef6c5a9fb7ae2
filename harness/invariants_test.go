package harness_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Heal", func() {
	It("brings back nodes that are offline, and waits until all are online", func(ctx SpecContext) {
		c, f := boot(harness.Size(5))
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 4)).To(Succeed())
		var syncing atomic.Bool
		syncing.Store(true)
		shows(f.Node(4), func(s *target.Status) {
			if syncing.Load() {
				s.State = target.Syncing
			}
		})
		done := make(chan error, 1)
		go func() { done <- c.Heal(ctx) }()
		Eventually(ctx, c.OnlineNodes).Should(HaveLen(5))
		Consistently(done, soon).ShouldNot(Receive())
		syncing.Store(false)
		Eventually(ctx, done).Should(Receive(BeNil()))
		Expect(f.Calls()).To(Equal([]string{"isolate 1", "isolate 4", "rejoin 1", "rejoin 4"}))
		Expect(c.Heal(ctx)).To(Succeed(), "a second time there is nothing to do")
		Expect(f.Calls()).To(HaveLen(4))
	}, patience)

	It("brings back the nodes it can, and names the others", func(ctx SpecContext) {
		c, f := boot()
		for i := range 3 {
			Expect(c.TakeNodeOffline(ctx, i)).To(Succeed())
		}
		f.OnRejoin = func(_ context.Context, i int) error {
			if i == 1 {
				return errors.New("no such link")
			}
			return nil
		}
		Expect(c.Heal(ctx)).To(MatchError("bring online on node 1 (n1): no such link; its flag still says offline"))
		Expect(flags(c)).To(Equal([]bool{true, false, true}))
	}, patience)
})

var _ = Describe("VerifyInvariants", func() {
	write := func(ctx context.Context, c *harness.Cluster, times int) {
		GinkgoHelper()
		for range times {
			_, err := c.ExecuteOnRandom(ctx, "INSERT")
			Expect(err).NotTo(HaveOccurred())
		}
	}

	It("succeeds on a cluster that kept its promises", func(ctx SpecContext) {
		c, _ := boot()
		write(ctx, c, 20)
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		write(ctx, c, 20)
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	It("skips checks that the target does not support", func(ctx SpecContext) {
		c, _ := bootOf(&fake.Target{Plain: true})
		write(ctx, c, 5)
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	Describe("finds two leaders of one term", func() {
		It("in one term of many", func(ctx SpecContext) {
			c, f := boot()
			shows(f.Node(0), func(s *target.Status) { s.LedTerms = []uint64{2, 5, 7} })
			shows(f.Node(1), func(s *target.Status) { s.LedTerms = []uint64{3} })
			shows(f.Node(2), func(s *target.Status) { s.LedTerms = []uint64{4, 6} })
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
			shows(f.Node(2), func(s *target.Status) { s.LedTerms = []uint64{4, 5, 6} })
			err := c.VerifyInvariants(ctx)
			Expect(err).To(MatchError(harness.ErrInvariant))
			Expect(err).To(MatchError("a promise of the cluster is broken: node 0 (n0) and node 2 (n2) both led in term 5"))
		}, patience)

		It("or returns why it cannot", func(ctx SpecContext) {
			c, f := boot()
			f.Node(1).OnStatus(func(context.Context, target.Status) (target.Status, error) {
				return target.Status{}, errors.New("gone")
			})
			Expect(c.VerifyInvariants(ctx)).To(And(MatchError("ask for status on node 1 (n1): gone"), Not(MatchError(harness.ErrInvariant))))
		}, patience)
	})

	Describe("finds an acknowledged change that is missing", func() {
		forgets := func(f *fake.Cluster, node int, id string) {
			f.OnRemembered = func(_ context.Context, i int) (map[string]bool, error) {
				ids := f.Remembered(i)
				if i == node {
					delete(ids, id)
				}
				return ids, nil
			}
		}

		It("on any node", func(ctx SpecContext) {
			c, f := boot()
			write(ctx, c, 10)
			for i := range 3 {
				forgets(f, i, "harness-1-4")
				err := c.VerifyInvariants(ctx)
				Expect(err).To(MatchError(harness.ErrInvariant))
				Expect(err).To(MatchError(fmt.Sprintf("a promise of the cluster is broken: node %[1]d (n%[1]d) lacks 1 acknowledged changes, "+
					"the first is harness-1-4", i)))
			}
		}, patience)

		It("but not what failed, or what only read", func(ctx SpecContext) {
			c, f := boot()
			f.Answers("SELECT", fake.Table("a"))
			f.Answers("BROKEN", fake.Change(1).Breaking(errors.New("cut off")))
			_, err := c.ExecuteOnRandom(ctx, "SELECT") // harness-1-1
			Expect(err).NotTo(HaveOccurred())
			_, err = c.ExecuteOnRandom(ctx, "BROKEN") // harness-1-2
			Expect(err).To(HaveOccurred())
			forgets(f, 1, "harness-1-2")
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
		}, patience)

		It("among the latest, which every node remembers", func(ctx SpecContext) {
			c, f := bootOf(&fake.Target{Memory: 10})
			write(ctx, c, 12) // of which 8 to 12 are surely remembered
			for n := range 12 {
				forgets(f, 2, fmt.Sprint("harness-1-", n+1))
				matcher := Succeed()
				if n+1 >= 8 {
					matcher = MatchError(harness.ErrInvariant)
				}
				Expect(c.VerifyInvariants(ctx)).To(matcher, "request %d", n+1)
			}
		}, patience)

		It("but waits for a node that is behind, on a target without digests", func(ctx SpecContext) {
			over := &undigested{}
			c, err := harness.Boot(ctx, over, harness.Seed(1))
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(c.Close)
			f := over.Last()
			write(ctx, c, 4)
			var asked atomic.Int64
			const late = 3
			shows(f.Node(2), func(s *target.Status) {
				if asked.Load() < late {
					s.AppliedIndex--
				}
			})
			f.OnRemembered = func(_ context.Context, i int) (map[string]bool, error) {
				ids := f.Remembered(i)
				if i == 2 && asked.Add(1) <= late {
					delete(ids, "harness-1-4")
				}
				return ids, nil
			}
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
			Expect(asked.Load()).To(BeNumerically(">", late), "it did not wait")
		}, patience)

		It("or returns why it cannot", func(ctx SpecContext) {
			c, f := boot()
			f.OnRemembered = func(context.Context, int) (map[string]bool, error) { return nil, errors.New("gone") }
			Expect(c.VerifyInvariants(ctx)).To(MatchError("ask for applied requests on node 0 (n0): gone"))
		}, patience)
	})

	Describe("finds different data", func() {
		digests := func(f *fake.Cluster, of func(node int) (uint64, string)) {
			f.OnDigest = func(_ context.Context, node int) (uint64, string, error) {
				index, sum := of(node)
				return index, sum, nil
			}
		}

		It("at one index", func(ctx SpecContext) {
			c, f := boot()
			for odd := range 3 {
				digests(f, func(node int) (uint64, string) {
					if node == odd {
						return 9, "other"
					}
					return 9, "sum"
				})
				err := c.VerifyInvariants(ctx)
				Expect(err).To(MatchError(harness.ErrInvariant))
				Expect(err).To(MatchError(fmt.Sprintf(
					"a promise of the cluster is broken: node 0 (n0) and %s hold different data at log index 9", node(c, max(odd, 1)))))
			}
		}, patience)

		It("once all nodes are at one index", func(ctx SpecContext) {
			c, f := boot()
			var behind atomic.Int64
			behind.Store(5)
			digests(f, func(node int) (uint64, string) {
				if node == 2 && behind.Add(-1) >= 0 {
					return 8, "older"
				}
				return 9, "sum"
			})
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
			Expect(behind.Load()).To(BeEquivalentTo(-1))
		}, patience)

		It("or says which node is behind when ctx ends", func(ctx SpecContext) {
			c, f := boot()
			digests(f, func(node int) (uint64, string) { return uint64(9 - node/2), "sum" })
			err := c.VerifyInvariants(shortly(ctx))
			Expect(err).To(MatchError(context.DeadlineExceeded))
			Expect(err).To(MatchError("wait until all nodes have applied the same entries: node 0 (n0) is at index 9, node 2 (n2) at 8: " +
				"context deadline exceeded"))
		}, patience)

		It("or returns why it cannot", func(ctx SpecContext) {
			c, f := boot()
			f.OnDigest = func(_ context.Context, node int) (uint64, string, error) { return 0, "", errors.New("gone") }
			Expect(c.VerifyInvariants(ctx)).To(MatchError("digest on node 0 (n0): gone"))
		}, patience)
	})

	It("waits for nodes that are behind before it asks what they have applied", func(ctx SpecContext) {
		c, f := boot()
		write(ctx, c, 1)
		var probes atomic.Int64
		f.OnDigest = func(_ context.Context, node int) (uint64, string, error) {
			if node == 2 && probes.Add(1) < 3 {
				return 1, "older", nil
			}
			return 2, "sum", nil
		}
		f.OnRemembered = func(_ context.Context, node int) (map[string]bool, error) {
			if node == 2 && probes.Load() < 3 {
				return nil, nil
			}
			return f.Remembered(node), nil
		}
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	It("reports every broken promise", func(ctx SpecContext) {
		c, f := boot()
		write(ctx, c, 1)
		shows(f.Node(1), func(s *target.Status) { s.LedTerms = []uint64{2} })
		f.OnDigest = func(_ context.Context, node int) (uint64, string, error) { return 1, fmt.Sprint(node), nil }
		f.OnRemembered = func(context.Context, int) (map[string]bool, error) { return nil, nil }
		Expect(c.VerifyInvariants(ctx)).To(MatchError(And(
			ContainSubstring("both led"), ContainSubstring("different data"), ContainSubstring("lacks 1"))))
	}, patience)
})

// undigested is a target that remembers requests and has no digests.
type undigested struct{ fake.Target }

func (u *undigested) Boot(ctx context.Context, size int) (target.Cluster, error) {
	c, err := u.Target.Boot(ctx, size)
	if err != nil {
		return nil, err
	}
	deduplicator, _ := target.As[target.Deduplicator](c)
	return struct {
		target.Cluster
		target.Deduplicator
	}{c, deduplicator}, nil
}
