package specs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// belongings are the open files, listening sockets and child processes of this process, as
// text. They are empty on a system without /proc. A /proc that cannot be read fails the spec,
// which could not find leaks.
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
		case errors.Is(err, fs.ErrNotExist): // closed meanwhile, like the one that lists them
		case err != nil:
			Expect(err).NotTo(HaveOccurred(), "an open file cannot be inspected")
		case strings.HasPrefix(at, "socket:"):
			if listens(fd.Name()) {
				b["listening "+at] = true
			}
		case strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "/proc/") && !strings.HasPrefix(at, "/dev/"), strings.HasPrefix(at, "/dev/shm/"):
			b[fmt.Sprintf("open file %s (fd %s)", at, fd.Name())] = true
		}
	}
	for _, child := range children() {
		b["child process "+child+" "+commandOf(child)] = true
	}
	return b
}

// children are the child processes of all threads. A thread that has ended has none.
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

// besides are the belongings that others lack.
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
