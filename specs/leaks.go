package specs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// leaks are specs about the leak check that follows every spec.
func leaks(env *environment) {
	Describe("A leak", Label("suite:leaks"), func() {
		// left is what was opened since the beginning. What nodes open for a moment, in this process or on a disk that it serves, is
		// in it for a moment.
		var left func() []string
		BeforeEach(func(ctx SpecContext) {
			if runOf(ctx).lasting {
				Skip("clusters that last for several specs start goroutines and processes meanwhile")
			}
			if _, err := os.Stat("/proc/self/fd"); err != nil {
				Skip("the system does not list the open files of a process")
			}
			before := heldResources()
			left = func() []string { return heldResources().Without(before) }
		})

		It("of a file, a socket or a process is found as long as it exists", func(ctx SpecContext) {
			env.eventually(ctx, left).Should(BeEmpty())
			path := filepath.Join(GinkgoT().TempDir(), "left open")
			file, err := os.Create(path)
			Expect(err).NotTo(HaveOccurred())
			env.eventually(ctx, left).Should(ConsistOf(ContainSubstring(path)))
			Expect(file.Close()).To(Succeed())
			env.eventually(ctx, left).Should(BeEmpty())

			for _, network := range []string{"tcp4", "tcp6"} {
				listener, err := new(net.ListenConfig).Listen(ctx, network, "localhost:0")
				if err != nil {
					continue // a system without IPv6
				}
				env.eventually(ctx, left).Should(ConsistOf(HavePrefix("listening ")))
				Expect(listener.Close()).To(Succeed())
				env.eventually(ctx, left).Should(BeEmpty())
			}

			child := exec.CommandContext(ctx, "sleep", "60")
			Expect(child.Start()).To(Succeed())
			env.eventually(ctx, left).Should(ConsistOf(ContainSubstring("child process")))
			Expect(child.Process.Kill()).To(Succeed())
			Expect(child.Wait()).NotTo(Succeed())
			env.eventually(ctx, left).Should(BeEmpty())
		}, env.patience)

		It("of a goroutine is found", func() {
			before := gleak.Goroutines()
			ending := make(chan struct{})
			ended := make(chan struct{})
			go func() { <-ending; close(ended) }()
			Expect(gleak.Goroutines()).To(gleak.HaveLeaked(before))
			close(ending)
			<-ended
			Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
		})

		It("is not what a crashed node had open", Label("fault:crash"), func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Crash)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.run(ctx, "CREATE TABLE {ns}.t (v INTEGER)")
			open := func() int { return len(heldResources()) }
			before := open()
			if before <= env.held {
				Skip("the target's nodes hold nothing in this process, and are no children of it")
			}
			env.leave(ctx, 2, fault.Crash)
			env.eventually(ctx, open).Should(BeNumerically("<", before), "the crashed node still has files or sockets open, or never had")
			env.comeBack(ctx, 2)
		}, env.patience)
	})
}
