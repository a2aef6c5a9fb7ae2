// Package held lists what this process holds: open files, listening sockets and child processes. It serves to check that
// something left nothing behind.
package held

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Resources are the open files, listening sockets and child processes of this process, and theirs, each in words.
type Resources map[string]bool

// Now returns what this process holds. It is empty on a system without /proc. Where /proc exists and cannot be read, that is
// an error: leaks would not be seen.
func Now() (Resources, error) {
	held := make(Resources)
	fds, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, fs.ErrNotExist) {
		return held, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the open files: %w", err)
	}
	for _, fd := range fds {
		if err := held.add(fd.Name()); err != nil {
			return nil, err
		}
	}
	all, err := descendants("self")
	if err != nil {
		return nil, fmt.Errorf("list the child processes: %w", err)
	}
	for _, child := range all {
		held["child process "+child+" "+commandOf(child)] = true
	}
	return held, nil
}

// add adds what the descriptor is of, if that counts.
func (r Resources) add(fd string) error {
	at, err := os.Readlink(filepath.Join("/proc/self/fd", fd))
	switch {
	case errors.Is(err, fs.ErrNotExist): // it was closed in the meantime
	case err != nil:
		return fmt.Errorf("read the name of an open file: %w", err)
	case strings.HasPrefix(at, "socket:"):
		is, err := listens(fd)
		if err != nil {
			return err
		}
		if is {
			r["listening "+at] = true
		}
	case strings.HasPrefix(at, "/dev/shm/"),
		strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "/proc/") && !strings.HasPrefix(at, "/dev/"):
		r[fmt.Sprintf("open file %s (fd %s)", at, fd)] = true
	}
	return nil
}

// Without returns those that others lack, in order.
func (r Resources) Without(others Resources) (left []string) {
	for thing := range r {
		if !others[thing] {
			left = append(left, thing)
		}
	}
	slices.Sort(left)
	return left
}

// descendants returns the child processes of a process, and theirs: those of a host's agent are all that runs on the host.
func descendants(of string) (all []string, err error) {
	threads, err := os.ReadDir(filepath.Join("/proc", of, "task"))
	if err != nil {
		return nil, unlessEnded(err)
	}
	for _, thread := range threads {
		found, err := os.ReadFile(filepath.Join("/proc", of, "task", thread.Name(), "children"))
		if err := unlessEnded(err); err != nil {
			return nil, err
		}
		for _, child := range strings.Fields(string(found)) {
			theirs, err := descendants(child)
			if err != nil {
				return nil, err
			}
			all = append(append(all, child), theirs...)
		}
	}
	return all, nil
}

// unlessEnded returns the error, or nil if it means that a process or a thread has ended: then it has no children.
func unlessEnded(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

func commandOf(process string) string {
	line, err := os.ReadFile(filepath.Join("/proc", process, "cmdline"))
	if err != nil {
		return "(gone)"
	}
	return strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
}
