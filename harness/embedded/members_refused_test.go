package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// stuckMachine applies nothing until released is closed.
type stuckMachine struct {
	raft.BatchingFSM
	released <-chan struct{}
}

func (m stuckMachine) ApplyBatch(logs []*raft.Log) []any {
	<-m.released
	return m.BatchingFSM.ApplyBatch(logs)
}

var _ = Describe("A membership change", func() {
	refusedWith := func(code, outcome string, said ...string) OmegaMatcher {
		matchers := []OmegaMatcher{HaveField("Error()", ContainSubstring(code)), HaveField("Code", code), HaveField("Outcome", outcome)}
		for _, part := range said {
			matchers = append(matchers, HaveField("Message", ContainSubstring(part)))
		}
		return WithTransform(func(err error) (*wire.Error, error) {
			refusal, is := errors.AsType[*wire.Error](err)
			if !is {
				return nil, fmt.Errorf("%v is no *wire.Error", err)
			}
			return refusal, nil
		}, And(matchers...))
	}
	members := func(c *cluster, node int) []embedded.Member { return c.nodes[node].Health().Peers }
	// throughBoth requests the change at the leader, and again at another node.
	throughBoth := func(c *cluster, leader int, change func(*embedded.Node) error) []error {
		return []error{change(c.nodes[leader]), change(c.nodes[(leader+1)%3])}
	}

	It("does not add an unreachable voter, however often it is requested, so that the quorum is kept", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		for i := range 2 {
			absent := must(c.network.Host(fmt.Sprintf("absent%d", i)))
			for _, err := range throughBoth(c, leader, func(n *embedded.Node) error {
				return n.AddMember(ctx, embedded.Member{ID: absent.Name(), Address: absent.Addr(), Voter: true})
			}) {
				Expect(err).To(refusedWith(embedded.CodeMembersLater, "", "cannot reach node "+absent.Name()))
			}
		}
		Expect(members(c, leader)).To(HaveLen(3))
		c.session(leader).works(ctx)
	})

	It("does not add a node with a wrong ID or at another member's address", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		fresh := c.add()
		begun := time.Now()
		for _, err := range throughBoth(c, leader, func(n *embedded.Node) error {
			return n.AddMember(ctx, embedded.Member{ID: "other", Address: c.hosts[fresh].Addr(), Voter: true})
		}) {
			Expect(err).To(refusedWith(embedded.CodeMembers, "", "is node n3, not node other"))
		}
		for _, err := range throughBoth(c, leader, func(n *embedded.Node) error {
			return n.AddMember(ctx, embedded.Member{ID: "n3", Address: c.hosts[0].Addr()})
		}) {
			Expect(err).To(refusedWith(embedded.CodeMembers, "", "is that of member n0"))
			Expect(embedded.RefusedForGood(err)).To(BeTrue())
		}
		Expect(c.nodes[leader].AddMember(ctx, embedded.Member{ID: c.configs[leader].ID, Address: c.hosts[fresh].Addr(), Voter: true})).To(
			refusedWith(embedded.CodeMembers, "", "is the leader and listens at"))
		Expect(time.Since(begun)).To(BeNumerically("<", moment), "these are answered at once")
		Expect(members(c, leader)).To(HaveLen(3))
	})

	It("makes a new node a voter only once it has caught up", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		c.session(leader).works(ctx)
		released := make(chan struct{})
		fresh := c.add(writeTimeout(500*time.Millisecond), func(config *embedded.Config) {
			config.Seams = func(embedded.Life) embedded.Seams {
				return embedded.Seams{Machine: func(m raft.BatchingFSM) raft.BatchingFSM { return stuckMachine{m, released} }}
			}
		})
		member := embedded.Member{ID: "n3", Address: c.hosts[fresh].Addr(), Voter: true}
		added := make(chan error, 1)
		go func() { added <- c.nodes[(leader+1)%3].AddMember(ctx, member) }()
		Eventually(ctx, func() []embedded.Member { return members(c, leader) }).Should(ContainElement(HaveField("ID", "n3")))
		Consistently(added, "100ms", "5ms").ShouldNot(Receive())
		Expect(members(c, leader)).To(ContainElement(embedded.Member{ID: "n3", Address: member.Address}))
		close(released)
		Eventually(ctx, added).Should(Receive(BeNil()))
		Expect(members(c, leader)).To(ContainElement(member))
		c.converge(ctx)
	})

	It("removes a new node again if it does not catch up in time", func(ctx SpecContext) {
		c := boot(3, writeTimeout(200*time.Millisecond), func(config *embedded.Config) { config.ElectionTimeout = 250 * time.Millisecond })
		leader := c.leader(ctx)
		c.session(leader).works(ctx)
		released := make(chan struct{})
		fresh := c.add(func(config *embedded.Config) {
			config.Seams = func(embedded.Life) embedded.Seams {
				return embedded.Seams{Machine: func(m raft.BatchingFSM) raft.BatchingFSM { return stuckMachine{m, released} }}
			}
		})
		DeferCleanup(func() { close(released) })
		Expect(c.nodes[(leader+1)%3].AddMember(ctx, embedded.Member{ID: "n3", Address: c.hosts[fresh].Addr(), Voter: true})).To(
			refusedWith(embedded.CodeMembersLater, "", "has not caught up, so it was not made a voter"))
		Expect(members(c, leader)).To(HaveLen(3))
	})

	It("does not remove or demote a voter if too few voters would be reachable afterwards", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		others := c.but(leader)
		c.cut(others[0], fault.Drop)
		Expect(c.nodes[leader].RemoveMember(ctx, c.configs[others[1]].ID)).To(
			refusedWith(embedded.CodeMembersLater, "", "of the 2 voters after the change, 1 can be reached, but 2 are a quorum"))
		Expect(c.nodes[leader].AddMember(ctx, embedded.Member{ID: c.configs[others[1]].ID, Address: c.hosts[others[1]].Addr()})).To(
			refusedWith(embedded.CodeMembersLater, "", "2 are a quorum"))
		Expect(members(c, leader)).To(HaveLen(3))

		By("removing the isolated node")
		Expect(c.nodes[leader].RemoveMember(ctx, c.configs[others[0]].ID)).To(Succeed())
		Expect(members(c, leader)).To(HaveLen(2))
		c.session(leader).works(ctx)
	})

	It("demotes a voter to a non-voter, but not the last voter", func(ctx SpecContext) {
		c := boot(2)
		leader := c.leader(ctx)
		other := c.but(leader)[0]
		listener := embedded.Member{ID: c.configs[other].ID, Address: c.hosts[other].Addr()}
		Expect(c.nodes[other].AddMember(ctx, listener)).To(Succeed())
		Expect(members(c, leader)).To(ContainElement(listener))
		Expect(c.nodes[leader].AddMember(ctx, listener)).To(Succeed(), "asking again is no error")
		for _, err := range []error{
			c.nodes[other].RemoveMember(ctx, c.configs[leader].ID),
			c.nodes[leader].AddMember(ctx, embedded.Member{ID: c.configs[leader].ID, Address: c.hosts[leader].Addr()}),
		} {
			Expect(err).To(refusedWith(embedded.CodeMembers, "", "no voter would be left"))
		}
		c.session(other).works(ctx)
	})

	It("that may still be committed has an unknown outcome", func(ctx SpecContext) {
		c := boot(3, writeTimeout(time.Second), func(config *embedded.Config) { config.ElectionTimeout = 500 * time.Millisecond })
		leader := c.leader(ctx)
		fresh := c.add()
		for _, follower := range (&cluster{hosts: c.hosts[:3]}).but(leader) {
			Expect(c.network.Between(c.hosts[leader].Name(), c.hosts[follower].Name()).Cut(fault.Drop)).To(Succeed())
		}
		err := c.nodes[leader].AddMember(ctx, embedded.Member{ID: "n3", Address: c.hosts[fresh].Addr()})
		Expect(err).To(refusedWith(embedded.CodeNoQuorum, embedded.OutcomeUnknown, "it is unknown whether"))
		Expect(err).NotTo(MatchError(ContainSubstring("nothing was changed")))
	})

	It("that is refused has its reason in the HTTP answer of every node", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		body := fmt.Sprintf(`{"add":{"id":"n9","address":%q,"voter":true}}`, c.hosts[0].Addr())
		for _, node := range []int{leader, (leader + 1) % 3} {
			response := must(c.try(ctx, c.client(), node, http.MethodPost, "/v1/api/cluster/members", body))
			Expect(response.HTTP).To(Equal(http.StatusConflict))
			Expect(response.Error.Code).To(Equal(embedded.CodeMembers))
			Expect(response.Text).To(ContainSubstring("is that of member n0"))
		}
	})

	DescribeTable("is refused if the address is invalid",
		func(ctx SpecContext, address string) {
			c := boot(1)
			c.leader(ctx)
			err := c.nodes[0].AddMember(ctx, embedded.Member{ID: "n9", Address: address})
			Expect(err).To(refusedWith(embedded.CodeBadRequest, "", "is not host:port"))
		},
		Entry("no port", "127.0.0.1"), Entry("no host", ":80"), Entry("a URL", "http://127.0.0.1:9"), Entry("plain text", "not an address"),
		Entry("port 0", "127.0.0.1:0"), Entry("a port that is too high", "127.0.0.1:65536"), Entry("a port by name", "127.0.0.1:http"),
		Entry("a path", "a/b:9"), Entry("user information", "me@host:9"),
	)
})

