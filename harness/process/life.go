package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/process/child"
)

// life is one process of a node, from its start to its end.
type life struct {
	node     string
	cmd      *exec.Cmd
	lifeline *os.File // its stdin, open for as long as it is to live
	ready    *os.File
	control  *child.Client
	log      string
	from     int64 // where in the log it begins

	done chan struct{} // closed when the process has ended; what follows is not known before
	exit error         // nil for exit code 0
	left error         // what is left of it all the same
}

// start starts a process, which then waits to be told who it is. Its watch must
// follow.
func (c *Cluster) start(n *node) (*life, error) {
	var pipes []*os.File // what the child has of its own
	defer func() {
		for _, f := range pipes {
			_ = f.Close()
		}
	}()
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	pipes = append(pipes, log)
	info, err := log.Stat()
	if err != nil {
		return nil, err
	}
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	pipes = append(pipes, stdin)
	ready, said, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, lifeline.Close())
	}
	pipes = append(pipes, said)
	l := &life{
		node: n.id, lifeline: lifeline, ready: ready, log: n.log, from: info.Size(), done: make(chan struct{}),
		control: child.NewClient(n.id, n.socket, c.options.Nodes.Token),
		cmd: &exec.Cmd{
			Path: c.binary, Args: []string{"node"}, Env: environment(),
			Stdin: stdin, Stdout: log, Stderr: log, ExtraFiles: []*os.File{said},
			SysProcAttr: attributes(),
		},
	}
	if err := c.launcher.run(l.cmd.Start); err != nil {
		return nil, errors.Join(err, lifeline.Close(), ready.Close())
	}
	return l, nil
}

// environment is this process's, in which glibc's malloc gives large blocks back when they
// are freed: SQLite takes and frees blocks as large as rows, and glibc otherwise keeps
// them, once for each of many arenas (mallopt(3)). What is set already counts instead.
func environment() []string {
	return append([]string{"MALLOC_MMAP_THRESHOLD_=1048576", "MALLOC_ARENA_MAX=2"}, os.Environ()...)
}

// watch waits for the end of the process, and calls ended before it says so to
// others.
func (l *life) watch(ended func(*life)) {
	l.exit = l.cmd.Wait()
	l.left = l.lookForRest()
	l.control.Close()
	_ = l.lifeline.Close()
	_ = l.ready.Close()
	ended(l)
	close(l.done)
}

// introduce tells the process who it is, and returns when it serves.
func (l *life) introduce(ctx context.Context, config child.Config) error {
	defer l.ready.Close()
	document, err := json.Marshal(config)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.lifeline.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err = l.lifeline.Write(document); err == nil {
		err = child.AwaitReady(ctx, l.ready)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("wait until it serves: %w", context.Cause(ctx))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed):
		<-l.done
		return l.obituary()
	}
	return err
}

// kill ends the process between two instructions, and waits for its end.
func (l *life) kill(ctx context.Context) error {
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return l.await(ctx)
}

func (l *life) await(ctx context.Context) error {
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hasEnded tells whether the process ends within a moment, in which its
// connections may have broken before the news of its end came.
func (l *life) hasEnded(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return l.await(ctx) == nil
}

// shownLog is how much of a log an error shows, in bytes.
const shownLog = 2 << 10

// obituary says how the process ended, when it has.
func (l *life) obituary() error {
	how := errors.New("exit status 0")
	if l.exit != nil {
		how = l.exit
	}
	said, err := tail(l.log, l.from, shownLog)
	switch {
	case err != nil:
		return fmt.Errorf("its process ended: %w (its log cannot be read: %w)", how, err)
	case strings.TrimSpace(said) == "":
		return fmt.Errorf("its process ended: %w (its log is empty)", how)
	}
	return fmt.Errorf("its process ended: %w; its log ends:\n%s", how, strings.TrimSpace(said))
}

// lookForRest returns nil if nothing is left of the process's group.
func (l *life) lookForRest() error {
	group := l.cmd.Process.Pid
	switch err := syscall.Kill(-group, 0); {
	case err == nil:
		return fmt.Errorf("node %s has left processes behind, of group %d", l.node, group)
	case !errors.Is(err, syscall.ESRCH):
		return fmt.Errorf("look for what is left of node %s, of group %d: %w", l.node, group, err)
	}
	return nil
}
