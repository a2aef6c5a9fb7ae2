package embedded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("A node that cannot start", func() {
	var host *network.Host
	var config embedded.Config
	BeforeEach(func() {
		net := network.TCP()
		DeferCleanup(net.Close)
		host = must(net.Host("n0"))
		config = embedded.Config{ID: "n0", Dir: GinkgoT().TempDir(), Endpoint: host}
	})

	// fails expects Start to fail with an error that names the node and contains message.
	fails := func(config embedded.Config, message string) {
		GinkgoHelper()
		node, err := embedded.Start(config)
		Expect(err).To(MatchError(ContainSubstring(message)))
		Expect(err).To(MatchError(Or(ContainSubstring("node "+config.ID), ContainSubstring(fmt.Sprintf("node %q", config.ID)))))
		Expect(node).To(BeNil())
	}
	listens := func() {
		GinkgoHelper()
		Expect(must(host.Listen()).Close()).To(Succeed())
	}

	DescribeTable("reports the invalid value", func(change tweak, message string) {
		change(&config)
		fails(config, message)
		if config.Dir != "" {
			Expect(os.ReadDir(config.Dir)).To(BeEmpty())
		}
		listens()
	},
		Entry("no ID", func(c *embedded.Config) { c.ID = "" }, "ID is empty"),
		Entry("an ID that is invalid in a header", func(c *embedded.Config) { c.ID = "a\nb" }, "printable ASCII"),
		Entry("a token that is invalid in a header", func(c *embedded.Config) { c.Token = "a\nb" }, "Token is not printable ASCII"),
		Entry("no Dir", func(c *embedded.Config) { c.Dir = "" }, "Dir is empty"),
		Entry("no Endpoint", func(c *embedded.Config) { c.Endpoint = nil }, "Endpoint is nil"),
		Entry("a short election timeout", func(c *embedded.Config) { c.ElectionTimeout = time.Millisecond }, "ElectionTimeout 1ms is below 10ms"),
		Entry("a negative election timeout", func(c *embedded.Config) { c.ElectionTimeout = -1 }, "ElectionTimeout -1ns is below"),
		Entry("a negative write timeout", func(c *embedded.Config) { c.WriteTimeout = -1 }, "WriteTimeout -1ns is negative"),
		Entry("a negative request timeout", func(c *embedded.Config) { c.RequestTimeout = -1 }, "RequestTimeout -1ns is negative"),
		Entry("a negative snapshot interval", func(c *embedded.Config) { c.SnapshotInterval = -1 }, "SnapshotInterval -1ns is below 5ms"),
		Entry("a short snapshot interval", func(c *embedded.Config) { c.SnapshotInterval = 1 }, "SnapshotInterval 1ns is below 5ms"),
		Entry("a negative body", func(c *embedded.Config) { c.MaxBody = -1 }, "MaxBody -1 is negative"),
		Entry("negative readers", func(c *embedded.Config) { c.Machine.Readers = -1 }, "Readers -1 is negative"),
		Entry("a negative budget", func(c *embedded.Config) { c.Machine.Budget = -1 }, "Budget -1 is negative"),
		Entry("a negative answer", func(c *embedded.Config) { c.Machine.AnswerLimit = -1 }, "AnswerLimit -1 is negative"),
		Entry("peers without the node itself", func(c *embedded.Config) { c.Peers = []embedded.Peer{{ID: "n1", Address: "x:1"}} },
			"Peers do not include the node itself"),
		Entry("several values", func(c *embedded.Config) { c.ElectionTimeout, c.Dir = 1, "" }, "Dir is empty\nElectionTimeout"),
	)

	It("reports a member that is listed twice", func() {
		config.Peers = []embedded.Peer{{ID: "n0", Address: host.Addr()}, {ID: "n0", Address: "x:1"}}
		fails(config, "duplicate")
		listens()
	})

	It("reports that its folder is missing, and does not create it", func() {
		config.Dir = filepath.Join(config.Dir, "missing")
		fails(config, "missing: no such file or directory")
		Expect(config.Dir).NotTo(BeADirectory())
		listens()
		Expect(os.Mkdir(config.Dir, 0o700)).To(Succeed())
		Expect(must(embedded.Start(config)).Close()).To(Succeed())
	})

	It("reports that its folder is a file", func() {
		config.Dir = filepath.Join(config.Dir, "file")
		Expect(os.WriteFile(config.Dir, []byte("content"), 0o600)).To(Succeed())
		fails(config, "is not a directory")
		Expect(os.ReadFile(config.Dir)).To(BeEquivalentTo("content"))
		listens()
	})

	It("reports that its folder is not writable", func() {
		if os.Geteuid() == 0 {
			config.Dir = "/proc" // where even root cannot
			if _, err := os.Stat(config.Dir); err != nil {
				Skip("running as root, who can write everywhere here")
			}
		} else {
			Expect(os.Chmod(config.Dir, 0o500)).To(Succeed())
		}
		fails(config, config.Dir)
		listens()
	})

	It("reports that its folder is in use by another node, which is not affected", func(ctx SpecContext) {
		c := boot(1)
		c.session(0).works(ctx)
		config.Dir = c.configs[0].Dir
		fails(config, "in use by another node")
		listens()
		c.session(0).works(ctx)
	})

	It("reports that its address is in use, and does not change its folder", func() {
		taken := must(host.Listen())
		fails(config, "still open")
		Expect(os.ReadDir(config.Dir)).To(BeEmpty())
		Expect(taken.Close()).To(Succeed())
		Expect(must(embedded.Start(config)).Close()).To(Succeed())
	})

	It("reports that its log is damaged", func(ctx SpecContext) {
		c := boot(1)
		c.session(0).works(ctx)
		Expect(c.nodes[0].Close()).To(Succeed())
		Expect(os.WriteFile(filepath.Join(c.configs[0].Dir, "log", "meta"), []byte("not what it was"), 0o600)).To(Succeed())
		_, err := embedded.Start(c.configs[0])
		Expect(err).To(MatchError(And(ContainSubstring("start node n0"), ContainSubstring("log/meta is damaged"))))
		Expect(must(c.hosts[0].Listen()).Close()).To(Succeed())
	})
})
