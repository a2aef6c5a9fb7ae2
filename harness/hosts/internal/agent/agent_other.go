//go:build !linux

package agent

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// Agent is the harness' end of a host, of which there is none on this system.
type Agent struct{}

// Launch runs a function on one OS thread that lives longer than the agent.
type Launch func(func() error) error

// Running is a program that was started.
type Running struct {
	Inside, Outside int
	Ended           <-chan syscall.WaitStatus
}

var errSystem = errors.New("hosts need Linux")

// ErrGone is the error of a host whose agent has ended.
var ErrGone = errSystem

// New returns an error.
func New(context.Context, Launch, Spec) (*Agent, Made, int, error) {
	return nil, Made{}, -1, errSystem
}

// Call returns an error, as do all other methods.
func (*Agent) Call(context.Context, string, any, any, ...int) ([]int, error) { return nil, errSystem }

func (*Agent) Start(context.Context, Program, int, ...int) (Running, error) {
	return Running{}, errSystem
}
func (*Agent) Signal(context.Context, int, syscall.Signal) error { return errSystem }
func (*Agent) Freeze(context.Context) error                      { return errSystem }
func (*Agent) Thaw(context.Context) error                        { return errSystem }
func (*Agent) Kill(context.Context) error                        { return errSystem }
func (*Agent) Processes(context.Context) ([]string, error)       { return nil, errSystem }
func (*Agent) MountDisk(context.Context, string) (*os.File, error) {
	return nil, errSystem
}
func (*Agent) UnmountDisk(context.Context, string) error { return errSystem }
func (*Agent) Socket(context.Context) (int, error)       { return -1, errSystem }
func (*Agent) Close() error                              { return errSystem }
