package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

// cluster is three nodes, each a process.
type cluster struct {
	bug, dir  string
	addresses []string
	nodes     []*exec.Cmd      // nil if it does not run
	links     map[[2]int]*link // from one node to another
}

func start(ctx context.Context, bug string) *cluster {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
	})
	c := &cluster{bug: bug, dir: GinkgoT().TempDir(), nodes: make([]*exec.Cmd, 3)}
	for range c.nodes {
		c.addresses = append(c.addresses, freeAddress())
	}
	c.links = make(map[[2]int]*link)
	for i := range c.nodes {
		for j := range c.nodes {
			if i != j {
				c.links[[2]int{i, j}] = newLink(c.addresses[j])
			}
		}
	}
	DeferCleanup(func() {
		for i := range c.nodes {
			c.kill(i)
		}
		for _, l := range c.links {
			l.close()
		}
	})
	for i := range c.nodes {
		c.start(ctx, i)
	}
	return c
}

// freeAddress is below the ports that the system gives to clients, so that it is free after a restart too.
func freeAddress() string {
	GinkgoHelper()
	for {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			Expect(l.Close()).To(Succeed())
			return address
		}
	}
}

func (c *cluster) start(ctx context.Context, i int) {
	GinkgoHelper()
	peers := make([]string, len(c.addresses))
	for j, address := range c.addresses {
		if l := c.links[[2]int{i, j}]; l != nil {
			address = l.listener.Addr().String()
		}
		peers[j] = fmt.Sprintf("n%d=%s", j, address)
	}
	name := fmt.Sprintf("n%d", i)
	cmd := exec.Command(binary, "-name", name, "-listen", c.addresses[i], "-dir", filepath.Join(c.dir, name),
		"-peers", strings.Join(peers, ","), "-bug", c.bug)
	cmd.Stdout, cmd.Stderr = GinkgoWriter, GinkgoWriter
	Expect(cmd.Start()).To(Succeed())
	c.nodes[i] = cmd
	Eventually(ctx, func() error { _, err := c.status(ctx, i); return err }).Should(Succeed())
}

func (c *cluster) kill(i int) {
	GinkgoHelper()
	if c.nodes[i] != nil {
		Expect(c.nodes[i].Process.Kill()).To(Succeed())
		_ = c.nodes[i].Wait() // it was killed
		c.nodes[i] = nil
	}
}

type status struct {
	Role, Leader          string
	Commit, Applied, Last uint64
}

func (c *cluster) status(ctx context.Context, i int) (s status, err error) {
	return s, c.call(ctx, http.MethodGet, i, "/status", nil, &s)
}

type answer struct {
	Index   uint64
	Results []struct {
		Columns, Types []string
		Rows           [][]any
		Affected       int
	}
	Error struct{ Code, Message, Applied string }
}

type m = map[string]any

// ask sends one statement.
func (c *cluster) ask(ctx context.Context, i int, path, read, sql string, args ...any) answer {
	GinkgoHelper()
	var a answer
	Expect(c.call(ctx, http.MethodPost, i, path, m{"statements": []m{{"sql": sql, "args": args}}, "read": read}, &a)).To(Succeed())
	return a
}

func (c *cluster) call(ctx context.Context, method string, i int, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.addresses[i]+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// write sends a statement until it is answered without an error. It must bear to be executed twice.
func (c *cluster) write(ctx context.Context, i int, sql string, args ...any) {
	GinkgoHelper()
	Eventually(ctx, func() string { return c.ask(ctx, i, "/exec", "", sql, args...).Error.Message }).Should(BeEmpty())
}

func (c *cluster) leader(ctx context.Context) (leader int) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		for i, node := range c.nodes {
			if node == nil {
				continue
			}
			if s, err := c.status(ctx, i); err == nil && s.Role == "leader" {
				leader = i
				return nil
			}
		}
		return fmt.Errorf("there is no leader")
	}).Should(Succeed())
	return leader
}

// rows waits until a node has executed what another one has committed, and returns the answer of the node itself.
func (c *cluster) rows(ctx context.Context, i int, sql string) [][]any {
	GinkgoHelper()
	leader, err := c.status(ctx, c.leader(ctx))
	Expect(err).NotTo(HaveOccurred())
	Eventually(ctx, func() uint64 { s, _ := c.status(ctx, i); return s.Applied }).Should(BeNumerically(">=", leader.Commit))
	a := c.ask(ctx, i, "/query", "local", sql)
	Expect(a.Error.Message).To(BeEmpty())
	return a.Results[0].Rows
}

// cutOff cuts all links of a node to other nodes, and waits until one of those leads.
func (c *cluster) cutOff(ctx context.Context, node int) {
	GinkgoHelper()
	c.set(node, true)
	Eventually(ctx, func() bool {
		for i := range c.nodes {
			if s, err := c.status(ctx, i); i != node && err == nil && s.Role == "leader" {
				return true
			}
		}
		return false
	}).Should(BeTrue(), "the others have no leader")
}

func (c *cluster) mend(node int) { c.set(node, false) }

func (c *cluster) set(node int, cut bool) {
	for ends, l := range c.links {
		if ends[0] == node || ends[1] == node {
			l.setCut(cut)
		}
	}
}