var _ = Describe("A node that has moved to another address", func() {
	// move restarts a follower on its directory at a new address.
	move := func(ctx context.Context, c *cluster, node int) embedded.Member {
		GinkgoHelper()
		Expect(c.nodes[node].Stop(ctx)).To(Succeed())
		host := must(c.network.Host(c.configs[node].ID + "-moved"))
		c.hosts[node], c.configs[node].Endpoint = host, host
		c.start(node)
		return embedded.Member{ID: c.configs[node].ID, Address: host.Addr(), Voter: true}
	}

	It("is replicated to by the same leader, and counts toward the quorum", func(ctx SpecContext) {
		c := boot(3, func(config *embedded.Config) { config.ElectionTimeout = 500 * time.Millisecond })
		leader := c.leader(ctx)
		others := c.but(leader)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (v)")
		term := c.nodes[leader].Health().Term
		member := move(ctx, c, others[0])
		c.session(leader).ok(ctx, "", "INSERT INTO t VALUES (1)") // the leader's call to the old address waits
		Expect(c.nodes[others[1]].AddMember(ctx, member)).To(Succeed())
		Eventually(ctx, c.nodes[others[0]].Health).Should(And(HaveField("State", embedded.Online), HaveField("Behind", uint64(0))))
		c.converge(ctx)
		Expect(c.nodes[leader].Health()).To(And(HaveField("Role", "leader"), HaveField("Term", term)))

		c.cut(others[1], fault.Drop)
		c.session(leader).ok(ctx, "", "INSERT INTO t VALUES (2)")
		Expect(c.session(others[0]).count(ctx, "strong", "t")).To(Equal(2))
	})

	It("keeps its old address if it is unreachable at the new one", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		follower := c.but(leader)[0]
		nowhere := must(c.network.Host("nowhere"))
		err := c.nodes[leader].AddMember(ctx, embedded.Member{ID: c.configs[follower].ID, Address: nowhere.Addr(), Voter: true})
		Expect(err).To(MatchError(ContainSubstring("cannot reach node " + c.configs[follower].ID)))
		Expect(c.nodes[leader].Health().Peers).To(ContainElement(HaveField("Address", c.hosts[follower].Addr())))
		c.session(follower).works(ctx)
	})
})
