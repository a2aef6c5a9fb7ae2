package lasting_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/lasting"
)

func TestLasting(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Lasting clusters")
}

var _ = Describe("A lasting cluster", func() {
	var (
		over   *fake.Target
		t      *lasting.Target
		resets int
		failed error // of Reset
	)
	BeforeEach(func() {
		over, resets, failed = new(fake.Target), 0, nil
		t = lasting.New(over, lasting.Options{Uses: 3, Reset: func(_ context.Context, c target.Cluster) error {
			Expect(c.Nodes()).NotTo(BeEmpty())
			resets++
			return failed
		}})
		DeferCleanup(func() { Expect(t.Close()).To(Succeed()) })
	})
	boot := func(ctx context.Context, size int) target.Cluster {
		GinkgoHelper()
		c, err := t.Boot(ctx, size)
		Expect(err).NotTo(HaveOccurred())
		return c
	}
	release := func(ctx context.Context, c target.Cluster) (bool, error) {
		GinkgoHelper()
		reusable, can := target.As[target.Reusable](c)
		Expect(can).To(BeTrue())
		return reusable.Release(ctx)
	}
	closed := func(n int) bool {
		calls := over.Last().Calls()
		count := 0
		for _, call := range calls {
			if call == "close" {
				count++
			}
		}
		return count == n
	}

	It("is booted once, emptied after each spec, and closed after its last use", func(ctx SpecContext) {
		for use := range 3 {
			c := boot(ctx, 3)
			Expect(over.Sizes()).To(Equal([]int{3}))
			Expect(release(ctx, c)).To(Equal(use < 2), "use %d", use)
		}
		Expect(resets).To(Equal(2), "what is closed need not be emptied")
		Expect(closed(1)).To(BeTrue())
		boot(ctx, 3)
		Expect(over.Sizes()).To(Equal([]int{3, 3}))
	})

	It("has the abilities of the cluster of the target", func(ctx SpecContext) {
		Expect(target.Can(boot(ctx, 3), target.Pause)).To(BeTrue())
		over.Plain = true
		Expect(target.Can(boot(ctx, 3), target.Pause)).To(BeFalse())
		Expect(t.Foretell()).To(BeNil(), "the fake foretells nothing")
	})

	It("serves a spec of its own size alone", func(ctx SpecContext) {
		Expect(release(ctx, boot(ctx, 3))).To(BeTrue())
		boot(ctx, 5)
		Expect(over.Sizes()).To(Equal([]int{3, 5}))
	})

	It("is out of reach for who released it", func(ctx SpecContext) {
		first := boot(ctx, 3)
		Expect(release(ctx, first)).To(BeTrue())
		second := boot(ctx, 3)
		Expect(first.Close()).To(Succeed())
		Expect(release(ctx, first)).To(BeFalse())
		Expect(closed(0)).To(BeTrue(), "the second spec still has it")
		Expect(second.Close()).To(Succeed())
		Expect(closed(1)).To(BeTrue())
		Expect(release(ctx, second)).To(BeFalse())
		Expect(closed(1)).To(BeTrue())
	})

	DescribeTable("is closed", func(ctx SpecContext, spoil func(context.Context, target.Cluster), why string) {
		c := boot(ctx, 3)
		spoil(ctx, c)
		kept, err := release(ctx, c)
		Expect(err).To(MatchError(ContainSubstring(why)))
		Expect(kept).To(BeFalse())
		Expect(closed(1)).To(BeTrue())
		boot(ctx, 3)
		Expect(over.Sizes()).To(Equal([]int{3, 3}))
	},
		Entry("if it cannot be emptied", func(context.Context, target.Cluster) { failed = errors.New("the disk is full") }, "the disk is full"),
		Entry("if a node is not online", func(ctx context.Context, c target.Cluster) {
			starter, _ := target.As[target.Starter](c)
			Expect(starter.Crash(ctx, 1)).To(Succeed())
		}, "node n1: UNREACHABLE"),
		Entry("if a node was added", func(ctx context.Context, c target.Cluster) {
			members, _ := target.As[target.Membership](c)
			Expect(members.Add(ctx, true)).Error().NotTo(HaveOccurred())
		}, "was booted with 3 nodes, and has had 4"),
	)

	It("is emptied once its nodes are online", func(ctx SpecContext) {
		asked := 0
		t = lasting.New(target.Decorate(over, func(c target.Cluster) (target.Cluster, error) { return settling{c, &asked}, nil }),
			lasting.Options{Reset: func(context.Context, target.Cluster) error { resets = asked; return nil }})
		Expect(release(ctx, boot(ctx, 1))).To(BeTrue())
		Expect(resets).To(Equal(3), "the node was behind twice")
	})

	It("is closed if the version of a node is another one", func(ctx SpecContext) {
		versions := []string{"1", "1", "1"}
		t = lasting.New(target.Decorate(over, func(c target.Cluster) (target.Cluster, error) { return versioned{c, versions}, nil }),
			lasting.Options{Reset: func(context.Context, target.Cluster) error { return nil }})
		Expect(release(ctx, boot(ctx, 3))).To(BeTrue())
		c := boot(ctx, 3)
		versions[2] = "2"
		kept, err := release(ctx, c)
		Expect(kept).To(BeFalse())
		Expect(err).To(MatchError(ContainSubstring(`had the versions ["1" "1" "1"], and have ["1" "1" "2"]`)))
		Expect(closed(1)).To(BeTrue())
	})

	It("is closed with the target, which tells what is left open", func(ctx SpecContext) {
		over.Prepare = func(c *fake.Cluster) {
			file, err := os.Create(filepath.Join(GinkgoT().TempDir(), "log"))
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(file.Close)
			c.OnClose = func() error { return nil } // it forgets the file
		}
		Expect(release(ctx, boot(ctx, 3))).To(BeTrue())
		inUse := boot(ctx, 5)
		Expect(inUse.Close()).To(Succeed())
		err := t.Close()
		if _, noProc := os.Stat("/proc/self/fd"); noProc == nil {
			Expect(err).To(MatchError(ContainSubstring("lasting clusters have left open")))
		}
		Expect(t.Close()).To(Succeed(), "closing twice is no error")
		Expect(t.Boot(ctx, 3)).Error().To(MatchError(ContainSubstring("is closed")))
	})

	It("is closed for a test that counts what this process holds, unless it is in use", func(ctx SpecContext) {
		inUse, idle := boot(ctx, 3), boot(ctx, 3)
		Expect(release(ctx, idle)).To(BeTrue())
		Expect(t.CloseIdle()).To(Succeed())
		Expect(closed(1)).To(BeTrue())
		Expect(inUse.Nodes()).To(HaveLen(3))
		boot(ctx, 3)
		Expect(over.Sizes()).To(Equal([]int{3, 3, 3}))
	})

	It("is closed, not kept, when its target is closed", func(ctx SpecContext) {
		c := boot(ctx, 3)
		Expect(t.Close()).To(Succeed())
		Expect(release(ctx, c)).To(BeFalse())
		Expect(closed(1)).To(BeTrue())
	})

	It("is released by the harness", func(ctx SpecContext) {
		c, err := harness.Boot(ctx, t, harness.Size(3))
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Release(ctx)).To(BeTrue())
		Expect(c.Close()).To(Succeed())
		Expect(closed(0)).To(BeTrue())
		Expect(c.ExecuteOnRandom(ctx, "SELECT 1")).Error().To(MatchError(harness.ErrClosed))
		Expect(c.Release(ctx)).To(BeFalse())
	})

	It("needs a way to be emptied", func(ctx SpecContext) {
		Expect(lasting.New(over, lasting.Options{}).Boot(ctx, 3)).Error().To(MatchError(ContainSubstring("Reset is missing")))
	})
})

