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

// stat returns the state of a process in /proc, for example "S" or "T", and its parent. It returns zero values for a
// process that has ended, even if it has not been waited for.
func stat(pid int) (state string, parent int) {
	GinkgoHelper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return "", 0
	}
	Expect(err).NotTo(HaveOccurred())
	_, rest, found := bytes.Cut(text, []byte(") ")) // after the name, which can contain anything
	Expect(found).To(BeTrue())
	_, err = fmt.Sscanf(string(rest), "%s %d", &state, &parent)
	Expect(err).NotTo(HaveOccurred())
	if state == "Z" || state == "X" {
		return "", 0
	}
	return state, parent
}

// state returns the state of a process; "" if it has ended.
func state(pid int) string {
	GinkgoHelper()
	state, _ := stat(pid)
	return state
}

// children returns the running children of a process.
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
