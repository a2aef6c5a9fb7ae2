package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	. "github.com/rejoin-db/rejoin/harness/matchers"
)

// openFiles returns how many file descriptors this process has open.
func openFiles() int {
	GinkgoHelper()
	entries, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		Skip("this system has no /proc/self/fd")
	}
	Expect(err).NotTo(HaveOccurred())
	return len(entries)
}

func run(ctx context.Context, c *harness.Cluster, sql string, args ...any) {
	GinkgoHelper()
	_, err := c.ExecuteOnRandom(ctx, sql, args...)
	Expect(err).NotTo(HaveOccurred())
}

func node(c *harness.Cluster, i int) *harness.Node {
	GinkgoHelper()
	n, err := c.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return n
}

// writer calls a function for each write.
type writer func([]byte)

func (w writer) Write(line []byte) (int, error) {
	w(line)
	return len(line), nil
}

var _ = Describe("A local cluster", func() {
	DescribeTable("works with any number of nodes", func(ctx SpecContext, size int) {
		c := boot(ctx, size, local.Options{})
		run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		run(ctx, c, "INSERT INTO t VALUES (1), (2)")
		Expect(c).To(BeConsistent("SELECT * FROM t"))
		Eventually(ctx, c).Should(HaveLeader())
		for i, n := range c.Nodes() {
			Expect(n.ID()).To(Equal(fmt.Sprint("n", i)))
			Eventually(ctx, n).Should(BeOnline())
		}
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
		Expect(c.Close()).To(Succeed())
	},
		Entry("1", patience, 1), Entry("2", patience, 2), Entry("3", patience, 3), Entry("5", patience, 5),
	)

	It("leaves no open file and no port when it is booted repeatedly", func(ctx SpecContext) {
		var options local.Options
		nothingIsLeft(&options)
		t := local.New(options)
		cycle := func() (addresses []string) {
			c, err := harness.Boot(ctx, t)
			Expect(err).NotTo(HaveOccurred())
			run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
			Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed()) // closes it while isolated
			run(ctx, c, "INSERT INTO t VALUES (1)")
			for _, n := range c.Nodes() {
				status, err := n.Status(ctx)
				Expect(err).NotTo(HaveOccurred())
				addresses = append(addresses, status.Address)
			}
			Expect(c.Close()).To(Succeed())
			return addresses
		}
		cycle() // opens what the process keeps open
		before := openFiles()
		for range 3 {
			for _, address := range cycle() {
				_, err := net.DialTimeout("tcp", address, time.Second)
				Expect(err).To(MatchError(syscall.ECONNREFUSED), address)
			}
		}
		Eventually(openFiles).Should(BeNumerically("<=", before))
	}, patience)

	It("is independent of a concurrent one", func(ctx SpecContext) {
		var options local.Options
		nothingIsLeft(&options)
		t := local.New(options)
		clusters := make([]*harness.Cluster, 2)
		var wg sync.WaitGroup
		for i := range clusters {
			wg.Go(func() {
				defer GinkgoRecover()
				c, err := harness.Boot(ctx, t)
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(c.Close)
				run(ctx, c, "CREATE TABLE t (cluster INTEGER)")
				run(ctx, c, "INSERT INTO t VALUES (?)", i)
				clusters[i] = c
			})
		}
		wg.Wait()
		for i := range 3 {
			Expect(clusters[0].TakeNodeOffline(ctx, i)).To(Succeed())
		}
		Expect(clusters[1].ExecuteOnAll(ctx, "SELECT cluster FROM t")).To(And(HaveLen(3), HaveRows(Row(1))))
		Expect(clusters[0].Heal(ctx)).To(Succeed())
		Expect(clusters[1].Close()).To(Succeed())
		Eventually(ctx, func() (harness.Result, error) {
			return clusters[0].ExecuteOnRandom(ctx, "SELECT cluster FROM t")
		}).Should(HaveRows(Row(0)))
	}, patience)

	DescribeTable("rejects an invalid size", func(ctx SpecContext, size int, message string) {
		var options local.Options
		nothingIsLeft(&options)
		c, err := local.New(options).Boot(ctx, size)
		Expect(err).To(MatchError(message))
		Expect(c).To(BeNil())
	},
		Entry("zero", patience, 0, "cluster size 0: must be at least 1"),
		Entry("negative", patience, -1, "cluster size -1: must be at least 1"),
	)

	When("it cannot be booted", func() {
		It("reports where it could not write, and leaves nothing behind", func(ctx SpecContext) {
			var options local.Options
			nothingIsLeft(&options)
			nowhere := filepath.Join(options.Dir, "nowhere")
			before := openFiles()
			c, err := local.New(local.Options{Dir: nowhere}).Boot(ctx, 3)
			Expect(err).To(MatchError(os.ErrNotExist))
			Expect(err).To(MatchError(And(HavePrefix("boot 3 nodes: "), ContainSubstring(nowhere))))
			Expect(c).To(BeNil())
			Expect(openFiles()).To(BeNumerically("<=", before))
		}, patience)

		It("leaves nothing behind of the nodes that had started", func(ctx SpecContext) {
			var options local.Options
			nothingIsLeft(&options)
			before := openFiles()
			// The first node starts last. Until then, the writer puts a file in the place of its log folder, once: later
			// it would get in the way of the removal.
			options.LogLevel = "trace"
			var placed atomic.Bool
			options.Log = writer(func([]byte) {
				places, _ := filepath.Glob(filepath.Join(options.Dir, "*"))
				for _, place := range places {
					if !placed.Load() && os.WriteFile(filepath.Join(place, "n0", "log"), nil, 0o600) == nil {
						placed.Store(true)
					}
				}
			})
			c, err := local.New(options).Boot(ctx, 3)
			Expect(err).To(MatchError(ContainSubstring("start node n0")))
			Expect(c).To(BeNil())
			Expect(os.ReadDir(options.Dir)).To(BeEmpty())
			Eventually(openFiles).Should(BeNumerically("<=", before))
		}, patience)
	})

	Describe("its log", func() {
		It("goes to the writer, with the name of a node on each line", func(ctx SpecContext) {
			log := gbytes.NewBuffer()
			boot(ctx, 1, local.Options{Log: log, LogLevel: "info"})
			Eventually(log).Should(gbytes.Say("n0"))
		}, patience)

		It("is empty at level off", func(ctx SpecContext) {
			log := gbytes.NewBuffer()
			boot(ctx, 1, local.Options{Log: log, LogLevel: "off"})
			Expect(bytes.TrimSpace(log.Contents())).To(BeEmpty())
		}, patience)

		It("needs a valid level", func(ctx SpecContext) {
			_, err := local.New(local.Options{LogLevel: "loud"}).Boot(ctx, 1)
			Expect(err).To(MatchError(`unknown log level "loud": must be trace, debug, info, warn, error or off`))
		}, patience)
	})

	It("works with a token", func(ctx SpecContext) {
		c := boot(ctx, 3, local.Options{Token: "secret"})
		run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)
})
