package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/process/child"
)

// life is one process of a node.
type life struct {
	body     body
	lifeline *os.File // write end of its stdin, whose end makes it leave
	ready    *os.File
	control  *child.Client
	log      string
	from     int64 // offset in the log at which it begins

	done chan struct{} // closed when the process has ended; exit and left are valid from then on
	exit error         // nil for exit code 0
	left error         // not nil if it has left processes behind
}

// start starts a process, which then waits for its configuration. The caller must call watch.
func (c *Cluster) start(ctx context.Context, n *node) (*life, error) {
	var pipes []*os.File // files of the child, closed here
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
	body, err := n.home.start(ctx, program{
		path: c.binaryOf(n), environment: c.options.environment(n.id), stdin: stdin, output: log, ready: said,
	})
	if err != nil {
		return nil, errors.Join(err, lifeline.Close(), ready.Close())
	}
	return &life{
		body: body, lifeline: lifeline, ready: ready, log: n.log, from: info.Size(), done: make(chan struct{}),
		control: child.NewClient(n.id, n.socket, c.options.Nodes.Token),
	}, nil
}

// watch waits for the end of the process, and calls ended before it closes done.
func (l *life) watch(ended func(*life)) {
	l.exit, l.left = l.body.wait()
	l.control.Close()
	_ = l.lifeline.Close()
	_ = l.ready.Close()
	ended(l)
	close(l.done)
}

// introduce sends the configuration to the process, and returns when it serves.
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
		return l.endError()
	}
	return err
}

// kill kills the process, and waits for its end.
func (l *life) kill(ctx context.Context) error {
	if err := l.body.kill(ctx); err != nil {
		return err
	}
	return l.await(ctx)
}

// crash kills the process, waits for its end, and its disk loses what it lied about.
func (l *life) crash(ctx context.Context) error {
	if err := l.body.crash(ctx); err != nil {
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

// hasEnded reports whether the process ends within a second: its connections may break before its end is known.
func (l *life) hasEnded(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return l.await(ctx) == nil
}

// shownLog is the maximum number of log bytes in an error.
const shownLog = 2 << 10

// endError describes how the process has ended.
func (l *life) endError() error {
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
