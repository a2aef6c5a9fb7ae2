package kalamdb_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// fakeVariable has the test binary be the fake: the embedded database of this project behind the HTTP and WebSocket API of KalamDB,
// as its documentation describes them. It shows that the adapter speaks that API, and nothing about KalamDB.
const fakeVariable = "KALAMDB_FAKE"

func init() {
	if os.Getenv(fakeVariable) == "" {
		return
	}
	if err := fake(); err != nil {
		fmt.Fprintln(os.Stderr, "fake kalamdb-server:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// fakeNode is a node of the fake.
type fakeNode struct {
	client *client.Client
	node   *embedded.Node
}

func setting(name string) string { return os.Getenv("KALAMDB_" + name) }

const token = "a token"

func fake() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	config := embedded.Config{ID: setting("NODE_ID"), Dir: setting("DATA_DIR"), ElectionTimeout: 300 * time.Millisecond}
	config.Peers = []embedded.Peer{{ID: config.ID, Address: setting("CLUSTER_RPC_ADDR")}}
	for _, peer := range strings.FieldsFunc(setting("CLUSTER_PEERS"), func(r rune) bool { return r == ';' }) {
		parts := strings.Split(peer, "@")
		config.Peers = append(config.Peers, embedded.Peer{ID: parts[0], Address: parts[1]})
	}
	slices.SortFunc(config.Peers, func(a, b embedded.Peer) int { return strings.Compare(a.ID, b.ID) })
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return err
	}
	endpoint, err := network.Open(setting("CLUSTER_RPC_ADDR"))
	if err != nil {
		return err
	}
	defer endpoint.Close()
	config.Endpoint = endpoint
	f := &fakeNode{client: client.New(config.ID, endpoint.Addr(), "", endpoint)}
	if f.node, err = embedded.Start(config); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.node.Close()) }()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/api/auth/login", f.login)
	mux.HandleFunc("POST /v1/api/sql", f.sql)
	mux.HandleFunc("GET /v1/ws", f.subscribe)
	server := &http.Server{Addr: setting("SERVER_HOST") + ":" + setting("SERVER_PORT"), Handler: mux}
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	select {
	case err = <-served:
	case <-ctx.Done():
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(server.Close(), f.node.Stop(leaving))
	}
	return err
}

type object = map[string]any

func reply(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, object{"status": "error", "results": []any{}, "error": object{"code": code, "message": message}})
}

func (f *fakeNode) login(w http.ResponseWriter, r *http.Request) {
	var asked struct{ User, Password string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.User != "root" || asked.Password != setting("ROOT_PASSWORD") {
		reply(w, http.StatusUnauthorized, object{"error": "unauthorized"})
		return
	}
	reply(w, http.StatusOK, object{"access_token": token})
}

// transaction is a batch of one transaction.
var transaction = regexp.MustCompile(`(?s)^BEGIN; (.*); COMMIT$`)

func (f *fakeNode) sql(w http.ResponseWriter, r *http.Request) {
	var asked struct{ SQL string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_INPUT", err.Error())
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		refuse(w, http.StatusUnauthorized, "INVALID_CREDENTIALS", "no token")
		return
	}
	h := f.node.Health()
	switch {
	case strings.Contains(asked.SQL, "system.cluster_groups"):
		leader, _ := strconv.Atoi(h.Leader)
		group := table([]string{"group_type", "current_term", "last_applied", "current_leader"},
			[]any{"UserData", int64(h.Term), int64(h.AppliedIndex), int64(leader)})
		reply(w, http.StatusOK, object{"status": "success", "results": []object{group}})
		return
	case strings.Contains(asked.SQL, "system.cluster "):
		var rows [][]any
		for _, p := range h.Peers {
			rows = append(rows, []any{p.ID})
		}
		reply(w, http.StatusOK, object{"status": "success", "results": []object{table([]string{"node_id"}, rows...)}})
		return
	}
	batch := transaction.FindStringSubmatch(asked.SQL)
	text := asked.SQL
	if batch != nil {
		text = batch[1]
	}
	results, err := f.results(r.Context(), sqlite(text), target.Leader)
	var e *target.Error
	switch {
	case err == nil && batch != nil: // changes of a transaction are summed up
		reply(w, http.StatusOK, object{"status": "success", "results": []object{{"row_count": 0, "message": "committed"}}})
	case err == nil:
		reply(w, http.StatusOK, object{"status": "success", "results": results})
	case errors.Is(err, target.ErrConstraint):
		refuse(w, http.StatusBadRequest, "SQL_EXECUTION_ERROR", "Primary key violation: "+err.Error())
	case errors.Is(err, target.ErrSyntax):
		refuse(w, http.StatusBadRequest, "INVALID_SQL", err.Error())
	case errors.As(err, &e) && e.Outcome == target.NotApplied && !e.Temporary:
		refuse(w, http.StatusBadRequest, "SQL_EXECUTION_ERROR", strings.ReplaceAll(e.Message, "no such table", "table not found"))
	default:
		refuse(w, http.StatusServiceUnavailable, "FORWARD_FAILED", err.Error())
	}
}

// sqlite says a statement in the words of the embedded database.
func sqlite(text string) string {
	return strings.ReplaceAll(text, "CREATE USER TABLE", "CREATE TABLE")
}

func (f *fakeNode) results(ctx context.Context, text string, level target.Consistency) (results []object, err error) {
	rows, err := f.client.Query(ctx, target.Request{SQL: text, Consistency: level})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.NextResult() {
		var names []string
		for _, c := range rows.Columns() {
			names = append(names, c.Name)
		}
		var values [][]any
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			values = append(values, row)
		}
		if names == nil {
			affected, _ := rows.Affected()
			results = append(results, object{"row_count": affected, "message": "done"})
			continue
		}
		results = append(results, table(names, values...))
	}
	return results, rows.Err()
}

