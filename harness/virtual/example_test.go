package virtual_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// Any suite can use virtual time for code in its own process: here, a cache whose entries expire after an hour.
func ExampleBubble() {
	_ = func() bool {
		return Describe("A cache", virtual.Bubble(), func() {
			var c *cache
			BeforeEach(func() { c = newCache(time.Hour) })
			AfterEach(func() { c.close() }) // otherwise its goroutine would be reported as a leak

			It("forgets after an hour", func(ctx SpecContext) {
				c.put("k", "v")
				Consistently(ctx, c.get).WithArguments("k").WithTimeout(59 * time.Minute).WithPolling(time.Minute).Should(Equal("v"))
				Eventually(ctx, c.get).WithArguments("k").WithTimeout(2 * time.Minute).WithPolling(time.Second).Should(BeEmpty())
			}, SpecTimeout(time.Second)) // in real time
		})
	}
}

// A plain test needs no Ginkgo: a cluster works in any synctest bubble.
func ExampleNew() {
	_ = func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, err := harness.Boot(t.Context(), virtual.New(virtual.Options{}), harness.Seed(1))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.TakeNodeOffline(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if err := c.Advance(t.Context(), time.Hour); err != nil { // takes a moment
				t.Fatal(err)
			}
			if err := c.BringNodeOnline(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if err := c.WaitForNodeOnline(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The specs of the example.
var _ = Describe("A cache", virtual.Bubble(), func() {
	It("forgets after an hour", func(ctx SpecContext) {
		c := newCache(time.Hour)
		DeferCleanup(c.close)
		c.put("k", "v")
		Consistently(ctx, c.get).WithArguments("k").WithTimeout(59 * time.Minute).WithPolling(time.Minute).Should(Equal("v"))
		Eventually(ctx, c.get).WithArguments("k").WithTimeout(2 * time.Minute).WithPolling(time.Second).Should(BeEmpty())
	}, SpecTimeout(10*time.Second))
})

// cache is code that does not know about bubbles.
type cache struct {
	ask  chan func(map[string]string)
	stop chan struct{}
	done chan struct{}
}

func newCache(lasts time.Duration) *cache {
	c := &cache{make(chan func(map[string]string)), make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(c.done)
		values := make(map[string]string)
		clear := time.NewTicker(lasts)
		defer clear.Stop()
		for {
			select {
			case f := <-c.ask:
				f(values)
			case <-clear.C:
				values = make(map[string]string)
			case <-c.stop:
				return
			}
		}
	}()
	return c
}

func (c *cache) put(key, value string) { c.ask <- func(m map[string]string) { m[key] = value } }

func (c *cache) get(key string) string {
	answer := make(chan string, 1)
	c.ask <- func(m map[string]string) { answer <- m[key] }
	return <-answer
}

func (c *cache) close() { close(c.stop); <-c.done }

func TestTheClusterInAPlainTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		c, err := harness.Boot(t.Context(), virtual.New(virtual.Options{}), harness.Seed(1))
		g.Expect(err).NotTo(HaveOccurred())
		defer func() { g.Expect(c.Close()).To(Succeed()) }()
		begun := time.Now()
		g.Expect(c.TakeNodeOffline(t.Context(), 1)).To(Succeed())
		g.Expect(c.Advance(t.Context(), time.Minute)).To(Succeed())
		g.Expect(c.BringNodeOnline(t.Context(), 1)).To(Succeed())
		g.Expect(c.WaitForNodeOnline(t.Context(), 1)).To(Succeed())
		g.Expect(time.Since(begun)).To(BeNumerically("~", time.Minute, time.Second))
	})
}

func TestNoClusterOutsideOfABubble(t *testing.T) {
	g := NewWithT(t)
	_, err := harness.Boot(context.Background(), virtual.New(virtual.Options{}))
	g.Expect(err).To(MatchError(virtual.ErrNoBubble))
	g.Expect(fmt.Sprint(err)).To(ContainSubstring("virtual.Bubble()"))
}
