package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// GetJSON asks a program of the node by HTTP, and decodes its answer of any status code into said. where is a port and a path,
// such as ":8008/cluster".
func (n *Node) GetJSON(ctx context.Context, where string, said any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Host()+where, nil)
	if err != nil {
		return fmt.Errorf("node %s: ask %s: %w", n.Name(), where, err)
	}
	response, err := n.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("node %s: ask %s: %w", n.Name(), where, err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(said); err != nil {
		return fmt.Errorf("node %s: read the answer of %s, which says %s: %w", n.Name(), where, response.Status, err)
	}
	return nil
}

// untilEvery is how often Until tries at least, if do is fast.
const untilEvery = 50 * time.Millisecond

// Until calls do until it returns nil, and blocks until then. It pauses for 50 ms between two calls, or longer after a call that
// took long. When ctx ends, the error has the last one of do.
func Until(ctx context.Context, do func(context.Context) error) error {
	for {
		asked := time.Now()
		err := do(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", context.Cause(ctx), err)
		case <-time.After(pause(untilEvery, time.Since(asked))):
		}
	}
}

// longestPause is between two questions.
const longestPause = 250 * time.Millisecond

// pause is how long to wait before the same question: four times as long as the answer took, so that questions take a fifth of the
// time of what must answer them, which has other work while it starts.
func pause(least, took time.Duration) time.Duration {
	return max(least, min(4*took, longestPause))
}