var _ = It("a harness closes a cluster that its target does not use again", func(ctx SpecContext) {
	over := new(fake.Target)
	c, err := harness.Boot(ctx, over, harness.Size(3))
	Expect(err).NotTo(HaveOccurred())
	Expect(c.Release(ctx)).To(BeFalse())
	Expect(over.Last().Calls()).To(ContainElement("close"))
})

// versioned is a cluster whose nodes have versions.
type versioned struct {
	target.Cluster
	versions []string
}

func (v versioned) Unwrap() target.Cluster                              { return v.Cluster }
func (v versioned) Versions() []string                                  { return []string{"1", "2"} }
func (v versioned) Version(node int) (string, error)                    { return v.versions[node], nil }
func (v versioned) SetVersion(_ context.Context, _ int, _ string) error { return errors.ErrUnsupported }

// settling is a cluster of a node that is behind twice.
type settling struct {
	target.Cluster
	asked *int
}

func (s settling) Unwrap() target.Cluster { return s.Cluster }
func (s settling) Nodes() []target.Node {
	return []target.Node{settlingNode{s.Cluster.Nodes()[0], s.asked}}
}

type settlingNode struct {
	target.Node
	asked *int
}

func (n settlingNode) Status(context.Context) (target.Status, error) {
	*n.asked++
	if *n.asked < 3 {
		return target.Status{State: target.Syncing}, nil
	}
	return target.Status{State: target.Online}, nil
}
