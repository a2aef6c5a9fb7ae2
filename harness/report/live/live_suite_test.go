// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/report/live"
	"github.com/rejoin-db/rejoin/harness/target"
)

func TestLive(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	RunSpecs(t, "Live")
}

const patience = SpecTimeout(2 * time.Minute)

const token = "a token of the page"

// player is a page that is served, and its user.
type player struct {
	cluster *harness.Cluster
	server  *live.Server
	url     string
	headers http.Header
}

// play serves the page of a cluster. After the spec, nothing of both is left.
func play(ctx context.Context, t target.Target) *player {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
	c, err := harness.Boot(ctx, t)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	server, err := live.Listen(c, 0, live.Options{Token: token, Target: "a target"})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Close)
	url, given, _ := strings.Cut(server.URL(), "#token=")
	Expect(given).To(Equal(token))
	p := &player{cluster: c, server: server, url: url, headers: http.Header{"Authorization": {"Bearer " + token}}}
	DeferCleanup(http.DefaultClient.CloseIdleConnections)
	return p
}

// playLocal is play on a cluster of the embedded database.
func playLocal(ctx context.Context) *player {
	GinkgoHelper()
	return play(ctx, local.New(local.Options{Token: "a token of the nodes", ElectionTimeout: 300 * time.Millisecond}))
}

func playFake(ctx context.Context) (*player, *fake.Cluster) {
	GinkgoHelper()
	t := &fake.Target{}
	return play(ctx, t), t.Last()
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) into(v any) {
	GinkgoHelper()
	Expect(json.Unmarshal([]byte(a.body), v)).To(Succeed(), a.body)
}

// send sends a request. Headers replace those of the user; an empty one is left out. The header Host is the name that is asked for.
func (p *player) send(ctx context.Context, method, path, body string, headers ...string) answer {
	GinkgoHelper()
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewBufferString(body))
	Expect(err).NotTo(HaveOccurred())
	r.Header = p.headers.Clone()
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			r.Host = headers[i+1]
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultClient.Do(r)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return answer{response.StatusCode, response.Header, string(text)}
}

// do does an action, and returns what the page says.
func (p *player) do(ctx context.Context, action string) string {
	GinkgoHelper()
	a := p.send(ctx, http.MethodPost, "do", action)
	Expect(a.status).To(Equal(http.StatusOK), a.body)
	var said live.Said
	a.into(&said)
	return said.Text
}

// refused does an action that is refused, and returns the sentence.
func (p *player) refused(ctx context.Context, path, body string, status int) string {
	GinkgoHelper()
	a := p.send(ctx, http.MethodPost, path, body)
	Expect(a.status).To(Equal(status), a.body)
	var said struct{ Error string }
	a.into(&said)
	return said.Error
}

// state is what the page shows now.
func (p *player) state(ctx context.Context) live.State {
	GinkgoHelper()
	a := p.send(ctx, http.MethodGet, "state?since=0", "")
	Expect(a.status).To(Equal(http.StatusOK), a.body)
	var s struct{ State live.State }
	a.into(&s)
	return s.State
}

func (p *player) rows(ctx context.Context, sql string) (s live.Side) {
	GinkgoHelper()
	body, err := json.Marshal(map[string]string{"sql": sql})
	Expect(err).NotTo(HaveOccurred())
	a := p.send(ctx, http.MethodPost, "rows", string(body))
	Expect(a.status).To(Equal(http.StatusOK), a.body)
	a.into(&s)
	return s
}

func (p *player) sql(ctx context.Context, q live.Query) (a live.Answer) {
	GinkgoHelper()
	body, err := json.Marshal(q)
	Expect(err).NotTo(HaveOccurred())
	said := p.send(ctx, http.MethodPost, "sql", string(body))
	Expect(said.status).To(Equal(http.StatusOK), said.body)
	said.into(&a)
	return a
}
