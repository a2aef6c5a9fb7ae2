package agent

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Launch runs a function on one OS thread that lives longer than the agent.
type Launch func(func() error) error

func launchAgent(launch Launch) (*Agent, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "agent")
	defer theirs.Close() // nothing was written
	c, err := newChannel(os.NewFile(uintptr(pair[0]), "host"))
	if err != nil {
		return nil, err
	}
	memory, err := unix.MemfdCreate("agent", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("memfd_create", err), c.close())
	}
	said := os.NewFile(uintptr(memory), "agent")
	a := &Agent{
		channel: c, said: said, gone: make(chan struct{}),
		waiting: map[uint64]chan<- answer{}, programs: map[int]chan syscall.WaitStatus{},
	}
	a.command = &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{os.Args[0], "agent of a host"},
		Env:    []string{variable + "=1", "GOMAXPROCS=2", "GOTRACEBACK=single"},
		Stderr: said, ExtraFiles: []*os.File{theirs}, SysProcAttr: namespaces(),
	}
	if err := launch(a.command.Start); err != nil {
		return nil, errors.Join(fmt.Errorf("start its agent: %w", err), c.close(), said.Close())
	}
	a.work.Go(a.listen)
	a.work.Go(a.await)
	return a, nil
}

// namespaces returns the attributes of an agent's process. A process with the privilege to make namespaces needs no user
// namespace; any other is root in one of its own.
func namespaces() *syscall.SysProcAttr {
	const all = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC
	attributes := &syscall.SysProcAttr{Cloneflags: all, Pdeathsig: syscall.SIGKILL, Setsid: true}
	if !privileged() {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attributes
}

// privileged returns whether this process has the capabilities that an agent needs.
func privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	const needed = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW
	return data[0].Effective&needed == needed
}
