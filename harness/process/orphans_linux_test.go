package process_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/process"
)

// parentOnHosts makes a parent boot its nodes on hosts.
const parentOnHosts = "REJOIN_TEST_PARENT_HOSTS"

// beParentOnHosts boots a cluster on hosts in which the disks of two nodes hang at the next write, one of them in a torn sync. It
// prints the process IDs, and writes until it is killed.
func beParentOnHosts(o process.Options) error {
	ctx := context.Background()
	b := &booted{Target: process.OnHosts(o)}
	c, err := harness.Boot(ctx, b, harness.Size(3))
	if err != nil {
		return err
	}
	nodes := b.last.(*process.Cluster)
	for i, faults := range []fault.Disk{{Torn: true}, {}, {Slow: time.Hour}} {
		if err := nodes.SetDisk(ctx, i, faults); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode([]int{nodes.Pid(0), nodes.Pid(1), nodes.Pid(2)}); err != nil {
		return err
	}
	for {
		_, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (v TEXT)")
		fmt.Fprintln(os.Stderr, err) // no quorum can store it
	}
}

// awaitHangingSync waits until a thread of the process waits in a call that syncs a file, and goes on to wait. The state of a thread
// does not tell: one that waits for FUSE is in an uninterruptible wait only after a signal.
func awaitHangingSync(ctx context.Context, pid int, why string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		begun := syncs(pid)
		g.Expect(begun).NotTo(BeEmpty())
		g.Consistently(ctx, syncs).WithArguments(pid).WithTimeout(100 * time.Millisecond).Should(ContainElement(BeElementOf(begun)))
	}).Should(Succeed(), why)
}

// syncs are the calls in which threads of the process sync a file now.
func syncs(pid int) (calls []string) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/syscall", pid))
	for _, thread := range threads {
		call, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		number, _, _ := strings.Cut(string(call), " ")
		if number == strconv.Itoa(syscall.SYS_FSYNC) || number == strconv.Itoa(syscall.SYS_FDATASYNC) {
			calls = append(calls, thread+": "+string(call))
		}
	}
	return calls
}

// kinds are those of the namespaces of a host.
var kinds = []string{"net", "pid", "mnt", "uts", "ipc"}

// namespacesOf returns the namespaces of processes that match a pattern in /proc.
func namespacesOf(pattern string) map[string]bool {
	found := make(map[string]bool)
	for _, kind := range kinds {
		links, _ := filepath.Glob(filepath.Join("/proc", pattern, "ns", kind))
		for _, link := range links {
			if name, err := os.Readlink(link); err == nil { // else it has ended
				found[name] = true
			}
		}
	}
	return found
}

func interfaces() []string {
	GinkgoHelper()
	all, err := net.Interfaces()
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names
}

var _ = Describe("A parent of nodes on hosts that is killed", func() {
	It("leaves no process, namespace, device or mount, with one node paused and the disks of the others hanging", func(ctx SpecContext) {
		if err := hosts.Supported(); err != nil {
			Skip(err.Error())
		}
		dir, devices := GinkgoT().TempDir(), interfaces()
		parent := exec.CommandContext(ctx, os.Args[0])
		parent.Env = append(os.Environ(), parentBinary+"="+binary, parentDir+"="+dir, parentOnHosts+"=1")
		parent.Stderr = GinkgoWriter
		stdout, err := parent.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(parent.Start()).To(Succeed())
		var pids []int
		Expect(json.NewDecoder(stdout).Decode(&pids)).To(Succeed())
		awaitHangingSync(ctx, pids[0], "no sync is torn")
		awaitHangingSync(ctx, pids[2], "the slow disk does not hang")
		Expect(syscall.Kill(pids[1], syscall.SIGSTOP)).To(Succeed())
		Eventually(ctx, state).WithArguments(pids[1]).Should(Equal("T"))
		agents := children(parent.Process.Pid)
		Expect(agents).To(HaveLen(4), "those of the nodes and of the clients")
		namespaces, outer := make(map[string]bool), namespacesOf("self")
		for _, pid := range append(pids, agents...) {
			for name := range namespacesOf(strconv.Itoa(pid)) {
				if !outer[name] {
					namespaces[name] = true
				}
			}
		}
		Expect(namespaces).To(HaveLen(len(kinds) * len(agents)))

		Expect(parent.Process.Kill()).To(Succeed())
		Expect(parent.Wait()).To(MatchError("signal: killed"))
		Eventually(ctx, func() (left []string) {
			for _, pid := range append(pids, agents...) {
				if now := state(pid); now != "" {
					left = append(left, fmt.Sprintf("process %d: %s", pid, now))
				}
			}
			return left
		}).Should(BeEmpty())
		Eventually(ctx, func() (left []string) {
			for name := range namespacesOf("[0-9]*") {
				if namespaces[name] {
					left = append(left, name)
				}
			}
			return left
		}).Should(BeEmpty())
		Expect(interfaces()).To(ConsistOf(devices))
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(mounts)).NotTo(ContainSubstring(dir))

		By("booting the next one, which removes the folder")
		o := options()
		o.Nodes.Dir = dir
		next, err := process.OnHosts(o).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(next.Close()).To(Succeed())
		Expect(os.ReadDir(dir)).To(BeEmpty())
	}, patience)
})
