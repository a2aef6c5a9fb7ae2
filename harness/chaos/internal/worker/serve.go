package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// Serve reads requests, one a line, and has each answered in turn, until in ends: then the context of the
// answer under way ends, too. say writes a reply. The error is the reason why a request could not be read
// or a reply not be written.
func Serve[Request, Reply any](
	ctx context.Context, in io.Reader, out io.Writer, answer func(ctx context.Context, r Request, say func(Reply) error),
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	requests := make(chan Request)
	var bad error
	go func() {
		defer close(requests)
		defer cancel() // the caller is gone
		for from := json.NewDecoder(in); ; {
			var r Request
			if err := from.Decode(&r); err != nil {
				if err != io.EOF {
					bad = fmt.Errorf("read a request: %w", err)
				}
				return
			}
			select {
			case requests <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	to := json.NewEncoder(out)
	for r := range requests {
		var failed error
		answer(ctx, r, func(reply Reply) error {
			if failed == nil {
				failed = to.Encode(reply)
			}
			return failed
		})
		if failed != nil && ctx.Err() == nil {
			return fmt.Errorf("write a reply: %w", failed)
		}
	}
	return bad
}
