package specs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Headers of requests between nodes.
const (
	forwarderHeader = "Rejoin-Forwarded-By"
	proofHeader     = "Rejoin-Forwarder-Proof"
	clusterHeader   = "Rejoin-Cluster"
	ticketHeader    = "Rejoin-Ticket"
)

// tokens are specs about authentication.
func tokens(env *environment) {
	Describe("The token", Label("suite:tokens", "needs:http"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.needsToken()
			env.run(ctx, "CREATE TABLE {ns}.t (v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// every is a request for each path, with changes that would be visible.
		every := func() []asked {
			return []asked{
				posting(env.sql("INSERT INTO {ns}.t VALUES ('by a stranger')")),
				posting(env.sql("SELECT * FROM {ns}.t")),
				{method: http.MethodPost, path: sqlPath, body: `{"sql":"SELECT 1","consistency":"local"}`},
				{method: http.MethodPost, path: sqlPath, body: `{"sql":"SELECT 1","consistency":"strong"}`},
				{method: http.MethodPost, path: membersPath, body: fmt.Sprintf(`{"remove":%q}`, env.node(2).ID())},
				{method: http.MethodPost, path: membersPath, body: `{"add":{"id":"stranger","address":"10.9.9.9:1"}}`},
				{method: http.MethodGet, path: healthPath},
				{method: http.MethodHead, path: healthPath},
				{method: http.MethodGet, path: readIndexPath},
				{method: http.MethodGet, path: readIndexPath + "?consistency=strong"},
				{method: http.MethodGet, path: "/nowhere"},
				{method: http.MethodGet, path: "/"},
			}
		}

		// untouched proves that no request had an effect.
		untouched := func(ctx context.Context) {
			GinkgoHelper()
			Expect(env.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(0)))
			for _, node := range env.cluster.Nodes() {
				Expect(statusOf(ctx, node).Peers).To(HaveLen(env.cluster.Size()))
			}
		}

		It("is required on every node and path", func(ctx SpecContext) {
			token := env.cluster.Token()
			last := len(token) - 1
			other := string(token[0]^1) + token[1:last] + string(token[last]^1)
			wrong := []map[string]string{
				{}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": token}, bearer(""), bearer(other),
				bearer(token[:last]), bearer(token[1:]), bearer(token[:1]), bearer(token + token[last:]), bearer(token + " x"),
				bearer(token[:last] + string(token[last]^1)), bearer(string(token[0]^1) + token[1:]), bearer(strings.ToUpper(token)),
				{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(token+":"+token))},
				{"Authorization": "Bearer x, Bearer " + token}, {"X-Authorization": "Bearer " + token}, {"Cookie": "token=" + token},
				{forwarderHeader: env.node(1).ID()}, {forwarderHeader: env.node(1).ID(), proofHeader: proofOf(token, env.node(1).ID())},
				{forwarderHeader: env.node(1).ID(), proofHeader: proofOf("", env.node(1).ID()), "Authorization": "Bearer "},
			}
			for _, node := range env.cluster.Nodes() {
				for i, a := range every() {
					for j, headers := range wrong {
						if i > 0 && j > 3 && (i+j)%3 != node.Index()%3 { // each pair on one node is enough
							continue
						}
						said := env.ask(ctx, node.Index(), a.with(headers))
						Expect(said.status).To(Equal(http.StatusUnauthorized), "%v of %s with %v: %s", a, node, headers, said.body)
						Expect(said.code).To(Equal("UNAUTHORIZED"))
						Expect(said.body).NotTo(ContainSubstring(token))
					}
				}
				Expect(env.ask(ctx, node.Index(), asked{method: http.MethodGet, path: healthcheckPath}).status).To(
					Equal(http.StatusOK), "the health check needs no token")
			}
			untouched(ctx)

			By("sending the token")
			for _, node := range env.cluster.Nodes() {
				for _, a := range every()[1:4] {
					Expect(env.ask(ctx, node.Index(), env.authorized(a)).status).To(Equal(http.StatusOK), "%v of %s", a, node)
				}
				Expect(env.ask(ctx, node.Index(), env.authorized(asked{method: http.MethodGet, path: healthPath})).status).To(Equal(http.StatusOK))
				for _, a := range []asked{{method: http.MethodGet, path: sqlPath}, {method: http.MethodPut, path: membersPath},
					{method: http.MethodDelete, path: healthPath}} {
					Expect(env.ask(ctx, node.Index(), env.authorized(a)).code).To(Equal("METHOD_NOT_ALLOWED"), "%v of %s", a, node)
				}
			}
			Expect(env.ask(ctx, env.leader(ctx), env.authorized(asked{method: http.MethodGet, path: readIndexPath})).status).To(Equal(http.StatusOK))
		}, env.patience)

		It("does not authenticate a client as a node", func(ctx SpecContext) {
			token, leader := env.cluster.Token(), env.leader(ctx)
			follower := env.others(leader)[0]
			one, another := env.node(follower).ID(), env.node(env.others(leader)[1]).ID()
			proof := proofOf(token, one)
			forged := []map[string]string{
				{forwarderHeader: one}, {forwarderHeader: one, proofHeader: ""}, {forwarderHeader: one, proofHeader: strings.Repeat("00", 32)},
				{proofHeader: proof}, {forwarderHeader: another, proofHeader: proof}, {forwarderHeader: one, proofHeader: proof[:62]},
				{forwarderHeader: one, proofHeader: proofOf("", one)}, {forwarderHeader: one, proofHeader: proofOf(token+"x", one)},
			}
			write, remove := every()[0], every()[4]
			for _, headers := range forged {
				for _, a := range []asked{write, every()[1], remove} {
					for _, node := range []int{leader, follower} {
						said := env.ask(ctx, node, env.authorized(a).with(headers))
						Expect(said.status).To(Equal(http.StatusForbidden), "%v with %v: %s", a, headers, said.body)
						Expect(said.code).To(Equal("FORBIDDEN"))
					}
				}
			}
			Expect(env.ask(ctx, leader, env.authorized(write).with(map[string]string{ticketHeader: strings.Repeat("00", 16)})).code).To(
				Equal("FORBIDDEN"))

			By("forwarding as a node of another cluster, and to a follower")
			forwarded := map[string]string{forwarderHeader: one, proofHeader: proof, clusterHeader: "another"}
			for _, a := range []asked{write, remove, {method: http.MethodGet, path: readIndexPath}} {
				said := env.ask(ctx, leader, env.authorized(a).with(forwarded))
				Expect(said.status).To(Equal(http.StatusMisdirectedRequest), "%v: %s", a, said.body)
				Expect(said.code).To(Equal("WRONG_CLUSTER"))
				forwarded[clusterHeader] = ""
				Expect(env.ask(ctx, leader, env.authorized(a).with(forwarded)).code).To(Equal("WRONG_CLUSTER"), "%v of no cluster", a)
				forwarded[clusterHeader] = "another"
			}
			forwarded[clusterHeader] = env.clusterID(ctx, leader)
			for _, a := range []asked{write, remove, {method: http.MethodGet, path: readIndexPath}} {
				Expect(env.ask(ctx, follower, env.authorized(a).with(forwarded)).code).To(Equal("NOT_LEADER"), "%v was forwarded twice", a)
			}
			untouched(ctx)
		}, env.patience)

		It("does not protect a request of a web page of another origin or host, which is refused", func(ctx SpecContext) {
			for i, node := range env.cluster.Nodes() {
				at := statusOf(ctx, node).Address
				for _, a := range every()[i : i+5] {
					if a.method == http.MethodHead {
						continue
					}
					for _, host := range []string{"attacker.example", "localhost.attacker.example:1", "x"} {
						a := env.authorized(a)
						a.host = host
						Expect(env.ask(ctx, i, a).code).To(Equal("MISDIRECTED"), "%v as %s", a, host)
					}
					for _, page := range []map[string]string{
						{"Origin": "https://attacker.example"}, {"Origin": "null"}, {"Origin": "http://" + at + "1"},
						{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
					} {
						Expect(env.ask(ctx, i, env.authorized(a).with(page)).code).To(Equal("FORBIDDEN"), "%v from %v", a, page)
					}
					if a.method != http.MethodPost {
						continue
					}
					for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
						Expect(env.ask(ctx, i, env.authorized(a).with(map[string]string{"Content-Type": kind})).code).To(
							Equal("UNSUPPORTED_MEDIA"), "%v as %s", a, kind)
					}
				}
				Expect(env.ask(ctx, i, env.authorized(every()[1]).with(map[string]string{"Origin": "http://" + at})).status).To(Equal(http.StatusOK))
			}
			untouched(ctx)
		}, env.patience)

		It("is sent along when a node forwards a request", func(ctx SpecContext) {
			leader := env.leader(ctx)
			for i, node := range env.cluster.Nodes() {
				Expect(env.ask(ctx, node.Index(), env.authorized(posting(env.sql("INSERT INTO {ns}.t VALUES ('x')")))).status).To(Equal(http.StatusOK))
				for _, level := range []target.Consistency{target.Leader, target.Strong} {
					Expect(node.Reading(level).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.t"))).To(HaveRows(Row(i + 1)))
				}
			}
			removed := env.ask(ctx, env.others(leader)[0],
				env.authorized(asked{method: http.MethodPost, path: membersPath, body: `{"remove":"unknown"}`}))
			Expect(removed.status).To(Equal(http.StatusOK), removed.body)
		}, env.patience)
	})
}

// proofOf is the proof of a forwarding node that it knows the token.
func proofOf(token, node string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("rejoin: a node forwards\x00" + node))
	return hex.EncodeToString(mac.Sum(nil))
}

// clusterID is the ID of the cluster in a node's health.
func (env *environment) clusterID(ctx context.Context, node int) string {
	GinkgoHelper()
	said := env.ask(ctx, node, env.authorized(asked{method: http.MethodGet, path: healthPath}))
	var health struct {
		Cluster string `json:"cluster"`
	}
	Expect(json.Unmarshal([]byte(said.body), &health)).To(Succeed(), said.body)
	Expect(health.Cluster).NotTo(BeEmpty())
	return health.Cluster
}
