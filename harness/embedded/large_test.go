package embedded_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// writeLarge replaces one row the given number of times, each time with size bytes in the log.
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

const largeRow = 3 << 20 // bytes

var _ = Describe("Large rows", func() {
	It("reach a node that was away, over a link on which each row takes seconds", func(ctx SpecContext) {
		c := boot(3, writeTimeout(20*time.Second), func(config *embedded.Config) { config.ElectionTimeout = time.Second })
		leader := c.leader(ctx)
		away := c.but(leader)[0]
		term := c.nodes[leader].Health().Term
		c.session(leader).ok(ctx, "", "CREATE TABLE large (id INTEGER PRIMARY KEY, v)")
		c.isolate(away)
		c.writeLarge(ctx, leader, 2, largeRow)
		Expect(c.network.SetRule(c.hosts[leader].Name(), c.hosts[away].Name(), fault.Rule{Bandwidth: 2 << 20})).To(Succeed())
		Expect(c.network.Mend(c.hosts[away].Name(), c.hosts[leader].Name())).To(Succeed())
		Eventually(ctx, c.nodes[away].Health).WithTimeout(30 * time.Second).Should(And(
			HaveField("AppliedIndex", c.nodes[leader].Health().AppliedIndex), HaveField("State", embedded.Online)))
		Expect(c.nodes[leader].Health().Term).To(Equal(term), "heartbeats got through as well")
	}, NodeTimeout(time.Minute))
})
