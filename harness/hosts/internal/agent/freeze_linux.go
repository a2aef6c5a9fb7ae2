package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// freeze stops every process, and returns when all of their threads have stopped. No program starts until thaw or kill.
func (h *host) freeze(json.RawMessage, []int) (any, []int, error) {
	h.mu.Lock()
	h.frozen = true
	h.mu.Unlock()
	tick := time.NewTicker(300 * time.Microsecond)
	defer tick.Stop()
	begun := time.Now()
	for {
		h.mu.Lock()
		frozen := h.frozen
		var err error
		if frozen {
			// Again each time: a process that had not stopped yet may have continued another one.
			err = syscall.Kill(-1, syscall.SIGSTOP)
		}
		h.mu.Unlock()
		switch {
		case !frozen:
			return nil, nil, errors.New("the host was thawed or killed meanwhile")
		case errors.Is(err, syscall.ESRCH):
			return nil, nil, nil
		case err != nil:
			return nil, nil, err
		}
		stopped, err := allStopped(time.Since(begun) > patience)
		if stopped || err != nil {
			return nil, nil, err
		}
		<-tick.C
	}
}

// patience is how long a thread may finish what the kernel does for it without being interrupted, such as a write to a disk.
// Later it counts as stopped: it returns to its program only after the thaw.
const patience = 100 * time.Millisecond

// thaw lets every process go on.
func (h *host) thaw(json.RawMessage, []int) (any, []int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.frozen = false
	if err := syscall.Kill(-1, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, nil, err
	}
	return nil, nil, nil
}

// allStopped returns whether every thread on the host, but for the agent's, has stopped. With uninterrupted, those in an
// uninterruptible wait have too.
func allStopped(uninterrupted bool) (bool, error) {
	processes, err := ownProcesses()
	if err != nil {
		return false, err
	}
	var waiting []int         // processes with a thread in an uninterruptible wait
	stopped := map[int]bool{} // parents of stopped processes
	for _, pid := range processes {
		dir := filepath.Join("/proc", strconv.Itoa(pid), "task")
		threads, err := os.ReadDir(dir)
		if err != nil {
			continue // it has ended
		}
		for _, thread := range threads {
			state, parent, err := stat(filepath.Join(dir, thread.Name(), "stat"))
			switch {
			case err != nil:
			case state == 'T' || state == 't':
				stopped[parent] = true
			case state == 'Z' || state == 'X' || state == 'D' && uninterrupted:
			case state == 'D':
				waiting = append(waiting, pid)
			default:
				return false, nil
			}
		}
	}
	// A thread in vfork waits for its child, which has stopped before its exec. It runs nothing until then.
	for _, pid := range waiting {
		if !stopped[pid] {
			return false, nil
		}
	}
	return true, nil
}

// stat returns the state of a thread, and the parent of its process.
func stat(path string) (state byte, parent int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	// pid (name) state parent …, in which the name may have any character
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, fs.ErrInvalid
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent, err
}

// list returns the names of the programs that run, after a kill that is in progress.
func (h *host) list(json.RawMessage, []int) (any, []int, error) {
	h.mu.Lock()
	for h.killing {
		h.changed.Wait()
	}
	h.mu.Unlock()
	processes, err := ownProcesses()
	if err != nil {
		return nil, nil, err
	}
	names := []string{}
	for _, pid := range processes {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		state, _, err := stat(filepath.Join(dir, "stat"))
		if err != nil || state == 'Z' || state == 'X' {
			continue // it has ended
		}
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err == nil {
			names = append(names, string(bytes.TrimSpace(name)))
		}
	}
	return names, nil, nil
}

// ownProcesses returns the processes on the host without the agent, by their numbers in /proc. That may be the /proc of an
// outer PID namespace, where the host was not allowed to mount its own.
func ownProcesses() ([]int, error) {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return nil, err
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || entry.Name() == self {
			continue
		}
		if self != "1" { // the outer /proc
			if in, err := os.Readlink(filepath.Join("/proc", entry.Name(), "ns/pid")); err != nil || in != namespace {
				continue
			}
		}
		found = append(found, pid)
	}
	return found, nil
}
