package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// init takes over a program that was started as an agent. It never returns there.
func init() {
	if os.Getenv(variable) == "" {
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "the agent of a host:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// host is the agent's state.
type host struct {
	channel *channel

	mu      sync.Mutex
	changed *sync.Cond
	idle    bool // no process is left but the agent
	frozen  bool
	killing bool
	running map[int]bool // programs that were started and not reaped
}

// operation does what a request asks for. The answer is encoded as JSON; its descriptors are closed after they were sent.
type operation func(h *host, request json.RawMessage, files []int) (answer any, passed []int, err error)

// operations are all that an agent does, by name.
var operations = map[string]operation{
	opMake:   (*host).make,
	opSignal: (*host).signal,
	opFreeze: (*host).freeze,
	opThaw:   (*host).thaw,
	opKill:   (*host).kill,
	opSocket: (*host).socket,
	opList:   (*host).list,

	opMountDisk:   (*host).mountDisk,
	opUnmountDisk: (*host).unmountDisk,
}

// serve answers requests until the harness' end of the socket closes.
func serve() error {
	// The kernel delivers no signal to PID 1 from its own namespace unless it has a handler. The runtime has handlers that
	// end the program, so `kill 1` on the host would end the host. Notify replaces them, and a child gets the default again,
	// as it would not after Ignore.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGILL,
		syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS)
	c, err := newChannel(os.NewFile(3, "harness"))
	if err != nil {
		return err
	}
	h := &host{channel: c, idle: true, running: map[int]bool{}}
	h.changed = sync.NewCond(&h.mu)
	go h.reap()
	for {
		m, files, err := c.receive()
		if err != nil {
			return nil // the harness is gone; the kernel removes the rest
		}
		go h.handle(m, files)
	}
}

func (h *host) handle(m message, files []int) {
	defer closeAll(files)
	answer := message{ID: m.ID, Op: m.Op}
	if m.Op == opStart {
		if err := h.start(m, files); err != nil {
			answer.Error = failure(err)
			h.answer(answer, nil, nil)
		}
		return
	}
	do := operations[m.Op]
	if do == nil {
		answer.Error = &Failure{Text: fmt.Sprintf("the agent cannot %s", m.Op), Errno: syscall.ENOSYS}
		h.answer(answer, nil, nil)
		return
	}
	body, passed, err := do(h, m.Body, files)
	if err != nil {
		answer.Error = failure(err)
	}
	h.answer(answer, body, passed)
}

func (h *host) answer(m message, body any, passed []int) {
	defer closeAll(passed)
	if err := h.channel.send(m, body, passed...); err != nil {
		_ = h.channel.close() // serve returns
	}
}

func failure(err error) *Failure {
	f := &Failure{Text: err.Error()}
	errors.As(err, &f.Errno)
	return f
}
