package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

// command is the command whose progress is shown.
type command struct {
	args    []string
	dir     string
	in      *os.File
	environ []string
}

const (
	// look is how often events are read and the line is drawn.
	look = 200 * time.Millisecond
	// rest is how long output is awaited after the command has ended: something that it left behind may hold its end.
	rest = 2 * time.Second
)

// show runs the command, and returns its exit code.
func (c command) show(s *screen, now func() time.Time) (code int, err error) {
	own, err := os.MkdirTemp("", "live-")
	if err != nil {
		return notFound, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(own)) }()
	path := filepath.Join(own, "progress")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return notFound, err
	}
	events, err := os.Open(path)
	if err != nil {
		return notFound, err
	}
	defer func() { err = errors.Join(err, events.Close()) }()
	last := loadTimes(c.times())
	shown := newState(now(), last)

	cmd := exec.Command(c.args[0], c.args[1:]...) //nolint:noctx // signals end it
	cmd.Dir, cmd.Stdin, cmd.WaitDelay = c.dir, c.in, rest
	cmd.Stdout, cmd.Stderr = s.stdout(), s.stderr()
	cmd.Env = append(progress.Without(c.environ), progress.Variable+"="+path)
	if !s.color {
		cmd.Env = append(cmd.Env, "GINKGO_NO_COLOR=TRUE") // Ginkgo does not know NO_COLOR
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return notFound, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	follow := reader{from: events}
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		s.show(shown.line(now()), now())
		select {
		case <-ticks.C:
			err = errors.Join(err, follow.read(shown, now()))
		case sent := <-signals:
			c.pass(cmd, sent)
		case failed := <-ended:
			err = errors.Join(err, s.end(), follow.read(shown, now()), saveTimes(c.times(), last, shown))
			if exit := (*exec.ExitError)(nil); failed != nil && !errors.As(failed, &exit) && !errors.Is(failed, exec.ErrWaitDelay) {
				return notFound, errors.Join(failed, err)
			}
			return codeOf(cmd.ProcessState), err
		}
	}
}

// pass passes a signal on to the command, unless the terminal has sent it to the command too: Ctrl-C twice ends Ginkgo
// without its clean-up.
func (c command) pass(cmd *exec.Cmd, sent os.Signal) {
	if sent != syscall.SIGTERM && term.IsTerminal(int(c.in.Fd())) {
		return
	}
	_ = cmd.Process.Signal(sent) // it may just have ended
}

// codeOf is the exit code of the process, or, as shells have it, 128 and the signal that ended it.
func codeOf(state *os.ProcessState) int {
	if status, is := state.Sys().(syscall.WaitStatus); is && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// reader reads events from a file that grows.
type reader struct {
	from io.Reader
	half []byte // of a line that is not yet complete
}

func (r *reader) read(into *state, now time.Time) error {
	more, err := io.ReadAll(r.from)
	if err != nil {
		return fmt.Errorf("read how far the command is: %w", err)
	}
	r.half = append(r.half, more...)
	for {
		line, after, whole := cutLine(r.half)
		if !whole {
			return nil
		}
		r.half = after
		e, err := progress.Decode(line)
		if err != nil {
			return err
		}
		into.add(e, now)
	}
}
