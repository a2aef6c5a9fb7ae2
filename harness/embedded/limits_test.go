package embedded_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

const endlessCount = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"

func readTimeout(d time.Duration) tweak {
	return func(c *embedded.Config) { c.ReadTimeout = d }
}

var _ = Describe("A long read", func() {
	It("is answered even if its first row takes longer than the request timeout", func(ctx SpecContext) {
		c := boot(1, readTimeout(time.Minute), func(c *embedded.Config) { c.RequestTimeout = 50 * time.Millisecond })
		c.leader(ctx)
		const late = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 2000000) SELECT count(*) FROM c"
		begun := time.Now()
		Expect(c.session(0).ok(ctx, "local", late).rows()[0][0]).To(BeEquivalentTo(2000000))
		Expect(time.Since(begun)).To(BeNumerically(">", 50*time.Millisecond), "it was not late")
	})

	It("ends with an error at the read timeout, even if it returns no rows", func(ctx SpecContext) {
		c := boot(1, readTimeout(300*time.Millisecond))
		c.leader(ctx)
		begun := time.Now()
		a := c.session(0).do(ctx, "local", endlessCount)
		Expect(a.HTTP).To(Equal(http.StatusBadRequest), a.Text)
		Expect(a.Error.Code).To(Equal(embedded.CodeTooCostly))
		Expect(a.Error.Message).To(ContainSubstring("longer than 300ms"))
		Expect(time.Since(begun)).To(BeNumerically("<", 5*time.Second))
		c.session(0).works(ctx)
	})

	It("does not prevent SQLite from reusing its log for longer than the read timeout", func(ctx SpecContext) {
		const limit = 40 << 20
		c := boot(1, readTimeout(time.Second))
		c.leader(ctx)
		s := c.session(0)
		size := func() int64 {
			info, err := os.Stat(filepath.Join(c.configs[0].Dir, "state", "state.db-wal"))
			Expect(err).NotTo(HaveOccurred())
			return info.Size()
		}
		s.ok(ctx, "", "CREATE TABLE b (id INTEGER PRIMARY KEY, v)")
		ended := make(chan answer, 1)
		go func() {
			defer GinkgoRecover()
			ended <- c.session(0).do(ctx, "local", endlessCount)
		}()
		grown := int64(0)
		for len(ended) == 0 {
			s.ok(ctx, "", "REPLACE INTO b VALUES (1, zeroblob(1000000))")
			grown = max(grown, size())
		}
		Expect((<-ended).Error.Code).To(Equal(embedded.CodeTooCostly))
		for range 10 {
			s.ok(ctx, "", "REPLACE INTO b VALUES (1, zeroblob(1000000))")
		}
		GinkgoWriter.Printf("the log had %d bytes at most while it was read, and has %d now\n", grown, size())
		Expect(size()).To(BeNumerically("<", limit))
	})
})

var _ = Describe("An entry that stops every node", func() {
	It("is skipped if the operator names it, and reported as skipped", func(ctx SpecContext) {
		c := boot(3)
		s := c.session(c.leader(ctx))
		s.ok(ctx, "", "CREATE TABLE t (v)")
		index := s.ok(ctx, "", "INSERT INTO t VALUES (1)").Header.Get(embedded.HeaderIndex)
		s.ok(ctx, "", "INSERT INTO t VALUES (2)")
		var skipped machine.Skipped
		for _, digit := range index {
			skipped.Index = skipped.Index*10 + uint64(digit-'0')
		}
		skip := func() {
			for i := range c.configs {
				c.configs[i].Machine.Skip = []machine.Skipped{skipped}
			}
			c.each(func(i int) { Expect(c.nodes[i].Close()).To(Succeed()) })
			c.startAll()
		}
		skip() // without the digest: the nodes report it
		var reason string
		Eventually(ctx, func() string { // the node that applies it first reports the digest; the others may not
			reason = ""
			for _, n := range c.nodes {
				reason += n.Health().Reason
			}
			return reason
		}).Should(ContainSubstring("digest is"))
		skipped.Digest = regexp.MustCompile("[0-9a-f]{64}").FindString(reason)
		skip()
		leader := c.leader(ctx)
		Eventually(ctx, func() []any {
			return c.session(leader).ok(ctx, "strong", "SELECT v FROM t").rows()[0]
		}).Should(Equal([]any{2.0}))
		for i := range c.nodes {
			Eventually(ctx, func() []uint64 { return c.nodes[i].Health().Skipped }).Should(Equal([]uint64{skipped.Index}))
		}
		c.session(leader).works(ctx)
	})
})

var _ = Describe("A node that is stopped", func() {
	It("stops soon even while it applies a long-running entry", func(ctx SpecContext) {
		c := boot(1, func(c *embedded.Config) { c.Machine.Budget = 1 << 50 })
		c.leader(ctx)
		s := c.session(0)
		s.ok(ctx, "", "CREATE TABLE t (v)")
		a := s.do(ctx, "", "INSERT INTO t "+endlessCount)
		Expect(a.Error.Outcome).To(Equal(embedded.OutcomeUnknown), a.Text)
		begun := time.Now()
		Expect(c.nodes[0].Close()).To(Succeed())
		Expect(time.Since(begun)).To(BeNumerically("<", 5*time.Second))
	})
})
