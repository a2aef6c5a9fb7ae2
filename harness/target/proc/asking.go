package proc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
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

// HTTPError is an answer of another status than 200 OK.
type HTTPError struct {
	Status int
	Text   string // the body, without white space around it
}

func (e *HTTPError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Text) }

// SendJSON sends a body as JSON to where the node serves its clients, and decodes the answer into said, which may be nil. Numbers
// in an any become a json.Number, which is exact. It sends once. An answer of another status than 200 is an *HTTPError; the errors
// of Node.HTTP are returned as they are. header may be nil.
func (n *Node) SendJSON(ctx context.Context, method, path string, header http.Header, body, said any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("node %s: write a request to %s: %w", n.Name(), path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+n.Address()+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("node %s: ask %s: %w", n.Name(), path, err)
	}
	maps.Copy(request.Header, header)
	request.Header.Set("Content-Type", "application/json")
	response, err := n.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return fmt.Errorf("node %s: read the answer of %s, which says %s: %w", n.Name(), path, response.Status, err)
		}
		return &HTTPError{response.StatusCode, strings.TrimSpace(string(text))}
	}
	if said == nil {
		return nil
	}
	decoder := json.NewDecoder(response.Body)
	decoder.UseNumber()
	if err := decoder.Decode(said); err != nil {
		return fmt.Errorf("node %s: read the answer of %s: %w", n.Name(), path, err)
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
