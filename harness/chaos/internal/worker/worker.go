// Package worker runs requests in a process of their own, which may die of a panic.
package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Worker sends requests to a process that calls Serve, and starts another process after one has died. It
// is for one goroutine at a time.
type Worker[Request, Reply any] struct {
	command func() *exec.Cmd
	process *process // nil while there is none
}

type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
}

// New returns a worker whose processes are made by command. Close must follow.
func New[Request, Reply any](command func() *exec.Cmd) *Worker[Request, Reply] {
	return &Worker[Request, Reply]{command: command}
}

// DiedError is returned if the process ended before it had replied.
type DiedError struct {
	Err  error  // how it ended
	Said string // the beginning of its panic, or the end of its standard error
}

func (e *DiedError) Error() string {
	return fmt.Sprintf("the process of the nodes died (%v): %s", e.Err, e.Said)
}

func (e *DiedError) Unwrap() error { return e.Err }

// Ask sends a request, and gives each reply to take, until take returns true for the last one. It blocks
// until then. If the process ends first the error is a *DiedError. If ctx ends first, the process is
// ended.
func (w *Worker[Request, Reply]) Ask(ctx context.Context, r Request, take func(Reply) (last bool)) error {
	if err := w.start(); err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	p := w.process
	answered := make(chan error, 1)
	go func() { answered <- ask(p, r, take) }()
	select {
	case err := <-answered:
		if err == nil {
			return nil
		}
		err = errors.Join(err, w.Close())
		return &DiedError{err, p.stderr.end()}
	case <-ctx.Done():
		err := w.Close()
		unanswered := <-answered // the process has ended
		return errors.Join(fmt.Errorf("interrupted: %w", context.Cause(ctx)), err, unanswered)
	}
}

func ask[Request, Reply any](p *process, r Request, take func(Reply) bool) error {
	if err := json.NewEncoder(p.in).Encode(r); err != nil {
		return err
	}
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			return err
		}
		var reply Reply
		if err := json.Unmarshal(line, &reply); err != nil {
			return fmt.Errorf("read a reply: %w", err)
		}
		if take(reply) {
			return nil
		}
	}
}

func (w *Worker[Request, Reply]) start() error {
	if w.process != nil {
		return nil
	}
	p := &process{cmd: w.command(), stderr: &tail{}}
	p.cmd.Stderr = p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.in, p.out = in, bufio.NewReader(out)
	w.process = p
	return nil
}

// grace is how long a process may clean up before it is killed.
const grace = 20 * time.Second

// Close ends the process, if there is one, and blocks until it has ended: for 20 seconds at most.
func (w *Worker[Request, Reply]) Close() error {
	p := w.process
	if p == nil {
		return nil
	}
	w.process = nil
	_ = p.in.Close() // the sign to end
	late := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}
