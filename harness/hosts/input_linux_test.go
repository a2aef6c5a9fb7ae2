package hosts_test

import (
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

var _ = Describe("a program", func() {
	It("gets its standard input, and further files from descriptor 3 on, and writes to a file by itself", func(ctx SpecContext) {
		host := newHost(ctx, newNetwork(), "a")
		log, err := os.Create(filepath.Join(GinkgoT().TempDir(), "log"))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(log.Close)
		input, into, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(into.Close)
		from, own, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(from.Close)

		p, err := host.Start(ctx, hosts.Command{
			Path: "sh", Args: []string{"-c", "read line; echo got $line; echo said $line >&3"},
			Input: input, Files: []*os.File{own}, Output: log,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(input.Close()).To(Succeed())
		Expect(own.Close()).To(Succeed())
		Expect(into.WriteString("this\n")).To(Equal(5))
		Expect(p.Wait(ctx)).To(Equal(hosts.Exit{}))
		Expect(io.ReadAll(from)).To(BeEquivalentTo("said this\n"))
		Expect(os.ReadFile(log.Name())).To(BeEquivalentTo("got this\n"))
	})
})
