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

// AwaitReady blocks until the node at the other end of the pipe serves, or the
// pipe or ctx ends. The end of the pipe is io.EOF: the node has ended.
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
		return fmt.Errorf("it said %q where it says that it serves", line)
	}
	return err
}
