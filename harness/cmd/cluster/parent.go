package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

// whileGoRuns returns a context that also ends when the go command that runs this program (go run) ends. The go
// command passes no signals on when it is terminated or killed. For any other parent the context is only a copy.
func whileGoRuns(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	if !isGo(parent) {
		return ctx, cancel
	}
	go func() {
		poll := time.NewTicker(100 * time.Millisecond)
		defer poll.Stop()
		for os.Getppid() == parent {
			select {
			case <-poll.C:
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	return ctx, cancel
}

// isGo reports whether the process is the go command. It needs /proc.
func isGo(pid int) bool {
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return err == nil && strings.TrimSpace(string(name)) == "go"
}
