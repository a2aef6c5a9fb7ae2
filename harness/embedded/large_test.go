package embedded_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/network"
)

// writeLarge replaces one row by so many bytes, so often. The bytes are in the log each time.
func (c *cluster) writeLarge(ctx SpecContext, node, times, size int) {
	GinkgoHelper()
	value := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xA5}, size))
	body := fmt.Sprintf(`{"sql":"REPLACE INTO large VALUES (1, ?)","params":[{"base64":%q}]}`, value)
	client := c.client()
	for range times {
		response := must(c.try(ctx, client, node, http.MethodPost, "/v1/api/sql", body))
		Expect(response.HTTP).To(Equal(http.StatusOK), response.Text)
	}
}

// diskUse is how many bytes there are below a node's folder.
func (c *cluster) diskUse(node int, folder string) (bytes int64) {
	GinkgoHelper()
	Expect(filepath.Walk(filepath.Join(c.configs[node].Dir, folder), func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			bytes += info.Size()
		}
		return nil
	})).To(Succeed())
	return bytes
}

const largeRow = 8 << 20 // bytes

var _ = Describe("Large rows", func() {
	It("leave a log that is bounded by its bytes", func(ctx SpecContext) {
		c := boot(1, writeTimeout(20*time.Second))
		c.leader(ctx)
		c.session(0).ok(ctx, "", "CREATE TABLE large (id INTEGER PRIMARY KEY, v)")
		c.writeLarge(ctx, 0, 18, largeRow)
		Eventually(ctx, c.nodes[0].Health).Should(And(HaveField("SnapshotIndex", BeNumerically(">", 10)), HaveField("LogEntries", BeNumerically("<", 12))))
		Eventually(ctx, func() int64 { return c.diskUse(0, "log") }).Should(BeNumerically("<", 96<<20))

		By("starting again on what is left")
		Expect(c.nodes[0].Stop(ctx)).To(Succeed())
		c.start(0)
		c.leader(ctx)
		Expect(c.session(0).ok(ctx, "strong", "SELECT length(v) FROM large").Results[0].Rows).To(Equal([][]any{{float64(largeRow)}}))
	}, NodeTimeout(time.Minute))

	It("reach a node that was away over a link on which each takes seconds", func(ctx SpecContext) {
		c := boot(3, writeTimeout(20*time.Second), func(config *embedded.Config) { config.ElectionTimeout = time.Second })
		leader := c.leader(ctx)
		away := c.but(leader)[0]
		term := c.nodes[leader].Health().Term
		c.session(leader).ok(ctx, "", "CREATE TABLE large (id INTEGER PRIMARY KEY, v)")
		c.isolate(away)
		c.writeLarge(ctx, leader, 2, largeRow)
		Expect(c.network.SetRule(c.hosts[leader].Name(), c.hosts[away].Name(), network.Rule{Bandwidth: 4 << 20})).To(Succeed())
		Expect(c.network.Mend(c.hosts[away].Name(), c.hosts[leader].Name())).To(Succeed())
		Eventually(ctx, c.nodes[away].Health).WithTimeout(30 * time.Second).Should(And(
			HaveField("AppliedIndex", c.nodes[leader].Health().AppliedIndex), HaveField("State", embedded.Online)))
		Expect(c.nodes[leader].Health().Term).To(Equal(term), "heartbeats got through as well")
	}, NodeTimeout(time.Minute))
})
