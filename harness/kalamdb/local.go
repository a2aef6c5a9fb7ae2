package kalamdb

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// readable is a query that a subscription takes: columns of the rows of one table.
var readable = regexp.MustCompile(`(?is)^\s*SELECT\s+([\w*]+(?:\s*,\s*\w+)*)\s+FROM\s+[\w"]+\.[\w"]+(\s+WHERE\s.*)?$`)

// unread are words of queries that a subscription does not take.
var unread = regexp.MustCompile(`(?i)\b(ORDER|GROUP|LIMIT|UNION|JOIN|SELECT)\b`)

// most is how many bytes a message of a node may have.
const most = 64 << 20

// message is a message of a node, as far as it is used.
type message struct {
	Type    string           `json:"type"`
	Message string           `json:"message"`
	Code    string           `json:"code"`
	Schema  []column         `json:"schema"`
	Rows    []map[string]any `json:"rows"`
	Batch   struct {
		More bool        `json:"has_more"`
		Last json.Number `json:"last_seq_id"`
	} `json:"batch_control"`
}

// subscribed reads rows of the node itself: the snapshot with which a subscription begins. Every other read is the leader's.
func (c *client) subscribed(ctx context.Context, query string) (out sqldb.Result, err error) {
	match := readable.FindStringSubmatch(query)
	if match == nil || unread.MatchString(query[len("SELECT"):]) {
		return out, dialect.Unsupported(name, query, "a local read of other than the rows of one table")
	}
	token, err := c.login(ctx)
	if err != nil {
		return out, err
	}
	//nolint:bodyclose // the library closes it
	conn, _, err := websocket.Dial(ctx, "ws://"+c.node.Address()+"/v1/ws?compress=false", &websocket.DialOptions{
		HTTPClient: c.node.HTTP, HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		return out, err
	}
	defer conn.CloseNow() //nolint:errcheck // it was read only
	conn.SetReadLimit(most)
	var r result
	var names []string
	for {
		said, err := read(ctx, conn)
		if err != nil {
			return out, err
		}
		switch said.Type {
		case "auth_success":
			// Without options there is no snapshot.
			subscription := map[string]any{"id": "rejoin", "sql": query, "options": map[string]any{}}
			err = wsjson.Write(ctx, conn, map[string]any{"type": "subscribe", "subscription": subscription})
		case "auth_error", "error":
			err = fmt.Errorf("node %s refuses a subscription: %s %s", c.node.Name(), said.Code, said.Message)
		case "subscription_ack":
			r.Schema, names = chosen(match[1], said.Schema)
		case "initial_data_batch":
			for _, row := range said.Rows {
				values := make([]any, len(names))
				for i, column := range names {
					values[i] = row[column]
				}
				r.Rows = append(r.Rows, values)
			}
			if !said.Batch.More {
				return rowsOf(r)
			}
			err = wsjson.Write(ctx, conn, map[string]any{"type": "next_batch", "subscription_id": "rejoin", "last_seq_id": said.Batch.Last})
		}
		if err != nil {
			return out, err
		}
	}
}

// chosen are the columns that a query names: * are all but those of KalamDB itself, which begin with an underscore.
func chosen(list string, schema []column) (columns []column, names []string) {
	asked := make(map[string]bool)
	for name := range strings.SplitSeq(list, ",") {
		asked[strings.TrimSpace(name)] = true
	}
	for _, c := range schema {
		if asked[c.Name] || asked["*"] && !strings.HasPrefix(c.Name, "_") {
			columns, names = append(columns, c), append(names, c.Name)
		}
	}
	return columns, names
}

// read reads a message, with exact numbers.
func read(ctx context.Context, conn *websocket.Conn) (said message, err error) {
	_, text, err := conn.Read(ctx)
	if err != nil {
		return said, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return said, decoder.Decode(&said)
}
