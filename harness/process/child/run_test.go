package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Run", func() {
	var (
		config          Config
		stdin, lifeline *os.File
		ready, said     *os.File
		ended           chan error
		stop            context.CancelFunc
		log             bytes.Buffer
	)

	BeforeEach(func() {
		goroutines := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines)) })
		reservation, err := network.Reserve()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(reservation.Close)
		dir := GinkgoT().TempDir()
		config = Config{
			ID: "n0", Address: reservation.Addr(), Dir: dir, Control: filepath.Join(dir, "c"), LogLevel: "off",
			First: []Host{{"n0", reservation.Addr()}},
		}
		log.Reset()
	})

	// run runs a node in this process, as if it were a child.
	run := func() {
		GinkgoHelper()
		var err error
		stdin, lifeline, err = os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		ready, said, err = os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		var ctx context.Context
		ctx, stop = context.WithCancel(context.Background())
		ended = make(chan error, 1)
		exited := make(chan struct{})
		go func() {
			defer close(exited)
			ended <- Run(ctx, stdin, said, &log)
		}()
		DeferCleanup(func() {
			stop()
			_ = lifeline.Close()
			Eventually(exited).Should(BeClosed())
			Expect(ready.Close()).To(Succeed())
			Expect(stdin.Close()).To(Succeed())
		})
		Expect(json.NewEncoder(lifeline).Encode(config)).To(Succeed())
	}

	control := func() *Client {
		c := NewClient("n0", config.Control, "")
		DeferCleanup(c.Close)
		return c
	}

	It("serves, follows orders, and leaves gracefully when its context ends", func(ctx SpecContext) {
		run()
		Expect(AwaitReady(ctx, ready)).To(Succeed())
		c := control()
		Eventually(ctx, c.Health).Should(And(HaveField("State", embedded.Online), HaveField("ID", "n0")))
		rows, err := c.Inside.Query(ctx, target.Request{SQL: "CREATE TABLE t (v)"})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.Close()).To(Succeed())
		index, sum, err := c.Digest(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(index).To(BeNumerically(">", 0))
		Expect(sum).NotTo(BeEmpty())

		Expect(c.Tell(ctx, Orders{Hosts: []Host{{"n1", "127.0.0.1:1"}}})).To(Succeed())
		cut := LinkRule{Link: network.Link{From: "n0", To: "n1"}, Rule: fault.Rule{Action: fault.Drop}}
		Expect(c.Tell(ctx, Orders{Links: []LinkRule{cut}})).To(Succeed())
		err = c.Tell(ctx, Orders{Links: []LinkRule{{Link: network.Link{From: "n0", To: "n2"}}}})
		Expect(err).To(MatchError(And(HavePrefix("node n0: follow orders: "), ContainSubstring(`no host "n2"`))))
		_, refused := errors.AsType[*RefusedError](err)
		Expect(refused).To(BeTrue())

		stop()
		Eventually(ctx, ended).Should(Receive(BeNil()))
		Expect(config.Control).NotTo(BeAnExistingFile())
		_, err = net.DialTimeout("tcp", config.Address, time.Second)
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		_, err = c.Health(ctx)
		Expect(err).To(MatchError(os.ErrNotExist))
	}, limit)

	It("ends when its parent ends", func(ctx SpecContext) {
		run()
		Expect(AwaitReady(ctx, ready)).To(Succeed())
		Expect(lifeline.Close()).To(Succeed())
		Eventually(ctx, ended).Should(Receive(MatchError(ErrOrphaned)))
	}, limit)

	It("replaces the socket of an earlier life", func(ctx SpecContext) {
		Expect(os.WriteFile(config.Control, nil, 0o600)).To(Succeed())
		run()
		Expect(AwaitReady(ctx, ready)).To(Succeed())
		Expect(control().Health(ctx)).To(HaveField("ID", "n0"))
	}, limit)

	It("reports why it cannot start, and not that it serves", func(ctx SpecContext) {
		config.Dir = filepath.Join(config.Dir, "nowhere")
		run()
		Eventually(ctx, ended).Should(Receive(And(MatchError(os.ErrNotExist), MatchError(HavePrefix("start node n0: ")))))
		Expect(AwaitReady(ctx, ready)).To(MatchError(io.EOF))
	}, limit)

	It("follows orders from the start", func(ctx SpecContext) {
		config.Orders.Links = []LinkRule{{Link: network.Link{From: "n0", To: "n9"}}}
		run()
		Eventually(ctx, ended).Should(Receive(MatchError(And(HavePrefix("start node n0: "), ContainSubstring(`no host "n9"`)))))
	}, limit)
})

var _ = Describe("AwaitReady", func() {
	It("ends with its context, and rejects unexpected output", func(ctx SpecContext) {
		r, w, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		defer r.Close()
		defer w.Close()
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		Expect(AwaitReady(short, r)).To(MatchError(context.DeadlineExceeded))
		Expect(r.SetReadDeadline(time.Time{})).To(Succeed())
		_, err = w.WriteString("perhaps\n")
		Expect(err).NotTo(HaveOccurred())
		Expect(AwaitReady(ctx, r)).To(MatchError(`unexpected output "perhaps\n", want "ready\n"`))
	}, limit)
})
