package dqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/dqlite"
)

// holding is the variable with which this program is a runner: it boots nodes of that program, says so, and waits to be killed.
const holding = "TEST_DQLITE_HOLDS"

func TestHolds(t *testing.T) {
	binary := os.Getenv(holding)
	if binary == "" {
		t.Skip("this is the runner that a spec kills")
	}
	if _, err := dqlite.New(dqlite.Options{Binary: binary, Latency: nodes.latency}).Boot(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	fmt.Println("\nthe nodes run")
	<-t.Context().Done() // it never is
}

// running returns the processes of a program.
func running(binary string) (pids []string, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(line), binary+"\x00") { // a process may end meanwhile
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids, err
}

var _ = It("leaves no node when the process that runs the suite is killed", Label("suite:left"), func(ctx SpecContext) {
	dir := GinkgoT().TempDir()
	binary := filepath.Join(dir, "node") // other nodes may run meanwhile
	content, err := os.ReadFile(nodes.binary)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(binary, content, 0o700)).To(Succeed())
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	runner := exec.CommandContext(ctx, self, "-test.run=^TestHolds$", "-test.timeout=0")
	runner.Env = append(os.Environ(), holding+"="+binary, "TMPDIR="+dir)
	runner.Stderr = GinkgoWriter
	out, err := runner.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(runner.Start()).To(Succeed())
	begun := make(chan bool, 1)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(GinkgoWriter, lines.Text())
			if lines.Text() == "the nodes run" {
				begun <- true
			}
		}
		stop()
	}()
	select {
	case <-begun:
	case <-reading.Done():
		Fail("the runner ended before its nodes ran")
	}
	Expect(running(binary)).To(HaveLen(3))
	Expect(runner.Process.Kill()).To(Succeed())
	<-reading.Done()
	Expect(runner.Wait()).NotTo(Succeed())
	Eventually(ctx, func() ([]string, error) { return running(binary) }).Should(BeEmpty())
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	Expect(err).NotTo(HaveOccurred())
	Expect(string(mounts)).NotTo(ContainSubstring(dir))
}, SpecTimeout(2*time.Minute))
