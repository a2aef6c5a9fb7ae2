package hosts_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

// mark is in the environment of a process that a spec starts, and of its children.
func mark() string { return fmt.Sprintf("REJOIN_TEST_MARK=%d-%d", os.Getpid(), time.Now().UnixNano()) }

// marked returns the states of all processes on this machine with the mark, by their numbers.
func marked(mark string) map[string]byte {
	found := map[string]byte{}
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		if environ, err := os.ReadFile(dir + "/environ"); err == nil && bytes.Contains(environ, []byte(mark)) {
			if stat, err := os.ReadFile(dir + "/stat"); err == nil {
				found[filepath.Base(dir)] = stat[bytes.LastIndexByte(stat, ')')+2]
			}
		}
	}
	return found
}

// forks is a script of programs that fork, daemonize, and write to count in their folder.
const forks = `
(setsid sleep 1000 &)
(setsid sh -c '(setsid sh -c "trap \"\" TERM HUP INT; while :; do sleep 0.05; done" &)' &)
for i in 1 2 3; do (while :; do (echo x >> count; sleep 0.02) & sleep 0.005; done) & done
while :; do sleep 0.05; done`

// runner makes a network with hosts on which programs run, says so, and waits until it is killed.
func runner(dir string) {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	o := hosts.Options{Dir: dir}
	if os.Getenv(vethVariable) != "" {
		o = o.Packets()
	}
	n, err := hosts.New(o)
	check(err)
	for i := range 3 {
		h, err := n.Host(context.Background(), "n"+strconv.Itoa(i))
		check(err)
		_, err = h.Start(context.Background(), hosts.Command{Path: "sh", Args: []string{"-c", forks}})
		check(err)
		if i == 2 {
			check(h.Freeze(context.Background()))
		}
	}
	fmt.Println("running")
	select {}
}

// namespaces returns the network and PID namespaces of all processes that this one may look at.
func namespaces() map[string]bool {
	found := map[string]bool{}
	for _, kind := range []string{"net", "pid", "mnt"} {
		all, _ := filepath.Glob("/proc/[0-9]*/ns/" + kind)
		for _, path := range all {
			if name, err := os.Readlink(path); err == nil {
				found[name] = true
			}
		}
	}
	return found
}

var _ = Describe("nothing is left", func() {
	It("when the process that made the hosts is killed", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		m := mark()
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		runner := exec.CommandContext(ctx, self)
		runner.Env = append(os.Environ(), runnerVariable+"="+dir, m)
		out, err := runner.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(runner.Start()).To(Succeed())
		line, err := bufio.NewReader(out).ReadString('\n')
		Expect(err).NotTo(HaveOccurred())
		Expect(line).To(Equal("running\n"))
		Eventually(ctx, marked).WithArguments(m).Should(WithTransform(func(m map[string]byte) int { return len(m) }, BeNumerically(">=", 25)))
		own := map[string]bool{}
		for pid := range marked(m) {
			for _, kind := range []string{"net", "pid", "mnt"} {
				if name, err := os.Readlink("/proc/" + pid + "/ns/" + kind); err == nil {
					own[name] = true
				}
			}
		}
		outer := map[string]bool{}
		for _, kind := range []string{"net", "pid", "mnt"} {
			name, err := os.Readlink("/proc/self/ns/" + kind)
			Expect(err).NotTo(HaveOccurred())
			outer[name] = true
		}
		maps.DeleteFunc(own, func(name string, _ bool) bool { return outer[name] })
		Expect(len(own)).To(BeNumerically(">=", 9), "three kinds of namespaces of three hosts")

		Expect(runner.Process.Kill()).To(Succeed())
		Expect(runner.Wait()).NotTo(Succeed())
		Eventually(ctx, marked).WithArguments(m).Should(BeEmpty())
		for name := range own {
			Eventually(ctx, namespaces).ShouldNot(HaveKey(name))
		}
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(mounts)).NotTo(ContainSubstring(dir))
		n, err := hosts.New(hosts.Options{Dir: dir}) // sweeps
		Expect(err).NotTo(HaveOccurred())
		Expect(n.Close()).To(Succeed())
		Expect(os.ReadDir(dir)).To(BeEmpty())
	}, SpecTimeout(2*time.Minute))

	It("when the network is closed", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		n, err := hosts.New(hosts.Options{Dir: dir})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(n.Close)
		m := mark()
		h := newHost(ctx, n, "a")
		p, err := h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", forks}, Env: append(os.Environ(), m), Output: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, marked).WithArguments(m).Should(WithTransform(func(m map[string]byte) int { return len(m) }, BeNumerically(">=", 8)))
		Expect(n.Close()).To(Succeed())
		Expect(marked(m)).To(BeEmpty())
		Expect(p.Done()).To(BeClosed())
		Expect(os.ReadDir(dir)).To(BeEmpty())
		Expect(n.Close()).To(Succeed())
		_, err = n.Host(ctx, "b")
		Expect(err).To(MatchError(ContainSubstring("closed")))
		_, err = h.Start(ctx, hosts.Command{Path: "true"})
		Expect(err).To(MatchError(ContainSubstring("closed")))
		Expect(h.Freeze(ctx)).To(MatchError(ContainSubstring("closed")))
	}, SpecTimeout(time.Minute))
})
