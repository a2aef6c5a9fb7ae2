package hosts_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

// withDisk returns a host whose disk has faults, or skips.
func withDisk(ctx context.Context) *hosts.Host {
	GinkgoHelper()
	h := newHost(ctx, newNetwork(), "a")
	err := h.SetDisk(ctx, fault.Disk{})
	if errors.Is(err, hosts.ErrNoDisk) {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	return h
}

var _ = Describe("a host's disk", func() {
	It("loses what was not synced when the power is cut, and nothing in a kill", func(ctx SpecContext) {
		h := withDisk(ctx)
		run(ctx, h, "dd if=/dev/zero of=synced bs=1000 count=3 conv=fsync; echo more >> synced; echo new > new")
		Expect(h.Kill(ctx)).To(Succeed())
		out, _ := run(ctx, h, "wc -c < synced; cat new")
		Expect(out).To(Equal("3005\nnew\n"))
		Expect(h.CutPower(ctx)).To(Succeed())
		out, _ = run(ctx, h, "wc -c < synced; ls")
		Expect(out).To(Equal("3000\nsynced\n"))
		Expect(must(os.ReadFile(filepath.Join(h.Dir(), "synced")))).To(HaveLen(3000))
	}, SpecTimeout(time.Minute))

	It("loses what was not synced in a crash, after which the host refuses connections at once", func(ctx SpecContext) {
		n := newNetwork()
		h, other := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		if err := h.SetDisk(ctx, fault.Disk{}); errors.Is(err, hosts.ErrNoDisk) {
			Skip(err.Error())
		}
		run(ctx, h, "dd if=/dev/zero of=synced bs=1000 count=3 conv=fsync; echo more >> synced; echo new > new")
		p := start(ctx, h, "exec sleep 1000 3> open")
		Eventually(ctx, h.Processes).Should(ConsistOf("sleep"))
		Expect(h.Crash(ctx)).To(Succeed())
		Expect(p.Done()).To(BeClosed())
		Expect(h.Processes(ctx)).To(BeEmpty())
		_, err := other.DialContext(ctx, "tcp", "a:7000")
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		out, _ := run(ctx, h, "wc -c < synced; ls")
		Expect(out).To(Equal("3000\nsynced\n"))
	}, SpecTimeout(time.Minute))

	It("goes on while it is hurried", func(ctx SpecContext) {
		h := withDisk(ctx)
		Expect(h.SetDisk(ctx, fault.Disk{Slow: time.Hour})).To(Succeed())
		p := must(h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", "echo x | dd of=log conv=fsync"}}))
		Eventually(ctx, size).WithArguments(filepath.Join(h.Dir(), "log")).Should(BeNumerically(">", 0))
		Consistently(ctx, p.Done(), "50ms").ShouldNot(BeClosed())
		end, err := h.HurryDisk(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(p.Wait(ctx)).To(Equal(hosts.Exit{}))
		end()
		Expect(h.Disk()).To(Equal(fault.Disk{Slow: time.Hour}))
	}, SpecTimeout(time.Minute))

	It("is full, fails, and is sound again", func(ctx SpecContext) {
		h := withDisk(ctx)
		Expect(h.SetDisk(ctx, fault.Disk{Full: true})).To(Succeed())
		Expect(h.Disk()).To(Equal(fault.Disk{Full: true}))
		out, _ := run(ctx, h, "LC_ALL=C; export LC_ALL; echo x > new")
		Expect(out).To(ContainSubstring("No space left on device"))
		Expect(h.SetDisk(ctx, fault.Disk{Failing: true})).To(Succeed())
		out, _ = run(ctx, h, "LC_ALL=C; export LC_ALL; echo x > new")
		Expect(out).To(ContainSubstring("nput/output error"))
		Expect(h.SetDisk(ctx, fault.Disk{})).To(Succeed())
		out, _ = run(ctx, h, "echo x > new; cat new")
		Expect(out).To(Equal("x\n"))
	}, SpecTimeout(time.Minute))

	DescribeTable("does not keep a host from ending while a sync waits",
		func(ctx SpecContext, faults fault.Disk, end func(*hosts.Host) error, content string) {
			h := withDisk(ctx)
			run(ctx, h, "printf before | dd of=log conv=fsync")
			Expect(h.SetDisk(ctx, faults)).To(Succeed())
			p := must(h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", "printf after0 | dd of=log conv=notrunc,fsync"}}))
			Eventually(ctx, func() []byte { return must(os.ReadFile(filepath.Join(h.Dir(), "log"))) }).Should(BeEquivalentTo("after0"))
			Consistently(ctx, p.Done(), "100ms").ShouldNot(BeClosed())
			Expect(end(h)).To(Succeed())
			Eventually(ctx, p.Done()).Should(BeClosed())
			Expect(h.SetDisk(ctx, fault.Disk{})).To(Succeed())
			out, _ := run(ctx, h, "cat log")
			Expect(out).To(Equal(content))
		},
		Entry("slow, killed", fault.Disk{Slow: time.Hour}, kill, "after0", SpecTimeout(time.Minute)),
		Entry("slow, crashed", fault.Disk{Slow: time.Hour}, crash, "after0", SpecTimeout(time.Minute)),
		Entry("torn, crashed", fault.Disk{Torn: true}, crash, "aftore", SpecTimeout(time.Minute)),
		Entry("slow, power cut", fault.Disk{Slow: time.Hour}, cutPower, "before", SpecTimeout(time.Minute)),
		Entry("torn, killed", fault.Disk{Torn: true}, kill, "aftore", SpecTimeout(time.Minute)),
		Entry("torn, power cut", fault.Disk{Torn: true}, cutPower, "aftore", SpecTimeout(time.Minute)),
	)

	It("does not keep a network from closing while a sync waits", func(ctx SpecContext) {
		h := withDisk(ctx)
		Expect(h.SetDisk(ctx, fault.Disk{Torn: true})).To(Succeed())
		p := must(h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", "echo x | dd of=log conv=fsync"}}))
		Eventually(ctx, h.Disk).Should(Equal(fault.Disk{}))
		Expect(p.Done()).NotTo(BeClosed())
	}, SpecTimeout(time.Minute))

	It("has a byte flipped", func(ctx SpecContext) {
		h := withDisk(ctx)
		run(ctx, h, "echo content > file")
		Expect(h.Damage(ctx, "file", 0)).To(Succeed())
		out, _ := run(ctx, h, "cat file")
		Expect(out).To(Equal(string([]byte{^byte('c')}) + "ontent\n"))
		Expect(h.Damage(ctx, "other", 0)).To(MatchError(os.ErrNotExist))
	}, SpecTimeout(time.Minute))
})

func kill(h *hosts.Host) error     { return h.Kill(context.Background()) }
func crash(h *hosts.Host) error    { return h.Crash(context.Background()) }
func cutPower(h *hosts.Host) error { return h.CutPower(context.Background()) }

func must[V any](value V, err error) V {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}
