package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Client is the parent's side of a node's control socket. It is safe for concurrent use. Network faults do not affect it.
type Client struct {
	node string
	http *http.Client
	// Inside is the node's own HTTP API.
	Inside *client.Client
}

// NewClient returns a client of the node with that ID, whose control socket is at path.
func NewClient(node, path, token string) *Client {
	to := socket(path)
	return &Client{
		node: node,
		http: &http.Client{Transport: &http.Transport{
			DialContext:         to.DialContext,
			MaxIdleConnsPerHost: idleConnections,
			DisableCompression:  true,
		}},
		Inside: client.New(node, "localhost", token, to),
	}
}

const idleConnections = 8

// socket is a Dialer for one unix socket.
type socket string

func (s socket) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", string(s))
}

// Close closes the connections that are not in use.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.Inside.Close()
}

// Tell sends orders to the node, and returns when they are in effect. A *RefusedError means that the node has not
// followed all of them.
func (c *Client) Tell(ctx context.Context, orders Orders) error {
	body, err := json.Marshal(orders)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, ordersPath, body, &struct{}{})
}

// Health returns the health of the node.
func (c *Client) Health(ctx context.Context) (health embedded.Health, err error) {
	err = c.ask(ctx, http.MethodGet, healthPath, nil, &health)
	return health, err
}

// Digest returns the hash of the node's state, and the log index of that state.
func (c *Client) Digest(ctx context.Context) (index uint64, sum string, err error) {
	var answer digest
	err = c.ask(ctx, http.MethodGet, digestPath, nil, &answer)
	return answer.Index, answer.Sum, err
}

// Stats returns the counters of a link for the connections that the node has dialed.
func (c *Client) Stats(ctx context.Context, link network.Link) (stats fault.LinkStats, err error) {
	query := url.Values{"from": {link.From}, "to": {link.To}}
	err = c.ask(ctx, http.MethodGet, statsPath+"?"+query.Encode(), nil, &stats)
	return stats, err
}

// Link returns the state of a link for the connections that the node has dialed.
func (c *Client) Link(ctx context.Context, link network.Link) (state target.LinkState, err error) {
	query := url.Values{"from": {link.From}, "to": {link.To}}
	err = c.ask(ctx, http.MethodGet, linkPath+"?"+query.Encode(), nil, &state)
	return state, err
}

// Surroundings returns the faults around the node.
func (c *Client) Surroundings(ctx context.Context) (s Surroundings, err error) {
	err = c.ask(ctx, http.MethodGet, lookPath, nil, &s)
	return s, err
}

// Diverge makes the node run statements without going through its log.
func (c *Client) Diverge(ctx context.Context, sql string) error {
	body, err := json.Marshal(divergence{sql})
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, divergePath, body, &struct{}{})
}

// RefusedError reports that a node did not do what it was asked.
type RefusedError struct {
	Node    string
	Status  int // HTTP status
	Message string
}

func (e *RefusedError) Error() string { return fmt.Sprintf("node %s: %s", e.Node, e.Message) }

func (c *Client) ask(ctx context.Context, method, path string, body []byte, answer any) (err error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://control"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask node %s: %w", c.node, err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	limited := io.LimitReader(response.Body, maxDocument)
	if response.StatusCode != http.StatusOK {
		said, err := io.ReadAll(limited)
		if err != nil {
			return fmt.Errorf("ask node %s: %s: %w", c.node, response.Status, err)
		}
		return &RefusedError{c.node, response.StatusCode, strings.TrimSpace(string(said))}
	}
	if err := json.NewDecoder(limited).Decode(answer); err != nil {
		return fmt.Errorf("ask node %s: %w", c.node, err)
	}
	return nil
}
