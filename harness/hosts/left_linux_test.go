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

// namespace returns the PID namespace of a running process.
func namespace(pid int) string {
	GinkgoHelper()
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	Expect(err).NotTo(HaveOccurred())
	return name
}

// living returns the states of all processes in a PID namespace but for its first one, the agent, by their numbers.
func living(namespace string) map[string]byte {
	found := map[string]byte{}
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		if name, err := os.Readlink(dir + "/ns/pid"); err != nil || name != namespace {
			continue
		}
		status, err := os.ReadFile(dir + "/status")
		stat, also := os.ReadFile(dir + "/stat")
		if err == nil && also == nil && !bytes.Contains(status, []byte("\t1\nNSpgid:")) {
			found[filepath.Base(dir)] = stat[bytes.LastIndexByte(stat, ')')+2]
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
	var all []*hosts.Host
	for i := range 3 {
		h, err := n.Host(context.Background(), "n"+strconv.Itoa(i))
		check(err)
		p, err := h.Start(context.Background(), hosts.Command{Path: "sh", Args: []string{"-c", forks}})
		check(err)
		fmt.Println(p.Pid())
		all = append(all, h)
	}
	for size(filepath.Join(all[2].Dir(), "count")) < 20 {
		time.Sleep(time.Millisecond)
	}
	check(all[2].Freeze(context.Background()))
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
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		runner := exec.CommandContext(ctx, self)
		runner.Env = append(os.Environ(), runnerVariable+"="+dir)
		out, err := runner.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(runner.Start()).To(Succeed())
		lines := bufio.NewReader(out)
		var places []string
		own := map[string]bool{}
		for range 3 {
			var pid int
			_, err := fmt.Fscanln(lines, &pid)
			Expect(err).NotTo(HaveOccurred())
			places = append(places, namespace(pid))
			for _, kind := range []string{"net", "pid", "mnt"} {
				name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
				Expect(err).NotTo(HaveOccurred())
				own[name] = true
			}
		}
		for _, place := range places {
			Eventually(ctx, living).WithArguments(place).Should(WithTransform(count, BeNumerically(">=", 8)))
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
		for _, place := range places {
			Eventually(ctx, living).WithArguments(place).Should(BeEmpty())
		}
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
		h := newHost(ctx, n, "a")
		p, err := h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", forks}, Output: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		place := namespace(p.Pid())
		Eventually(ctx, living).WithArguments(place).Should(WithTransform(count, BeNumerically(">=", 8)))
		Expect(n.Close()).To(Succeed())
		Expect(living(place)).To(BeEmpty())
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
