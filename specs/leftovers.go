package specs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

// leftovers is what the process held and which goroutines ran before the clusters of a spec.
type leftovers struct {
	before     resources
	goroutines []gleak.Goroutine
	inBubble   bool // a bubble looks itself for goroutines that are left in it
}

// lookForLeftovers looks at the end of the spec, after all of its clean-up that is deferred
// later, for what was not there at the call.
func lookForLeftovers() *leftovers {
	GinkgoHelper()
	l := &leftovers{before: heldResources(), goroutines: gleak.Goroutines()}
	DeferCleanup(func() {
		Eventually(func() []string { return heldResources().without(l.before) }).WithTimeout(leftoverTimeout).Should(
			BeEmpty(), "left open when the spec was over")
		if l.inBubble {
			return
		}
		Eventually(gleak.Goroutines).WithTimeout(leftoverTimeout).ShouldNot(gleak.HaveLeaked(l.goroutines),
			"goroutines left when the spec was over")
	})
	return l
}

// leftoverTimeout bounds how long after Close the last resources of a cluster may be held.
const leftoverTimeout = 5 * time.Second

// resources are the open files, listening sockets and child processes of this process,
// each in words: see heldResources. They are empty on a system without /proc. Where /proc exists and cannot be
// read the spec fails: leaks would not be seen.
type resources map[string]bool

func heldResources() resources {
	GinkgoHelper()
	b := make(resources)
	fds, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, fs.ErrNotExist) {
		return b
	}
	Expect(err).NotTo(HaveOccurred(), "open files cannot be listed")
	for _, fd := range fds {
		at, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // it was closed in the meantime
		case err != nil:
			Expect(err).NotTo(HaveOccurred(), "the name of an open file cannot be read")
		case strings.HasPrefix(at, "socket:"):
			if listens(fd.Name()) {
				b["listening "+at] = true
			}
		case strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "/proc/") && !strings.HasPrefix(at, "/dev/"), strings.HasPrefix(at,
			"/dev/shm/"):
			b[fmt.Sprintf("open file %s (fd %s)", at, fd.Name())] = true
		}
	}
	for _, child := range children() {
		b["child process "+child+" "+commandOf(child)] = true
	}
	return b
}

// children returns the child processes of all threads. A thread that has ended has none.
func children() (all []string) {
	GinkgoHelper()
	threads, err := os.ReadDir("/proc/self/task")
	Expect(err).NotTo(HaveOccurred(), "threads cannot be listed")
	for _, thread := range threads {
		found, err := os.ReadFile(filepath.Join("/proc/self/task", thread.Name(), "children"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH) {
			Expect(err).NotTo(HaveOccurred(), "child processes cannot be listed")
		}
		all = append(all, strings.Fields(string(found))...)
	}
	return all
}

// without returns those that others lack.
func (b resources) without(others resources) (left []string) {
	for thing := range b {
		if !others[thing] {
			left = append(left, thing)
		}
	}
	return left
}

func commandOf(process string) string {
	line, err := os.ReadFile(filepath.Join("/proc", process, "cmdline"))
	if err != nil {
		return "(gone)"
	}
	return strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
}
