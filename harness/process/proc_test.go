package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// stat is what /proc says of a process: its state, as in "S" or "T", and its
// parent. A process that is gone, or is only waited for, has none.
func stat(pid int) (state string, parent int) {
	GinkgoHelper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return "", 0
	}
	Expect(err).NotTo(HaveOccurred())
	_, rest, found := bytes.Cut(text, []byte(") ")) // after the name, which may hold anything
	Expect(found).To(BeTrue())
	_, err = fmt.Sscanf(string(rest), "%s %d", &state, &parent)
	Expect(err).NotTo(HaveOccurred())
	if state == "Z" || state == "X" {
		return "", 0
	}
	return state, parent
}

// state is how a process is; empty if it does not run.
func state(pid int) string {
	GinkgoHelper()
	state, _ := stat(pid)
	return state
}

// children are the processes that a process has started and that run.
func children(of int) []int {
	GinkgoHelper()
	entries, err := filepath.Glob("/proc/[0-9]*")
	Expect(err).NotTo(HaveOccurred())
	found := []int{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		Expect(err).NotTo(HaveOccurred())
		if state, parent := stat(pid); state != "" && parent == of {
			found = append(found, pid)
		}
	}
	return found
}
