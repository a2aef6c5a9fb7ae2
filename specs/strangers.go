package specs

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// strangers are specs about connections to a node that come from no client and no member.
func strangers(env *environment) {
	Describe("A stranger on a node's port", Label("suite:strangers", "needs:http"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.needsToken()
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		dial := func(ctx context.Context, node int) net.Conn {
			GinkgoHelper()
			conn, err := env.node(node).Dial(ctx)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(func() { _ = conn.Close() }) // the spec may have closed it
			return conn
		}

		// posing is the greeting of a node that claims to belong to the cluster and is no member.
		posing := func(ctx context.Context, name string) message {
			GinkgoHelper()
			return message{card: card{Node: name, Cluster: env.clusterID(ctx, env.leader(ctx)), Birth: "born", Life: life{1, "a life"}},
				Purpose: "replicate", Nonce: bytes.Repeat([]byte{7}, 32)}
		}

		It("is disconnected when it sends nonsense or nothing, and disturbs nothing", Label("speed:slow"), func(ctx SpecContext) {
			if env.options.Limits.Request == 0 {
				Skip("specs.Options.Limits does not tell how long a client may take")
			}
			size := func(n uint32) string {
				return string(binary.BigEndian.AppendUint32([]byte{nodeSpeaks, greetingVersion}, n))
			}
			hello := posing(ctx, "stranger")
			whole := string(append([]byte{nodeSpeaks, greetingVersion}, (&greeter{}).framed(hello)...))
			openings := map[string]struct {
				say    string
				silent bool // more could follow
			}{
				"nothing":                         {"", true},
				"that it is a node, and no more":  {"\x00", true},
				"a version, and no more":          {"\x00\x01", true},
				"half a length":                   {"\x00\x01\x00\x00", true},
				"a length, and no more":           {size(100), true},
				"the longest length, and no more": {size(longestGreeting), true},
				"half a greeting":                 {whole[:len(whole)/2], true},
				"a greeting but its last byte":    {whole[:len(whole)-1], true},
				"a greeting, and no proof":        {whole, true},
				"another version":                 {"\x00\x02" + whole[2:], false},
				"version 0":                       {"\x00\x00" + whole[2:], false},
				"a length that is too long":       {size(longestGreeting + 1), false},
				"a length of 4 GiB":               {size(1<<32 - 1), false},
				"a length of 2 GiB":               {size(1 << 31), false},
				"no JSON":                         {size(9) + "no JSON {", false},
				"a greeting of zeros":             {size(longestGreeting) + strings.Repeat("\x00", longestGreeting), false},
				"an empty greeting":               {size(0), false},
				"a wrong proof":                   {whole + string((&greeter{}).framed(message{})) + strings.Repeat("p", 32), false},
				"half of a request":               {"POST /v1/api/sql HTTP/1.1\r\nHost: loc", true},
				"no request":                      {"\xff\xfe\xfd\r\n\r\n", false},
				"TLS":                             {"\x16\x03\x01\x02\x00\x01\x00\x01", false},
			}
			term := statusOf(ctx, env.node(0)).Term
			leader := env.leader(ctx)
			var strangers sync.WaitGroup
			for _, node := range []int{leader, env.others(leader)[0]} {
				for what, opening := range openings {
					conn := dial(ctx, node)
					strangers.Go(func() {
						defer GinkgoRecover()
						_, err := io.WriteString(conn, opening.say)
						Expect(err).NotTo(HaveOccurred(), what)
						_, took, err := untilCut(conn, env.options.Limits.Request+env.options.Limits.Request/2)
						Expect(err).NotTo(HaveOccurred(), "%s receives %s", env.node(node), what)
						if !opening.silent {
							Expect(took).To(BeNumerically("<", env.options.Limits.Request/2), "%s receives %s and does not disconnect at once",
								env.node(node), what)
						}
					})
				}
			}

			By("serving clients")
			for i := range env.cluster.Size() {
				env.runOn(ctx, env.node(i), "INSERT INTO {ns}.t VALUES (?)", i)
			}
			strangers.Wait()
			env.run(ctx, "INSERT INTO {ns}.t VALUES (100)")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			if env.cluster.Can(target.Time) {
				Expect(statusOf(ctx, env.node(leader))).To(
					And(HaveField("Role", "leader"), HaveField("Term", term)), "a stranger has deposed the leader")
			}
		}, env.patience)

		It("is rejected without the token, and with a replayed handshake", func(ctx SpecContext) {
			leader := env.leader(ctx)
			for _, node := range []int{leader, env.others(leader)[0]} {
				hello := posing(ctx, "stranger")

				By("greeting with the token, as a control")
				good := &greeter{conn: dial(ctx, node), token: env.cluster.Token()}
				said, err := good.call(hello, asIs)
				Expect(err).NotTo(HaveOccurred())
				Expect(said.Refusal).To(BeEmpty())
				Expect(said.proven).To(BeTrue(), "%s does not prove that it has the token", env.node(node))
				Expect(said.Cluster).To(Equal(hello.Cluster))
				_, _, err = untilCut(good.conn, 100*time.Millisecond)
				Expect(err).To(MatchError(errNotCut), "a correct greeting is rejected")
				Expect(good.conn.Close()).To(Succeed())

				By("replaying the greeting")
				again := dial(ctx, node)
				_, err = again.Write(said.sent)
				Expect(err).NotTo(HaveOccurred())
				_, took, err := untilCut(again, env.soon())
				Expect(err).NotTo(HaveOccurred(), "a replayed greeting is accepted, after %v", took)

				By("greeting with wrong tokens and wrong proofs")
				token := env.cluster.Token()
				for _, wrong := range []string{"", token[:len(token)-1], token + "x", strings.ToUpper(token)} {
					other := &greeter{conn: dial(ctx, node), token: wrong}
					said, err := other.call(hello, asIs)
					Expect(err).NotTo(HaveOccurred())
					Expect(said.proven).To(BeFalse(), "the node proves a token that it does not have")
					_, _, err = untilCut(other.conn, env.soon())
					Expect(err).NotTo(HaveOccurred(), "token %q is accepted", wrong)
				}
				for name, change := range map[string]func([]byte) []byte{
					"the first byte differs": func(proof []byte) []byte { proof[0] ^= 1; return proof },
					"the last byte differs":  func(proof []byte) []byte { proof[len(proof)-1] ^= 1; return proof },
					"it is all zeros":        func(proof []byte) []byte { return make([]byte, len(proof)) },
				} {
					other := &greeter{conn: dial(ctx, node), token: token}
					_, err := other.call(hello, change)
					Expect(err).NotTo(HaveOccurred())
					_, _, err = untilCut(other.conn, env.soon())
					Expect(err).NotTo(HaveOccurred(), "a proof is accepted although %s", name)
				}
				mirror := dial(ctx, node)
				g := &greeter{conn: mirror}
				_, err = mirror.Write(append([]byte{nodeSpeaks, greetingVersion}, g.framed(hello)...))
				Expect(err).NotTo(HaveOccurred())
				_, err = g.hear()
				Expect(err).NotTo(HaveOccurred())
				proof := make([]byte, 32)
				_, err = io.ReadFull(mirror, proof)
				Expect(err).NotTo(HaveOccurred())
				_, err = mirror.Write(append(g.framed(message{Knows: true}), proof...))
				Expect(err).NotTo(HaveOccurred())
				_, _, err = untilCut(mirror, env.soon())
				Expect(err).NotTo(HaveOccurred(), "a node accepts its own proof")
			}
		}, env.patience)

		It("is rejected with the token if its cluster or identity is wrong", func(ctx SpecContext) {
			leader := env.leader(ctx)
			member := env.node(env.others(leader)[1]).ID()
			before := statusOf(ctx, env.node(leader))
			const unknown = "has another directory"
			for _, node := range []int{leader, env.others(leader)[0]} {
				for name, change := range map[string]func(*message){
					"belongs to cluster":    func(m *message) { m.Cluster = "another" },
					"two nodes have the ID": func(m *message) { m.Node = env.node(node).ID() },
					"is empty":              func(m *message) { m.Node, m.Cluster, m.Purpose = member, "", "meet" },
					unknown:                 func(m *message) { m.Node = member },
				} {
					hello := posing(ctx, "stranger")
					change(&hello)
					g := &greeter{conn: dial(ctx, node), token: env.cluster.Token()}
					opening := append([]byte{nodeSpeaks, greetingVersion}, g.framed(hello)...)
					_, err := g.conn.Write(opening)
					Expect(err).NotTo(HaveOccurred())
					said, err := g.hear()
					Expect(err).NotTo(HaveOccurred())
					_, err = io.CopyN(io.Discard, g.conn, 32)
					Expect(err).NotTo(HaveOccurred())
					if name == unknown { // a correct implementation would refuse itself
						Expect(said.Met).To(HaveValue(HaveField("Life", Not(Equal(hello.Life)))))
					} else {
						Expect(said.Refusal).To(ContainSubstring(name), "%s of %s", env.node(node), hello.Node)
					}
					closing := g.framed(message{Knows: said.Met == nil})
					_, err = g.conn.Write(append(closing, g.proof(byCaller)...))
					Expect(err).NotTo(HaveOccurred())
					_, _, err = untilCut(g.conn, env.soon())
					Expect(err).NotTo(HaveOccurred(), "%s accepts a stranger that %s", env.node(node), name)
				}

				By("ending the handshake itself")
				for name, end := range map[string]message{"refuses it": {Knows: true, Refusal: "it is refused"}, "wants no more": {Knows: true}} {
					hello := posing(ctx, "stranger")
					if end.Refusal == "" {
						hello.Purpose = "meet"
					}
					g := &greeter{conn: dial(ctx, node), token: env.cluster.Token()}
					_, err := g.conn.Write(append([]byte{nodeSpeaks, greetingVersion}, g.framed(hello)...))
					Expect(err).NotTo(HaveOccurred())
					said, err := g.hear()
					Expect(err).NotTo(HaveOccurred())
					Expect(said.Refusal).To(BeEmpty())
					_, err = io.CopyN(io.Discard, g.conn, 32)
					Expect(err).NotTo(HaveOccurred())
					frame := g.framed(end)
					_, err = g.conn.Write(append(frame, g.proof(byCaller)...))
					Expect(err).NotTo(HaveOccurred())
					_, _, err = untilCut(g.conn, env.soon())
					Expect(err).NotTo(HaveOccurred(), "%s accepts a stranger that %s", env.node(node), name)
				}
			}
			for _, node := range env.cluster.Nodes() {
				env.eventually(ctx, node).Should(BeOnline())
				Expect(statusOf(ctx, node).Reason).To(BeEmpty())
			}
			if env.cluster.Can(target.Time) {
				Expect(statusOf(ctx, env.node(leader))).To(
					And(HaveField("Role", "leader"), HaveField("Term", before.Term)), "a stranger has deposed the leader")
			}
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1)")
		}, env.patience)

		It("at the address of a member learns nothing without the token", Label("fault:crash"), func(ctx SpecContext) {
			env.requires(target.Crash)
			leader := env.leader(ctx)
			victim := env.others(leader)[0]
			env.leave(ctx, victim, fault.Crash)
			listener, err := env.node(victim).Impersonate()
			if err != nil {
				Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
				Skip("the target cannot impersonate a node: " + err.Error())
			}
			const visits = 6
			told := make(chan int, visits)
			var answering sync.WaitGroup
			answering.Go(func() {
				defer GinkgoRecover()
				for i := range visits {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					g := &greeter{conn: conn, token: env.cluster.Token() + "x"}
					if i == visits-1 {
						g.token = env.cluster.Token()
					}
					told <- g.pose(env.node(victim).ID())
				}
			})
			counts := make([]int, visits)
			for i := range counts {
				env.eventually(ctx, told).Should(Receive(&counts[i]), "no node connected to the address, attempt %d", i)
			}
			answering.Wait()
			Expect(listener.Close()).To(Succeed())
			for i, count := range counts[:visits-1] {
				Expect(count).To(BeZero(), "impostor %d received data", i)
			}
			Expect(counts[visits-1]).To(BeNumerically(">", 0), "an impostor with the token received nothing either")
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			env.comeBack(ctx, victim)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)
	})
}

