package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// Agent is the harness' end of a host. Its methods are safe for concurrent use. Each blocks until the host has answered, or
// until its context ends; the host then goes on with it.
type Agent struct {
	channel *channel
	command *exec.Cmd
	said    *os.File      // what the agent wrote to its standard error
	gone    chan struct{} // closed when the agent and every process on the host have ended
	work    sync.WaitGroup
	ending  sync.Once
	failed  error // of Close

	mu       sync.Mutex
	closed   bool
	last     uint64
	waiting  map[uint64]chan<- answer
	programs map[int]chan syscall.WaitStatus
}

type answer struct {
	message
	files []int
	ended <-chan syscall.WaitStatus // of the program that was started
}

// ErrGone is the error of a host whose agent has ended, and with it every process.
var ErrGone = errors.New("the host is closed")

// New makes a host, and returns the descriptor of its network device.
func New(ctx context.Context, launch Launch, spec Spec) (*Agent, Made, int, error) {
	a, err := launchAgent(launch)
	if err != nil {
		return nil, Made{}, -1, err
	}
	var made Made
	files, err := a.Call(ctx, opMake, spec, &made)
	if err == nil && len(files) != 1 {
		err = errors.New("its network device is missing")
	}
	if err != nil {
		closeAll(files)
		return nil, made, -1, errors.Join(err, a.Close())
	}
	return a, made, files[0], nil
}

// listen hands out what the host sends.
func (a *Agent) listen() {
	defer a.channel.drop()
	for {
		m, files, err := a.channel.receive()
		if err != nil {
			_ = a.command.Process.Kill() // without its socket a host cannot be closed
			return
		}
		a.mu.Lock()
		if m.ID == 0 {
			var e exited
			if json.Unmarshal(m.Body, &e) == nil && a.programs[e.PID] != nil {
				a.programs[e.PID] <- syscall.WaitStatus(e.Status)
				delete(a.programs, e.PID)
			}
			a.mu.Unlock()
			continue
		}
		got := answer{message: m, files: files}
		if m.Op == opStart && m.Error == nil {
			var s started
			if json.Unmarshal(m.Body, &s) == nil {
				ended := make(chan syscall.WaitStatus, 1)
				a.programs[s.PID], got.ended = ended, ended
			}
		}
		to := a.waiting[m.ID]
		delete(a.waiting, m.ID)
		a.mu.Unlock()
		if to == nil {
			closeAll(files)
			continue
		}
		to <- got
	}
}

// await waits until the agent has ended. PID 1 ends after every other process of its namespace.
func (a *Agent) await() {
	_ = a.command.Wait() // it was killed
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	close(a.gone)
	for pid, ended := range a.programs {
		ended <- syscall.WaitStatus(syscall.SIGKILL)
		delete(a.programs, pid)
	}
}

// Call runs an operation on the host, with descriptors, and returns the descriptors of its answer, which the caller owns.
// reply is nil or where the answer is decoded to.
func (a *Agent) Call(ctx context.Context, operation string, request, reply any, files ...int) ([]int, error) {
	got, err := a.call(ctx, operation, request, files...)
	if err == nil && reply != nil {
		if err = json.Unmarshal(got.Body, reply); err != nil {
			closeAll(got.files)
		}
	}
	if err != nil {
		return nil, err
	}
	return got.files, nil
}

func (a *Agent) call(ctx context.Context, operation string, request any, files ...int) (answer, error) {
	to := make(chan answer, 1)
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return answer{}, a.lastWords()
	}
	a.last++
	id := a.last
	a.waiting[id] = to
	a.mu.Unlock()

	if err := a.channel.send(message{ID: id, Op: operation}, request, files...); err != nil {
		a.forget(id, to)
		select {
		case <-a.gone:
			err = a.lastWords()
		default:
		}
		return answer{}, err
	}
	select {
	case got := <-to:
		return checked(got)
	case <-ctx.Done():
		a.forget(id, to)
		return answer{}, fmt.Errorf("wait for the host to %s: %w", operation, context.Cause(ctx))
	case <-a.gone:
		select {
		case got := <-to: // both were ready
			return checked(got)
		default:
			a.forget(id, to)
			return answer{}, a.lastWords()
		}
	}
}

// checked returns the answer, or its error.
func checked(got answer) (answer, error) {
	if got.Error != nil {
		closeAll(got.files)
		return answer{}, got.Error
	}
	return got, nil
}

// forget gives up on an answer, and closes its descriptors if it is there already.
func (a *Agent) forget(id uint64, to <-chan answer) {
	a.mu.Lock()
	_, outstanding := a.waiting[id]
	delete(a.waiting, id)
	a.mu.Unlock()
	if !outstanding {
		select {
		case got := <-to:
			closeAll(got.files)
		case <-a.gone:
		}
	}
}

// lastWords is ErrGone with what the agent wrote before it died.
func (a *Agent) lastWords() error {
	text := make([]byte, 4<<10)
	n, _ := a.said.ReadAt(text, 0) // fails after Close
	if words := strings.TrimSpace(string(text[:n])); words != "" {
		return fmt.Errorf("%w: its agent said: %s", ErrGone, words)
	}
	return ErrGone
}

// Signal signals a program that was started. It returns ESRCH when the program has ended.
func (a *Agent) Signal(ctx context.Context, pid int, s syscall.Signal) error {
	_, err := a.Call(ctx, opSignal, signalled{pid, s}, nil)
	return err
}

// Freeze stops every process, and returns when all threads have stopped.
func (a *Agent) Freeze(ctx context.Context) error { return a.do(ctx, opFreeze) }

// Thaw lets every process go on.
func (a *Agent) Thaw(ctx context.Context) error { return a.do(ctx, opThaw) }

// Kill kills every process on the host, and returns when none is left.
func (a *Agent) Kill(ctx context.Context) error { return a.do(ctx, opKill) }

// Processes returns the names of the programs that run on the host.
func (a *Agent) Processes(ctx context.Context) (names []string, err error) {
	_, err = a.Call(ctx, opList, nil, &names)
	return names, err
}

func (a *Agent) do(ctx context.Context, operation string) error {
	_, err := a.Call(ctx, operation, nil, nil)
	return err
}

// Socket returns a TCP socket on the host that does not block.
func (a *Agent) Socket(ctx context.Context) (int, error) {
	files, err := a.Call(ctx, opSocket, nil, nil)
	if err != nil {
		return -1, err
	}
	return files[0], nil
}

// Close kills the agent and with it every process on the host, and returns when none is left. A second Close also waits, and
// returns the same.
func (a *Agent) Close() error {
	a.ending.Do(func() {
		err := a.command.Process.Kill()
		if errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		err = errors.Join(err, a.channel.close())
		a.work.Wait()
		a.failed = errors.Join(err, a.said.Close())
	})
	return a.failed
}
