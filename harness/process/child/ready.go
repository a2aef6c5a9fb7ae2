package child

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

const readyLine = "ready\n"

func announce(ready io.WriteCloser) error {
	_, err := io.WriteString(ready, readyLine)
	return err
}

// AwaitReady blocks until the node at the other end of the pipe serves, the pipe ends, or ctx ends. It returns io.EOF if
// the node has ended.
func AwaitReady(ctx context.Context, pipe *os.File) error {
	stop := context.AfterFunc(ctx, func() { _ = pipe.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	line, err := bufio.NewReader(pipe).ReadString('\n')
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case line == readyLine:
		return nil
	case err == nil:
		return fmt.Errorf("unexpected output %q, want %q", line, readyLine)
	}
	return err
}