// pose answers a caller as the node of that name would, with everything but the token. It returns
// how many bytes the caller sent afterwards, and closes the connection.
func (g *greeter) pose(name string) (told int) {
	defer func() { _ = g.conn.Close() }()
	if g.conn.SetDeadline(time.Now().Add(5*time.Second)) != nil {
		return -1
	}
	if _, err := io.CopyN(io.Discard, g.conn, 2); err != nil {
		return -1
	}
	hello, err := g.hear()
	if err != nil {
		return -1
	}
	own := message{card: hello.card, Nonce: bytes.Repeat([]byte{9}, 32), Knows: true}
	own.Node, own.Birth = name, hello.Founders[name]
	if hello.Met != nil {
		own.Life, own.Birth = hello.Met.Life, hello.Met.Birth
	}
	frame := g.framed(own)
	if _, err := g.conn.Write(append(frame, g.proof(byHost)...)); err != nil {
		return -1
	}
	if g.conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)) != nil {
		return -1
	}
	buffer := make([]byte, 1<<10)
	n, err := g.conn.Read(buffer)
	if n == 0 && err != nil && os.IsTimeout(err) {
		return -2 // the caller keeps the connection and sends nothing
	}
	return n
}

// soon is how long a node may take to disconnect a wrong peer: well below its timeout for silent
// ones.
func (env *environment) soon() time.Duration { return max(env.options.Limits.Request/2, time.Second) }
