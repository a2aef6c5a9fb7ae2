package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Running is a program that was started.
type Running struct {
	Inside  int                       // its process number on the host
	Outside int                       // its process number here
	Ended   <-chan syscall.WaitStatus // gives its status once, when it has ended
}

// Start starts a program that writes to the descriptor output, with further files of its own: its standard input first, if
// p.Input says so. The context is looked at once, before.
func (a *Agent) Start(ctx context.Context, p Program, output int, own ...int) (Running, error) {
	if ctx.Err() != nil {
		return Running{}, context.Cause(ctx)
	}
	got, err := a.call(context.WithoutCancel(ctx), opStart, p, append([]int{output}, own...)...)
	if err != nil {
		return Running{}, err
	}
	defer closeAll(got.files)
	var s started
	if err := json.Unmarshal(got.Body, &s); err != nil {
		return Running{}, err
	}
	return Running{Inside: s.PID, Outside: processOf(got.files), Ended: got.ended}, nil
}

// processOf returns the process of a pidfd, by its number in this process' /proc; -1 if it has ended, or is not to be found.
func processOf(files []int) int {
	if len(files) != 1 {
		return -1
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", files[0]))
	if err != nil {
		return -1
	}
	_, rest, _ := strings.Cut(string(text), "\nPid:")
	line, _, _ := strings.Cut(rest, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return -1
	}
	return pid
}
