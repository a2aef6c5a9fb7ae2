package hosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/agent"
)

// Command is a program to start.
type Command struct {
	// Path is the program: a path, or a name that this process' PATH has.
	Path string
	// Args are its arguments, without the name.
	Args []string
	// Env is its environment as KEY=value. nil is that of this process.
	Env []string
	// Dir is where it starts. "" is the host's Dir.
	Dir string
	// Ordinary makes the program run as user 65534, which most systems call nobody, in a user namespace of its own, for programs
	// that refuse to run as root. The files of this process' user are its own files there. Otherwise the program is root on the
	// host.
	Ordinary bool
	// Input is its standard input. nil is an empty one. The caller keeps it.
	Input *os.File
	// Files are its further open files, with the descriptors 3, 4 and so on. The caller keeps them.
	Files []*os.File
	// Output gets what it and its children write to standard output and standard error. They write to an *os.File by
	// themselves; to any other, one goroutine of this process does. nil is the host's log.
	Output io.Writer
}

// Exit is how a program ended.
type Exit struct {
	// Code is its exit code; -1 if a signal ended it.
	Code int
	// Signal is the signal that ended it, or 0. Programs that end because their host is killed or closed get SIGKILL.
	Signal syscall.Signal
}

// String is the end in words.
func (e Exit) String() string {
	if e.Signal != 0 {
		return "ended by " + e.Signal.String()
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// Process is a program that was started. Its methods are safe for concurrent use.
type Process struct {
	host   *Host
	agent  *agent.Agent
	path   string
	inside int
	pid    int
	done   chan struct{}
	exit   Exit // set before done is closed
}

// Start starts a program, and returns when its executable file runs. It has its own session, and is not a child of this process.
func (h *Host) Start(ctx context.Context, c Command) (*Process, error) {
	p, err := h.start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("start %s on host %s: %w", c.Path, h.name, err)
	}
	return p, nil
}

func (h *Host) start(ctx context.Context, c Command) (*Process, error) {
	path, err := exec.LookPath(c.Path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, err
	}
	program := agent.Program{Path: path, Args: append([]string{c.Path}, c.Args...), Env: c.Env, Dir: c.Dir, Ordinary: c.Ordinary}
	if c.Env == nil {
		program.Env = os.Environ()
	}
	if c.Dir == "" {
		program.Dir = h.dir
	}
	env, unaffected, err := h.clock.environment(path, program.Env)
	if err != nil {
		return nil, err
	}
	program.Env = env
	if err := h.powerOn(); err != nil {
		return nil, err
	}
	a, err := h.current()
	if err != nil {
		return nil, err
	}
	out, err := h.output(c.Output)
	if err != nil {
		return nil, err
	}
	files := c.descriptors(&program)
	running, err := a.Start(ctx, program, out.descriptor(), files...)
	runtime.KeepAlive(c)
	if err := errors.Join(err, out.started(err == nil)); err != nil {
		return nil, err
	}
	p := &Process{host: h, agent: a, path: c.Path, inside: running.Inside, pid: running.Outside, done: make(chan struct{})}
	h.clock.started(p, unaffected)
	h.network.work.Go(func() {
		status := <-running.Ended
		out.ended()
		p.exit = Exit{Code: status.ExitStatus()}
		if status.Signaled() {
			p.exit = Exit{Code: -1, Signal: status.Signal()}
		}
		close(p.done)
	})
	return p, nil
}

// descriptors returns those of the command's own files, and tells the program what they are.
func (c Command) descriptors(p *agent.Program) (all []int) {
	files := c.Files
	if p.Input = c.Input != nil; p.Input {
		files = append([]*os.File{c.Input}, files...)
	}
	for _, f := range files {
		all = append(all, int(f.Fd()))
	}
	return all
}

// Signal sends a signal to the program alone, not to its children. It returns os.ErrProcessDone when the program has ended.
func (p *Process) Signal(s os.Signal) error {
	number, ok := s.(syscall.Signal)
	if !ok {
		return fmt.Errorf("send %v to %s on host %s: not a signal of this system", s, p.path, p.host.name)
	}
	err := p.agent.Signal(context.Background(), p.inside, number)
	if err == nil {
		return nil
	}
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
	}
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return fmt.Errorf("send %v to %s on host %s: %w", s, p.path, p.host.name, err)
}

// Done is closed when the program has ended and all that it wrote has reached its output. Its children may go on.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait blocks until Done, and returns how the program ended.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return Exit{}, fmt.Errorf("wait for %s on host %s: %w", p.path, p.host.name, context.Cause(ctx))
	}
}

// Pid returns the program's process number in this process' view; -1 if it had ended before Start returned, or
// if this process' /proc does not tell.
func (p *Process) Pid() int { return p.pid }
