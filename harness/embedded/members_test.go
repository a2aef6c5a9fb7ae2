package embedded_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("The members of a cluster", func() {
	It("can grow by a node that is first a non-voter, then a voter", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (v); INSERT INTO t VALUES (1)")

		added := c.add()
		member := embedded.Member{ID: "n3", Address: c.hosts[added].Addr()}
		Expect(c.nodes[(leader+1)%3].AddMember(ctx, member)).To(Succeed(), "a follower takes it to the leader")
		Eventually(ctx, c.nodes[added].Health).Should(And(
			HaveField("State", embedded.Online), HaveField("Voter", false), HaveField("Behind", uint64(0))))
		member.Voter = true
		Expect(c.nodes[leader].AddMember(ctx, member)).To(Succeed())
		Eventually(ctx, c.nodes[added].Health).Should(And(HaveField("Voter", true), HaveField("Peers", HaveLen(4))))
		c.converge(ctx)

		By("counting it toward the quorum: two of four are no quorum")
		c.cut((leader+1)%3, fault.Drop)
		c.cut((leader+2)%3, fault.Drop)
		Expect(c.session(added).do(ctx, "", "INSERT INTO t VALUES (2)").HTTP).To(Equal(http.StatusServiceUnavailable))
	})

	It("can shrink, even by their leader", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		Expect(c.nodes[leader].RemoveMember(ctx, c.configs[leader].ID)).To(Succeed())
		others := c.but(leader)
		Expect(c.leader(ctx, others...)).NotTo(Equal(leader))
		Expect(c.nodes[others[0]].Health().Peers).To(HaveLen(2))
		Expect(c.nodes[others[0]].RemoveMember(ctx, "no-member")).To(Succeed(), "removing a node that is no member is no error")
		c.session(others[0]).works(ctx)
	})

	It("do not change without a quorum, and the caller gets an error in time", func(ctx SpecContext) {
		c := boot(3, func(config *embedded.Config) { config.WriteTimeout = 300 * time.Millisecond })
		leader := c.leader(ctx)
		c.isolate(leader)
		err := c.nodes[leader].AddMember(ctx, embedded.Member{ID: "n9", Address: "127.0.0.1:9", Voter: true})
		Expect(err).To(MatchError(ContainSubstring("add member n9")))
	})

	DescribeTable("are not changed by an invalid request",
		func(ctx SpecContext, body, said string) {
			c := boot(1)
			c.leader(ctx)
			response, err := c.try(ctx, c.client(), 0, http.MethodPost, "/v1/api/cluster/members", body)
			Expect(err).NotTo(HaveOccurred())
			Expect(response.HTTP).To(Equal(http.StatusBadRequest))
			Expect(response.Text).To(ContainSubstring(said))
			Expect(c.nodes[0].Health().Peers).To(HaveLen(1))
		},
		Entry("an empty body", ``, "EOF"),
		Entry("no change", `{}`, "the body must be"),
		Entry("two changes", `{"add": {"id": "a", "address": "b"}, "remove": "c"}`, "the body must be"),
		Entry("no ID", `{"add": {"address": "b"}}`, "needs an id"),
		Entry("an ID that is not printable", `{"add": {"id": "a\n", "address": "b"}}`, "printable"),
		Entry("an unknown field", `{"ad": {}}`, "unknown field"),
	)
})

// add starts another node, which is not a member yet, and returns its index.
func (c *cluster) add(tweaks ...tweak) int {
	GinkgoHelper()
	host := must(c.network.Host(fmt.Sprintf("n%d", len(c.hosts))))
	config := c.configs[0]
	config.ID, config.Dir, config.Endpoint, config.Peers = host.Name(), filepath.Join(c.dir, host.Name()), host, nil
	for _, change := range tweaks {
		change(&config)
	}
	Expect(os.Mkdir(config.Dir, 0o700)).To(Succeed())
	c.hosts, c.configs = append(c.hosts, host), append(c.configs, config)
	c.nodes = append(c.nodes, must(embedded.Start(config)))
	return len(c.nodes) - 1
}
