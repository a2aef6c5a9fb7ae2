package hosts_test

import (
	"bytes"
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

// start starts a shell script.
func start(ctx context.Context, h *hosts.Host, script string) *hosts.Process {
	GinkgoHelper()
	p, err := h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", script}})
	Expect(err).NotTo(HaveOccurred())
	return p
}

func count(processes map[string]byte) int { return len(processes) }

// size returns the size of a file that may not be there yet.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

var _ = Describe("a host", func() {
	It("is killed as a whole, while its processes fork", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		for range 5 {
			p := start(ctx, h, forks)
			place := namespace(p.Pid())
			Eventually(ctx, living).WithArguments(place).Should(WithTransform(count, BeNumerically(">=", 8)))
			Expect(h.Kill(ctx)).To(Succeed())
			Expect(living(place)).To(BeEmpty())
			Expect(p.Wait(ctx)).To(Equal(hosts.Exit{Code: -1, Signal: syscall.SIGKILL}))
		}
	}, SpecTimeout(time.Minute))

	It("ends a fork bomb of some 250 processes", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		bomb := start(ctx, h, `bomb() { if [ $1 -gt 0 ]; then bomb $(($1 - 1)) & bomb $(($1 - 1)) & fi; exec sleep 1000; }; bomb 7`)
		place := namespace(bomb.Pid())
		Eventually(ctx, living).WithArguments(place).Should(WithTransform(count, BeNumerically(">=", 200)))
		Expect(h.Kill(ctx)).To(Succeed())
		Expect(living(place)).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("is frozen as a whole, while its processes fork, and goes on", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		written := filepath.Join(h.Dir(), "count")
		place := namespace(start(ctx, h, forks).Pid())
		Eventually(ctx, size).WithArguments(written).Should(BeNumerically(">", 20))
		for range 5 {
			Expect(h.Freeze(ctx)).To(Succeed())
			frozen, before := living(place), size(written)
			for pid, state := range frozen {
				Expect(string(state)).To(BeElementOf("T", "Z", "D"), "process %s", pid) // D is a parent in vfork
			}
			Consistently(living, "50ms").WithArguments(place).Should(Equal(frozen))
			Expect(size(written)).To(Equal(before))
			_, err := h.Start(ctx, hosts.Command{Path: "true"})
			Expect(err).To(MatchError(ContainSubstring("frozen")))
			Expect(h.Thaw(ctx)).To(Succeed())
			Eventually(ctx, size).WithArguments(written).Should(BeNumerically(">", before+20))
		}
		Expect(h.Freeze(ctx)).To(Succeed())
		Expect(h.Kill(ctx)).To(Succeed())
		Expect(living(place)).To(BeEmpty())
		_, exit := run(ctx, h, "exit 0")
		Expect(exit).To(Equal(hosts.Exit{}))
	}, SpecTimeout(time.Minute))

	It("is frozen while its kernel is busy with a disk", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		err := h.SetDisk(ctx, fault.Disk{Slow: time.Hour})
		if errors.Is(err, hosts.ErrNoDisk) {
			Skip(err.Error())
		}
		Expect(err).NotTo(HaveOccurred())
		place := namespace(start(ctx, h, "exec dd if=/dev/zero of=file count=1 conv=fsync").Pid())
		Eventually(ctx, size).WithArguments(filepath.Join(h.Dir(), "file")).Should(BeNumerically(">", 0))
		soon, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		Expect(h.Freeze(soon)).To(Succeed())
		Expect(living(place)).To(HaveLen(1))
		Expect(h.Thaw(ctx)).To(Succeed())
		Expect(h.Kill(ctx)).To(Succeed())
		Expect(living(place)).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("reports exit codes and signals", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		_, exit := run(ctx, h, "exit 41")
		Expect(exit).To(Equal(hosts.Exit{Code: 41}))
		Expect(exit.String()).To(Equal("exit code 41"))
		p := start(ctx, h, "sleep 1000 & echo begun; wait")
		Eventually(ctx, h.Log).WithArguments(100).Should(Equal("begun\n"))
		Expect(p.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(p.Wait(ctx)).To(Equal(hosts.Exit{Code: -1, Signal: syscall.SIGTERM}))
		Expect(p.Signal(syscall.SIGTERM)).To(MatchError(os.ErrProcessDone))
		p = start(ctx, h, "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
		Eventually(ctx, h.Log).WithArguments(6).Should(Equal("ready\n"))
		Expect(p.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(p.Wait(ctx)).To(Equal(hosts.Exit{Code: 7}))
		_, exit = run(ctx, h, "kill -SEGV $$")
		Expect(exit.Signal).To(Equal(syscall.SIGSEGV))
		if err := h.SetDisk(ctx, fault.Disk{}); err != nil {
			Expect(h.Missing()).To(ConsistOf(ContainSubstring(hosts.ErrNoDisk.Error())))
		} else {
			Expect(h.Missing()).To(BeEmpty())
		}
		_, exit = run(ctx, h, "kill -TERM 1; kill -INT 1; kill -QUIT 1; kill -KILL 1; sleep 0.1")
		Expect(exit).To(Equal(hosts.Exit{}), "nothing on a host ends it")
	}, SpecTimeout(time.Minute))

	It("gives a program its folder, its environment and no input, and its output is whole when it is done", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		var out bytes.Buffer
		p, err := h.Start(ctx, hosts.Command{
			Path: "sh", Args: []string{"-c", `(setsid sleep 1000 &); cat; pwd; echo "$A"; head -c 300000 /dev/zero; echo end >&2`},
			Env: []string{"A=b c", "PATH=" + os.Getenv("PATH")}, Output: &out,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(p.Wait(ctx)).To(Equal(hosts.Exit{}))
		Expect(out.String()).To(HavePrefix(h.Dir() + "\nb c\n\x00"))
		Expect(out.String()).To(HaveSuffix("\x00end\n"))
		Expect(out.Len()).To(Equal(300_000 + len(h.Dir()) + len("\nb c\nend\n")))
	}, SpecTimeout(time.Minute))

	It("runs a program that refuses to be root", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		var out bytes.Buffer
		p, err := h.Start(ctx, hosts.Command{
			Path: "sh", Args: []string{"-c", "id -u; id -g; echo x > file; stat -c %u file; kill -0 1 || echo no; sleep 0.1 & wait"},
			Ordinary: true, Output: &out,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(p.Wait(ctx)).To(Equal(hosts.Exit{}), out.String())
		Expect(out.String()).To(HavePrefix("65534\n65534\n65534\n"))
		p, err = h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", forks}, Ordinary: true})
		Expect(err).NotTo(HaveOccurred())
		place := namespace(p.Pid())
		Eventually(ctx, living).WithArguments(place).Should(WithTransform(count, BeNumerically(">=", 8)))
		Expect(h.Freeze(ctx)).To(Succeed())
		Expect(h.Kill(ctx)).To(Succeed())
		Expect(living(place)).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("says why a program does not start", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		_, err := h.Start(ctx, hosts.Command{Path: "no-such-program"})
		Expect(err).To(MatchError(And(ContainSubstring("start no-such-program on host a"), ContainSubstring("not found"))))
		_, err = h.Start(ctx, hosts.Command{Path: "true", Dir: "/no-such-folder"})
		Expect(err).To(MatchError(os.ErrNotExist))
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = h.Start(ended, hosts.Command{Path: "true"})
		Expect(err).To(MatchError(context.Canceled))
	}, SpecTimeout(time.Minute))
})

var _ = Describe("networks", func() {
	It("side by side have the same addresses and do not see each other", func(ctx SpecContext) {
		n := newNetwork()
		o, err := hosts.New(hosts.Options{Dir: GinkgoT().TempDir()})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(o.Close)
		a, b, other := newHost(ctx, n, "a"), newHost(ctx, n, "b"), newHost(ctx, o, "a")
		Expect(other.Addr()).To(Equal(a.Addr()))
		echo(ctx, b, 7000)
		Expect(roundTrip(dial(ctx, a, "b:7000"), 10*time.Second)).To(Succeed())
		trying, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err = other.DialContext(trying, "tcp", b.Addr().String()+":7000")
		Expect(err).To(HaveOccurred())
		Expect(o.Close()).To(Succeed())
		Expect(roundTrip(dial(ctx, a, "b:7000"), 10*time.Second)).To(Succeed())
	}, SpecTimeout(time.Minute))

	It("have a hundred hosts", Label("again"), func(ctx SpecContext) {
		n := newNetwork()
		all := make([]*hosts.Host, 100)
		slots, failed := make(chan struct{}, 8), make(chan error, len(all))
		for i := range all {
			go func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				var err error
				all[i], err = n.Host(ctx, "n"+string(rune('a'+i/26))+string(rune('a'+i%26)))
				failed <- err
			}()
		}
		for range all {
			Eventually(ctx, failed).Should(Receive(Not(HaveOccurred())))
		}
		for i, h := range all {
			echo(ctx, h, 7000)
			if i > 0 {
				Expect(roundTrip(dial(ctx, all[i-1], h.Name()+":7000"), 10*time.Second)).To(Succeed())
			}
		}
		begun := time.Now()
		Expect(n.Close()).To(Succeed())
		AddReportEntry("closed in", time.Since(begun))
	}, SpecTimeout(2*time.Minute))

	It("reject names that are none, or taken", func(ctx SpecContext) {
		n := newNetwork()
		newHost(ctx, n, "a")
		for _, name := range []string{"", "a b", "-a", "a.b", "localhost", "ä", "a"} {
			_, err := n.Host(ctx, name)
			Expect(err).To(HaveOccurred(), name)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err := n.Host(ended, "late")
		Expect(err).To(MatchError(context.Canceled))
	}, SpecTimeout(time.Minute))
})
