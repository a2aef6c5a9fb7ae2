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

// leftovers is what the process had open and what ran before the clusters of a spec.
type leftovers struct {
	before     belongings
	goroutines []gleak.Goroutine
	inBubble   bool // a bubble looks itself for goroutines that are left in it
}

// lookForLeftovers looks at the end of the spec, after all of its clean-up that is deferred
// later, for what was not there at the call.
func lookForLeftovers() *leftovers {
	GinkgoHelper()
	l := &leftovers{before: belong(), goroutines: gleak.Goroutines()}
	DeferCleanup(func() {
		Eventually(func() []string { return belong().besides(l.before) }).WithTimeout(parting).Should(
			BeEmpty(), "left open when the spec was over")
		if l.inBubble {
			return
		}
		Eventually(gleak.Goroutines).WithTimeout(parting).ShouldNot(gleak.HaveLeaked(l.goroutines), "goroutines left when the spec was over")
	})
	return l
}

// parting is how long what ends with a cluster may take to end after Close.
const parting = 5 * time.Second

// belongings are the open files, listening sockets and child processes of this process,
// each in words. They are empty on a system without /proc. Where /proc exists and cannot be
// read the spec fails: leaks would not be seen.
type belongings map[string]bool

func belong() belongings {
	GinkgoHelper()
	b := make(belongings)
	fds, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, fs.ErrNotExist) {
		return b
	}
	Expect(err).NotTo(HaveOccurred(), "open files cannot be listed")
	for _, fd := range fds {
		at, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // it was closed meanwhile, as the one that listed them
		case err != nil:
			Expect(err).NotTo(HaveOccurred(), "an open file cannot be looked at")
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

// besides returns those that others lack.
func (b belongings) besides(others belongings) (left []string) {
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