// table is a result: integers of 64 bits are texts, and bytes are numbers.
func table(names []string, rows ...[]any) object {
	schema := make([]object, len(names))
	for i, name := range names {
		schema[i] = object{"name": name, "index": i, "data_type": "Text"}
		for _, row := range rows {
			switch row[i].(type) {
			case int64:
				schema[i]["data_type"] = "BigInt"
			case float64:
				schema[i]["data_type"] = "Double"
			case []byte:
				schema[i]["data_type"] = "Bytes"
			}
		}
	}
	out := make([][]any, len(rows))
	for i, row := range rows {
		for _, v := range row {
			out[i] = append(out[i], cell(v))
		}
	}
	return object{"schema": schema, "rows": out, "row_count": len(rows)}
}

func cell(v any) any {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case []byte:
		numbers := make([]int, len(v))
		for i, b := range v {
			numbers[i] = int(b)
		}
		return numbers
	}
	return v
}

// batchSize is how many rows a batch of a snapshot has.
const batchSize = 100

// subscribe sends the snapshot of a subscription, from the node's own state, in batches.
func (f *fakeNode) subscribe(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := r.Context()
	known := r.Header.Get("Authorization") == "Bearer "+token
	if wsjson.Write(ctx, conn, object{"type": map[bool]string{true: "auth_success", false: "auth_error"}[known]}) != nil || !known {
		return
	}
	var rows [][]any
	var schema []object
	for {
		var asked struct {
			Type         string
			Subscription struct{ SQL string }
		}
		if wsjson.Read(ctx, conn, &asked) != nil {
			return
		}
		switch asked.Type {
		case "subscribe":
			results, failed := f.results(ctx, sqlite(asked.Subscription.SQL), target.Local)
			if failed != nil {
				err = wsjson.Write(ctx, conn, object{"type": "error", "code": "INVALID_SQL", "message": failed.Error()})
				break
			}
			rows, schema = results[0]["rows"].([][]any), results[0]["schema"].([]object)
			err = wsjson.Write(ctx, conn, object{"type": "subscription_ack", "total_rows": 0, "schema": schema})
			if err == nil {
				rows, err = sendBatch(ctx, conn, schema, rows)
			}
		case "next_batch":
			rows, err = sendBatch(ctx, conn, schema, rows)
		}
		if err != nil {
			return
		}
	}
}

func sendBatch(ctx context.Context, conn *websocket.Conn, schema []object, rows [][]any) (rest [][]any, err error) {
	now := rows[:min(len(rows), batchSize)]
	named := make([]object, len(now))
	for i, row := range now {
		named[i] = object{"_seq": strconv.Itoa(i)}
		for j, c := range schema {
			named[i][c["name"].(string)] = row[j]
		}
	}
	rest = rows[len(now):]
	body := object{"type": "initial_data_batch", "rows": named, "batch_control": object{"has_more": len(rest) > 0, "last_seq_id": len(now)}}
	return rest, wsjson.Write(ctx, conn, body)
}
