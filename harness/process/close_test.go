package process_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/process"
)

func loud(o *process.Options) { o.Nodes.LogLevel = "info" }

var _ = Describe("Close", func() {
	It("leaves no process, port or file, in any state of the nodes", func(ctx SpecContext) {
		c := boot(ctx, 5)
		var addresses []string
		for i := range 5 {
			addresses = append(addresses, c.status(ctx, i).Address)
		}
		Expect(c.target.Isolate(ctx, 0)).To(Succeed())
		Expect(c.target.Pause(ctx, 1)).To(Succeed())
		Expect(c.target.Crash(ctx, 2)).To(Succeed())
		Expect(c.target.Stop(ctx, 3)).To(Succeed())
		Expect(c.Close()).To(Succeed())
		Expect(children(os.Getpid())).To(BeEmpty())
		Expect(c.target.Dir()).NotTo(BeADirectory())
		for _, address := range addresses {
			_, err := net.DialTimeout("tcp", address, time.Second)
			Expect(err).To(MatchError(syscall.ECONNREFUSED))
			l, err := net.Listen("tcp", address)
			Expect(err).NotTo(HaveOccurred())
			Expect(l.Close()).To(Succeed())
		}
	}, patience)

	It("makes all other methods fail, and can be repeated", func(ctx SpecContext) {
		c := boot(ctx, 1).target
		Expect(c.Close()).To(Succeed())
		Expect(c.Close()).To(Succeed())
		for _, err := range []error{
			c.Isolate(ctx, 0), c.Rejoin(ctx, 0), c.Stop(ctx, 0), c.Crash(ctx, 0), c.Start(ctx, 0), c.Pause(ctx, 0), c.Resume(ctx, 0),
			c.SetLink(ctx, -1, 0, fault.Rule{Action: fault.Drop}), c.ResetLink(ctx, -1, 0), c.SetClock(ctx, 0, 1),
			c.Remove(ctx, 0), c.Replace(ctx, 0),
		} {
			Expect(err).To(MatchError(net.ErrClosed))
		}
		_, err := c.Add(ctx, true)
		Expect(err).To(MatchError(net.ErrClosed))
	}, patience)

	It("ends calls in progress", func(ctx SpecContext) {
		c := boot(ctx, 3).target
		Expect(c.Crash(ctx, 0)).To(Succeed())
		Expect(c.Crash(ctx, 1)).To(Succeed())
		added := make(chan error)
		go func() {
			_, err := c.Add(ctx, true) // it blocks without a quorum
			added <- err
		}()
		Eventually(ctx, func() []int { return children(os.Getpid()) }).Should(HaveLen(2))
		Expect(c.Close()).To(Succeed())
		Expect(<-added).To(MatchError(net.ErrClosed))
		Expect(children(os.Getpid())).To(BeEmpty())
	}, patience)
})

var _ = Describe("Boot", func() {
	var o process.Options

	BeforeEach(func() {
		o = options()
		nothingIsLeft(&o)
	})

	fails := func(ctx context.Context, size int) error {
		GinkgoHelper()
		c, err := process.New(o).Boot(ctx, size)
		Expect(c).To(BeNil())
		Expect(os.ReadDir(o.Nodes.Dir)).To(BeEmpty())
		return err
	}

	It("rejects an invalid size", func(ctx SpecContext) {
		Expect(fails(ctx, 0)).To(MatchError("cluster size 0: must be at least 1"))
	}, patience)

	It("rejects an unknown log level", func(ctx SpecContext) {
		o.Nodes.LogLevel = "loud"
		Expect(fails(ctx, 1)).To(MatchError(`unknown log level "loud": must be trace, debug, info, warn, error or off`))
	}, patience)

	It("needs the node's program", func(ctx SpecContext) {
		o.Binary = nil
		Expect(fails(ctx, 1)).To(MatchError("the process target needs Options.Binary"))
		o.Binary = func() string { return "" }
		Expect(fails(ctx, 1)).To(MatchError("boot 1 nodes: Options.Binary returned no path: has the node's program been built?"))
		o.Binary = func() string { return "/nowhere/node" }
		Expect(fails(ctx, 2)).To(MatchError(os.ErrNotExist))
		o.Binary = func() string { return "/bin/true" }
		Expect(fails(ctx, 2)).To(MatchError(ContainSubstring("start node n1: its process ended: exit status 0 (its log is empty)")))
	}, patience)

	It("shows the log of a node that could not start, and ends the others", func(ctx SpecContext) {
		o.Nodes.ElectionTimeout = time.Nanosecond
		Expect(fails(ctx, 3)).To(MatchError(And(
			HavePrefix("boot 3 nodes: start node n1: its process ended: exit status 1; its log ends:\n"),
			ContainSubstring("ElectionTimeout 1ns is below 10ms"))))
	}, patience)

	It("ends with its context, and leaves nothing behind", func(ctx SpecContext) {
		o.Binary = func() string { return script(o.Nodes.Dir + "-node") }
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		Expect(fails(short, 3)).To(MatchError(context.DeadlineExceeded))
	}, patience)

	It("works in a directory with a long path, and keeps logs in Options.Logs", func(ctx SpecContext) {
		o.Logs = GinkgoT().TempDir()
		o.Nodes.Dir = filepath.Join(o.Nodes.Dir, strings.Repeat("long", 30))
		Expect(os.Mkdir(o.Nodes.Dir, 0o700)).To(Succeed())
		loud(&o)
		booted, err := process.New(o).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		c := booted.(*process.Cluster)
		Expect(c.Sockets()).NotTo(Equal(c.Dir()))
		Expect(c.Sockets()).To(BeADirectory())
		Expect(booted.Close()).To(Succeed())
		Expect(c.Sockets()).NotTo(BeADirectory())
		logs, err := filepath.Glob(filepath.Join(o.Logs, filepath.Base(c.Dir())+"-*", "n0.log"))
		Expect(err).NotTo(HaveOccurred())
		Expect(logs).To(HaveLen(1))
		Expect(os.ReadFile(logs[0])).To(ContainSubstring("n0"))
		Expect(os.Remove(o.Nodes.Dir)).To(Succeed())
	}, patience)
})

// script is a program that never reports that it serves.
func script(path string) string {
	GinkgoHelper()
	Expect(os.WriteFile(path, []byte("#!/bin/sh\nexec cat >/dev/null\n"), 0o700)).To(Succeed())
	return path
}
