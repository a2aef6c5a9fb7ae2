// Package client is a client of a node's HTTP API. It streams answers: only one row is in memory at a
// time.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/target"
)

// CodeUnreachable is the code of network errors.
const CodeUnreachable = "UNREACHABLE"

// Client runs statements on one node. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	node    string
	address string
	token   string
}

var _ target.SQL = (*Client)(nil)

// New returns a client of the node at address (host:port). It dials with dialer, and sends token unless
// it is empty.
func New(node, address, token string, dialer Dialer) *Client {
	return &Client{
		http: &http.Client{Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			MaxIdleConnsPerHost: idleConnections,
			DisableCompression:  true,
		}},
		node: node, address: address, token: token,
	}
}

const idleConnections = 64

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Query sends a request and returns when the answer begins. The caller must close the rows.
func (c *Client) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	body, err := wire.Request{
		SQL: request.SQL, Params: request.Params, Consistency: wire.Consistency(request.Consistency),
	}.Append(nil)
	if err != nil {
		return nil, c.failed("BAD_REQUEST", err, target.NotApplied)
	}
	response, sent, err := c.send(ctx, http.MethodPost, "/v1/api/sql", body, request.ID) //nolint:bodyclose // the rows close it
	if err != nil {
		outcome := target.NotApplied
		if sent {
			outcome = target.Unknown
		}
		return nil, c.failed(CodeUnreachable, err, outcome)
	}
	rows := &rows{Reader: wire.NewReader(response.Body), body: response.Body, client: c,
		changed: response.Header.Get(embedded.HeaderIndex) != ""}
	if response.StatusCode == http.StatusOK {
		return rows, nil
	}
	for rows.NextResult() { // an error has none
	}
	err = rows.Err()
	if err == nil {
		err = c.failed("MALFORMED", fmt.Errorf("status %s, but the answer contains no error", response.Status), target.Unknown)
	}
	_ = rows.Close() // the connection may be broken
	return nil, err
}

// Health returns the health that the node reports.
func (c *Client) Health(ctx context.Context) (health embedded.Health, err error) {
	response, _, err := c.send(ctx, http.MethodGet, "/v1/api/cluster/health", nil, "")
	if err != nil {
		return health, c.failed(CodeUnreachable, err, target.NotApplied)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return health, c.failed("HEALTH", errors.New(response.Status), target.NotApplied)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxHealth)).Decode(&health); err != nil {
		return health, c.failed("MALFORMED", err, target.NotApplied)
	}
	return health, nil
}

const maxHealth = 1 << 20 // bytes

// AddMember adds a member through the node; see embedded.Node.AddMember.
func (c *Client) AddMember(ctx context.Context, m embedded.Member) error {
	return c.changeMembers(ctx, map[string]any{"add": m})
}

// RemoveMember removes a member through the node; see embedded.Node.RemoveMember.
func (c *Client) RemoveMember(ctx context.Context, id string) error {
	return c.changeMembers(ctx, map[string]any{"remove": id})
}

func (c *Client) changeMembers(ctx context.Context, change map[string]any) (err error) {
	body, err := json.Marshal(change)
	if err != nil {
		return c.failed("BAD_REQUEST", err, target.NotApplied)
	}
	response, sent, err := c.send(ctx, http.MethodPost, "/v1/api/cluster/members", body, "")
	if err != nil {
		outcome := target.NotApplied
		if sent {
			outcome = target.Unknown
		}
		return c.failed(CodeUnreachable, err, outcome)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return c.refusedMembers(response)
}

// refusedMembers returns the node's error about a membership change.
func (c *Client) refusedMembers(response *http.Response) error {
	reader := wire.NewReader(io.LimitReader(response.Body, maxHealth))
	for reader.NextResult() { // an error has none
	}
	said, is := errors.AsType[*wire.Error](reader.Err())
	if !is {
		return c.failed("MALFORMED", fmt.Errorf("status %s, but the answer contains no error", response.Status), target.Unknown)
	}
	return c.said(said, said)
}

// send sends a request; sent is whether it may have reached the node.
func (c *Client) send(ctx context.Context, method, path string, body []byte, id string) (response *http.Response, sent bool, err error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	request.Header.Set("Content-Type", "application/json")
	if id != "" {
		// In lower case: net/http looks for the usual spelling, and would send such a request again by itself after it lost
		// the connection.
		request.Header[strings.ToLower(embedded.HeaderRequest)] = []string{id}
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err = c.http.Do(request)
	return response, sent, err
}

func (c *Client) failed(code string, cause error, outcome target.Outcome) *target.Error {
	return &target.Error{
		Node: c.node, Code: code, Message: cause.Error(), Outcome: outcome,
		Kind: kindOf(code, ""), Temporary: code == CodeUnreachable, Cause: cause,
	}
}

// said returns an error that the node answered.
func (c *Client) said(e *wire.Error, cause error) *target.Error {
	return &target.Error{
		Node: c.node, Code: e.Code, Message: e.Message, Outcome: outcome(e), Kind: kindOf(e.Code, e.Message),
		Temporary: embedded.Temporary(e.Code), Cause: cause,
	}
}

// Dialer opens connections, as net.Dialer does.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Status converts a node's health to a target.Status.
func Status(h embedded.Health, address string) target.Status {
	contact := time.Duration(h.LastContact * float64(time.Millisecond))
	var peers []target.Peer
	for _, m := range h.Peers {
		peers = append(peers, target.Peer(m))
	}
	return target.Status{
		LedTerms: h.LedTerms, Vote: target.Vote(h.Vote),
		ID: h.ID, Address: address, State: target.State(h.State), Role: h.Role, Leader: h.Leader, Term: h.Term,
		CommitIndex: h.CommitIndex, AppliedIndex: h.AppliedIndex, SnapshotIndex: h.SnapshotIndex, Restores: h.Restores,
		LastContact: contact, Behind: h.Behind, Voter: h.Voter, Peers: peers,
		Activities: activities(h.Activities), LogEntries: h.LogEntries, Reason: h.Reason,
	}
}
