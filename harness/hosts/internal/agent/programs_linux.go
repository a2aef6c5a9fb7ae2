package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var (
	errFrozen  = errors.New("the host is frozen")
	errKilling = errors.New("the host is being killed")
)

// start starts a program, and answers while the process cannot be reaped: the answer has a descriptor of it. The first file is
// what the program writes to. The others are its own, from descriptor 3 on, after its standard input if it has one.
func (h *host) start(m message, files []int) error {
	var p Program
	if err := json.Unmarshal(m.Body, &p); err != nil {
		return err
	}
	if len(files) == 0 || p.Input && len(files) == 1 {
		return errors.New("a program needs files for its output and its input")
	}
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer closeAll([]int{null})
	input, own := null, files[1:]
	if p.Input {
		input, own = own[0], own[1:]
	}
	descriptors := []uintptr{uintptr(input), uintptr(files[0]), uintptr(files[0])}
	for _, f := range own {
		descriptors = append(descriptors, uintptr(f))
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.frozen:
		return errFrozen
	case h.killing:
		return errKilling
	}
	pid, err := syscall.ForkExec(p.Path, p.Args, &syscall.ProcAttr{
		Dir: p.Dir, Env: p.Env,
		Files: descriptors,
		Sys:   attributes(p.Ordinary),
	})
	if err != nil {
		return err
	}
	h.idle = false
	h.running[pid] = true
	h.changed.Broadcast()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return errors.Join(fmt.Errorf("open the process: %w", err), syscall.Kill(pid, syscall.SIGKILL))
	}
	h.answer(message{ID: m.ID, Op: m.Op}, started{pid}, []int{process})
	return nil
}

// ordinary is the user and the group of a program that is not root. The system has a name for it, which some programs want.
const ordinary = 65534

// attributes returns those of a program. An ordinary one is in a user namespace of its own, where the agent's user is another.
func attributes(isOrdinary bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setsid: true}
	if isOrdinary {
		a.Cloneflags = syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: ordinary, HostID: 0, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: ordinary, HostID: 0, Size: 1}}
	}
	return a
}

// reap reaps every process that ends on the host, and reports those that were started.
func (h *host) reap() {
	for {
		// The process stays in the table until the lock is held: no signal can reach a later process with its number.
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		h.mu.Lock()
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			h.idle = true
			h.changed.Broadcast()
			for h.idle {
				h.changed.Wait()
			}
		case err == nil && h.running[pid]:
			delete(h.running, pid)
			h.answer(message{Op: opExit}, exited{pid, uint32(status)}, nil)
		}
		h.mu.Unlock()
	}
}

// signal signals a program that was started, and none that has ended.
func (h *host) signal(request json.RawMessage, _ []int) (any, []int, error) {
	var s signalled
	if err := json.Unmarshal(request, &s); err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.running[s.PID] {
		return nil, nil, syscall.ESRCH
	}
	return nil, nil, syscall.Kill(s.PID, s.Signal)
}

// kill kills every process, and returns when none is left. A signal to all processes is atomic against fork: the kernel
// sends it under the lock that a fork needs, and a fork fails while a signal is pending.
func (h *host) kill(json.RawMessage, []int) (any, []int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.killing = true
	defer func() { h.killing = false; h.changed.Broadcast() }()
	if err := syscall.Kill(-1, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, nil, err
	}
	for !h.idle {
		h.changed.Wait()
	}
	h.frozen = false
	return nil, nil, nil
}
