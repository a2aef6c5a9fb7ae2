package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

// whileGoRuns is a context that ends when the go command does that runs this program
// (go run), which passes no signal on when it is killed or asked to end. Of any other
// parent it takes no notice.
func whileGoRuns(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	if !isGo(parent) {
		return ctx, cancel
	}
	go func() {
		looks := time.NewTicker(100 * time.Millisecond)
		defer looks.Stop()
		for os.Getppid() == parent {
			select {
			case <-looks.C:
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	return ctx, cancel
}

// isGo tells whether the process is the go command, where the system has /proc.
func isGo(pid int) bool {
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return err == nil && strings.TrimSpace(string(name)) == "go"
}
