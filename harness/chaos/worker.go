package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Runner runs a schedule, and gives follow, unless it is nil, each event on the way.
type Runner func(ctx context.Context, s Schedule, follow func(journal.Event)) (*Outcome, error)

// Serve runs the schedules that it reads, one a line, and writes the outcome of
// each, one a line, until the reader ends. Events are written of failures, of schedules
// whose events are to be kept, and as they come of those that are to be followed. It is what a Worker's process
// does; the error is why it could not.
func Serve(ctx context.Context, in io.Reader, out io.Writer, run Runner) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	schedules := make(chan request)
	var bad error
	go func() {
		defer close(schedules)
		defer cancel() // nobody is there any more who wants the outcome
		for from := json.NewDecoder(in); ; {
			var s request
			if err := from.Decode(&s); err != nil {
				if err != io.EOF {
					bad = fmt.Errorf("read a schedule: %w", err)
				}
				return
			}
			schedules <- s
		}
	}()
	to := json.NewEncoder(out)
	for s := range schedules {
		var follow func(journal.Event)
		if s.Follow {
			follow = func(e journal.Event) { _ = to.Encode(reply{Event: &e}) } // nobody may be there any more
		}
		outcome, err := run(ctx, s.Schedule, follow)
		answer := reply{Outcome: outcome}
		if err != nil {
			answer.Err = err.Error()
		}
		if outcome != nil && (outcome.Failure == nil && !s.Keep || s.Follow) {
			outcome.Events = nil
		}
		if err := to.Encode(answer); err != nil && ctx.Err() == nil {
			return fmt.Errorf("write an outcome: %w", err)
		}
	}
	return bad
}

// request is what Serve reads.
type request struct {
	Schedule
	Follow bool `json:"follow,omitempty"`
	Keep   bool `json:"keep,omitempty"`
}

// reply is what Serve writes of one schedule: events, and then an outcome or an error.
type reply struct {
	Event   *journal.Event `json:"event,omitempty"`
	Outcome *Outcome       `json:"outcome,omitempty"`
	Err     string         `json:"error,omitempty"`
}

// Worker runs schedules in a process of its own, because a node that panics takes
// its process along: that then is the failure. It is for one user at a time.
type Worker struct {
	command func() *exec.Cmd
	life    *life // nil while there is no process
}

// life is one process.
type life struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
}

// NewWorker returns a worker whose processes are made by command; each must Serve
// on its standard input and output. Close must follow.
func NewWorker(command func() *exec.Cmd) *Worker { return &Worker{command: command} }

// Run runs a schedule. A process that dies meanwhile is a failure, with the end of
// what it said. If ctx ends first the process is asked to end, and waited for.
func (w *Worker) Run(ctx context.Context, s Schedule) (*Outcome, error) {
	return w.run(ctx, request{Schedule: s})
}

// Keep is Run, and the outcome has the events also of a schedule that passed.
func (w *Worker) Keep(ctx context.Context, s Schedule) (*Outcome, error) {
	return w.run(ctx, request{Schedule: s, Keep: true})
}

// Follow is Run, and slower: the outcome has the events also of a process that died.
func (w *Worker) Follow(ctx context.Context, s Schedule) (*Outcome, error) {
	return w.run(ctx, request{Schedule: s, Follow: true})
}

func (w *Worker) run(ctx context.Context, asked request) (*Outcome, error) {
	if err := w.begin(); err != nil {
		return nil, err
	}
	answered := make(chan struct{})
	var answer reply
	var events []journal.Event
	l := w.life
	var broken error
	go func() {
		defer close(answered)
		events, answer, broken = l.ask(asked)
	}()
	select {
	case <-answered:
	case <-ctx.Done():
		err := w.Close()
		<-answered
		return nil, errors.Join(fmt.Errorf("interrupted: %w", context.Cause(ctx)), err)
	}
	switch {
	case broken != nil:
		said := l.stderr
		err := w.Close()
		reason := fmt.Sprintf("the process of the nodes died (%v, %v): %s", broken, err, said.end())
		return &Outcome{Schedule: asked.Schedule, Failure: &Failure{Process, reason}, Events: events}, nil
	case answer.Err != "":
		return answer.Outcome, errors.New(answer.Err)
	case answer.Outcome == nil:
		return nil, errors.New("the worker answered without an outcome")
	}
	if asked.Follow {
		answer.Outcome.Events = events
	}
	return answer.Outcome, nil
}

// ask returns the events that came before the answer, or before the end.
func (l *life) ask(asked request) (events []journal.Event, answer reply, err error) {
	if err := json.NewEncoder(l.in).Encode(asked); err != nil {
		return nil, answer, err
	}
	for {
		line, err := l.out.ReadBytes('\n')
		if err != nil {
			return events, answer, err
		}
		answer = reply{}
		if err := json.Unmarshal(line, &answer); err != nil || answer.Event == nil {
			return events, answer, err
		}
		events = append(events, *answer.Event)
	}
}

func (w *Worker) begin() error {
	if w.life != nil {
		return nil
	}
	l := &life{cmd: w.command(), stderr: &tail{}}
	l.cmd.Stderr = l.stderr
	in, err := l.cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	if err := l.cmd.Start(); err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	l.in, l.out = in, bufio.NewReader(out)
	w.life = l
	return nil
}

// parting is how long a process has to clean up before it is killed.
const parting = 20 * time.Second

// Close ends the process, if there is one, and waits for it.
func (w *Worker) Close() error {
	l := w.life
	if l == nil {
		return nil
	}
	w.life = nil
	_ = l.in.Close() // the sign to end
	late := time.AfterFunc(parting, func() { _ = l.cmd.Process.Kill() })
	defer late.Stop()
	if err := l.cmd.Wait(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// tail keeps the beginning of the last panic of what is written, or else the end.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const longestTail = 64 << 10 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if cut := len(t.text) - longestTail; cut > 0 && !bytes.Contains(t.text[cut:], []byte("panic: ")) && !bytes.Contains(t.text, []byte("panic: ")) {
		t.text = t.text[cut:]
	}
	if len(t.text) > 2*longestTail {
		t.text = t.text[:2*longestTail]
	}
	return len(p), nil
}

// end is the last of it, a screen at most.
func (t *tail) end() string {
	const most = 30 // lines
	t.mu.Lock()
	defer t.mu.Unlock()
	text := string(t.text)
	if at := strings.Index(text, "panic: "); at >= 0 {
		lines := strings.Split(text[at:], "\n")
		return strings.Join(lines[:min(len(lines), most)], "\n")
	}
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(len(lines)-most, 0):], "\n")
}
