package process_test

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/process"
)

// With these variables set, the test binary is a parent of nodes with that program, in that directory.
const (
	parentBinary = "REJOIN_TEST_PARENT_BINARY"
	parentDir    = "REJOIN_TEST_PARENT_DIR"
)

// beParent boots a cluster, pauses one node, prints the process IDs, and waits to be killed.
func beParent() error {
	o := options()
	o.Binary = func() string { return os.Getenv(parentBinary) }
	o.Nodes.Dir = os.Getenv(parentDir)
	if os.Getenv(parentOnHosts) != "" {
		return beParentOnHosts(o)
	}
	booted, err := process.New(o).Boot(context.Background(), 3)
	if err != nil {
		return err
	}
	c := booted.(*process.Cluster)
	if err := c.Pause(context.Background(), 1); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode([]int{c.Pid(0), c.Pid(1), c.Pid(2)}); err != nil {
		return err
	}
	_, err = bufio.NewReader(os.Stdin).ReadByte()
	return fmt.Errorf("stdin ended (%w) before the process was killed", err)
}

var _ = Describe("A parent that is killed", func() {
	var dir string
	BeforeEach(func() { dir = GinkgoT().TempDir() })
	// start starts the parent.
	start := func(ctx context.Context, binary string) (parent *exec.Cmd, said *json.Decoder) {
		GinkgoHelper()
		parent = exec.CommandContext(ctx, os.Args[0])
		parent.Env = append(os.Environ(), parentBinary+"="+binary, parentDir+"="+dir)
		parent.Stderr = GinkgoWriter
		stdin, err := parent.StdinPipe()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = stdin.Close() })
		stdout, err := parent.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(parent.Start()).To(Succeed())
		return parent, json.NewDecoder(stdout)
	}
	states := func(pids []int) (states []string) {
		GinkgoHelper()
		for _, pid := range pids {
			states = append(states, state(pid))
		}
		return states
	}

	It("does not leave nodes running, not even a paused one", func(ctx SpecContext) {
		parent, said := start(ctx, binary)
		var pids []int
		Expect(said.Decode(&pids)).To(Succeed())
		Expect(states(pids)).To(HaveExactElements(Not(BeEmpty()), Equal("T"), Not(BeEmpty())))
		for _, pid := range pids {
			Expect(syscall.Getpgid(pid)).To(Equal(pid), "the terminal's Ctrl-C would reach it")
		}
		Expect(parent.Process.Kill()).To(Succeed())
		Expect(parent.Wait()).To(MatchError("signal: killed"))
		Eventually(ctx, func() []string { return states(pids) }).Should(HaveEach(""))
	}, patience)

	It("leaves files, which the next Boot removes", func(ctx SpecContext) {
		parent, said := start(ctx, binary)
		var pids []int
		Expect(said.Decode(&pids)).To(Succeed())
		o := options()
		o.Nodes.Dir = dir
		whileAlive, err := process.New(o).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(whileAlive.Close()).To(Succeed())
		left, err := os.ReadDir(dir)
		Expect(err).NotTo(HaveOccurred())
		Expect(left).To(HaveLen(1))
		Expect(filepath.Join(dir, left[0].Name(), "n0")).To(BeADirectory())

		Expect(parent.Process.Kill()).To(Succeed())
		Expect(parent.Wait()).To(MatchError("signal: killed"))
		next, err := process.New(o).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(filepath.Join(dir, left[0].Name())).NotTo(BeADirectory())
		Expect(next.Close()).To(Succeed())
		Expect(os.ReadDir(dir)).To(BeEmpty())
	}, patience)

	It("does not leave processes that ignore stdin and signals", func(ctx SpecContext) {
		deaf := filepath.Join(GinkgoT().TempDir(), "deaf")
		Expect(os.WriteFile(deaf, []byte("#!/bin/sh\nexec sleep 300 </dev/null\n"), 0o700)).To(Succeed())
		parent, _ := start(ctx, deaf)
		var pids []int
		Eventually(ctx, func() []int {
			pids = children(parent.Process.Pid)
			return pids
		}).Should(HaveLen(3))
		Expect(parent.Process.Kill()).To(Succeed())
		Expect(parent.Wait()).To(MatchError("signal: killed"))
		Eventually(ctx, func() []string { return states(pids) }).Should(HaveEach(""))
	}, patience)
})

var _ = Describe("The nodes' program", func() {
	It("contains no test framework", func() {
		info, err := buildinfo.ReadFile(binary)
		Expect(err).NotTo(HaveOccurred())
		var modules []string
		for _, module := range info.Deps {
			modules = append(modules, module.Path)
		}
		Expect(modules).To(ContainElement("github.com/hashicorp/raft"))
		Expect(modules).NotTo(ContainElement(HavePrefix("github.com/onsi/")))
	})

	DescribeTable("reports in a sentence why it cannot start", func(ctx SpecContext, redirect, message string) {
		said, err := exec.CommandContext(ctx, "/bin/sh", "-c", `exec "$0" `+redirect, binary).CombinedOutput()
		Expect(err).To(MatchError("exit status 1"))
		Expect(string(said)).To(And(HavePrefix("node: "), ContainSubstring(message)))
	},
		Entry("no ready pipe", patience, "3>&-", "file descriptor 3 is not a pipe"),
		Entry("a file as ready pipe", patience, "3>/dev/null", "file descriptor 3 is not a pipe"),
		Entry("no configuration", patience, "3>&1 </dev/null", "read the node's configuration: it is empty"),
		Entry("an invalid configuration", patience, "3>&1 </bin/sh", "read the node's configuration: invalid character"),
	)
})
