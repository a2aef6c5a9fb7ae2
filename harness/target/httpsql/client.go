package httpsql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// CodeUnreachable is the code of errors of the network.
const CodeUnreachable = "UNREACHABLE"

// maxAnswer is the largest answer that a client reads, in bytes.
const maxAnswer = 256 << 20

// Client executes statements on one node. It is safe for concurrent use.
type Client struct {
	api     *API
	node    described.Node
	address string
	http    *http.Client
}

var _ target.SQL = (*Client)(nil)

// Dial opens connections, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// New returns a client of a node, which it reaches at address (host:port). dial may be nil: then it dials over TCP. The
// caller closes the client.
func (a *API) New(node described.Node, address string, dial Dial) *Client {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return &Client{api: a, node: node, address: address, http: &http.Client{
		Transport:     &http.Transport{DialContext: dial, MaxIdleConnsPerHost: idleConnections, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

const idleConnections = 64

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Query sends a request, and returns when the answer is complete. A redirect is an answer and not followed.
func (c *Client) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	said, reads, err := c.api.request(c.node, request)
	if err != nil {
		return nil, c.bad(err)
	}
	results, err := c.ask(ctx, said, reads)
	if err != nil {
		return nil, err
	}
	return (&sqldb.Answer{Results: results}).Rows(!reads), nil
}

// Send executes statements that a dialect has translated; it is a sqldb.Send.
func (c *Client) Send(ctx context.Context, consistency target.Consistency, statements []dialect.Statement) ([]sqldb.Result, error) {
	said, reads, err := c.api.translated(c.node, consistency, statements)
	if err != nil {
		return nil, c.bad(err)
	}
	return c.ask(ctx, said, reads)
}

func (c *Client) ask(ctx context.Context, said described.Request, reads bool) ([]sqldb.Result, error) {
	how := c.api.write
	if reads {
		how = c.api.read
	}
	status, body, err := c.send(ctx, how, said)
	if err != nil {
		return nil, err
	}
	return c.api.results(c.node.Name, status, body)
}

// Call makes an HTTP call that is no SQL, and returns the answer's document: objects are map[string]any, numbers are
// int64 or float64, and json.Number if they fit neither. An HTTP status of 400 and more is an error.
func (c *Client) Call(ctx context.Context, shape described.Call) (any, error) {
	how, err := c.api.parse(shape)
	if err != nil {
		return nil, c.bad(err)
	}
	status, body, err := c.send(ctx, how, described.Request{Node: c.node})
	if err != nil {
		return nil, err
	}
	if status >= http.StatusBadRequest {
		return nil, c.failed(fmt.Sprint(status), fmt.Errorf("HTTP status %d: %s", status, abridged(body)), target.NotApplied)
	}
	document, err := decode(body)
	if err != nil {
		return nil, c.failed("MALFORMED", err, target.NotApplied)
	}
	return plain(document), nil
}

// send sends a request once, and reads the whole answer.
func (c *Client) send(ctx context.Context, how call, data described.Request) (status int, body []byte, err error) {
	request, err := c.render(ctx, how, data)
	if err != nil {
		return 0, nil, c.bad(err)
	}
	sent := false
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}
	response, err := c.http.Do(request.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
		err = errors.Join(err, response.Body.Close())
		if len(body) > maxAnswer {
			err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
		}
	}
	if err != nil {
		outcome := target.NotApplied
		if sent {
			outcome = target.Unknown
		}
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return 0, nil, c.failed(CodeUnreachable, err, outcome)
	}
	return response.StatusCode, body, nil
}

func (c *Client) render(ctx context.Context, how call, data described.Request) (*http.Request, error) {
	method, err := described.Render(how.method, data)
	if err != nil {
		return nil, err
	}
	path, err := described.Render(how.path, data)
	if err != nil {
		return nil, err
	}
	body, err := described.Render(how.body, data)
	if err != nil {
		return nil, err
	}
	// net/http sends a request again by itself if a kept connection ends before the answer, unless it has a body that
	// cannot be read again: this one, also where it is empty.
	content := struct{ io.Reader }{strings.NewReader(body)}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, content)
	if err != nil {
		return nil, err
	}
	request.ContentLength = int64(len(body))
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range c.api.headers {
		value, err := described.Render(h.value, data)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.name, err)
		}
		if value != "" {
			request.Header.Set(h.name, value)
		}
	}
	return request, nil
}

// bad is the error of a request that could not be written.
func (c *Client) bad(err error) error {
	return &target.Error{Node: c.node.Name, Code: "BAD_REQUEST", Message: err.Error(), Outcome: target.NotApplied,
		Kind: target.ErrBadRequest, Cause: err}
}

func (c *Client) failed(code string, cause error, outcome target.Outcome) *target.Error {
	e := &target.Error{Node: c.node.Name, Code: code, Message: cause.Error(), Outcome: outcome, Cause: cause}
	if code == CodeUnreachable {
		e.Kind, e.Temporary = target.ErrUnreachable, true
	}
	return e
}

// abridged is the begin of an answer, for a message.
func abridged(body []byte) string {
	const most = 300
	if len(body) > most {
		return string(bytes.ToValidUTF8(body[:most], nil)) + "…"
	}
	return string(body)
}
