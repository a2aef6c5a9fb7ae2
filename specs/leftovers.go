package specs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// belongings are what this process holds of the system: open files, listening
// sockets and child processes, each in words. A system without /proc tells nothing.
type belongings map[string]bool

func belong() belongings {
	b := make(belongings)
	listening := listeners()
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		at, err := os.Readlink(fd)
		switch {
		case err != nil: // it was the one that listed them
		case strings.HasPrefix(at, "socket:") && listening[at]:
			b["listening "+at] = true
		case strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "/proc/") && !strings.HasPrefix(at, "/dev/"), strings.HasPrefix(at, "/dev/shm/"):
			b[fmt.Sprintf("open file %s (fd %s)", at, filepath.Base(fd))] = true
		}
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // of a thread that has ended there are none
		for _, child := range strings.Fields(string(children)) {
			b["child process "+child+" "+commandOf(child)] = true
		}
	}
	return b
}

// besides are those that others lack.
func (b belongings) besides(others belongings) (left []string) {
	for thing := range b {
		if !others[thing] {
			left = append(left, thing)
		}
	}
	return left
}

// listeners are the sockets that listen, by the name that a link to them has.
func listeners() map[string]bool {
	const state, inode, listen = 3, 9, "0A"
	found := make(map[string]bool)
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		lines, _ := os.ReadFile(table)
		for line := range strings.Lines(string(lines)) {
			if fields := strings.Fields(line); len(fields) > inode && fields[state] == listen {
				found["socket:["+fields[inode]+"]"] = true
			}
		}
	}
	return found
}

func commandOf(process string) string {
	line, err := os.ReadFile(filepath.Join("/proc", process, "cmdline"))
	if err != nil {
		return "(gone)"
	}
	return strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
}
