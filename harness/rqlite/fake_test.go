package rqlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// fakeVariable has the test binary be the fake: the embedded database of this project behind the HTTP API of rqlite, as its
// documentation describes it. It shows that the adapter speaks that API, and nothing about rqlite.
const fakeVariable = "RQLITE_FAKE"

func init() {
	if os.Getenv(fakeVariable) == "" {
		return
	}
	if err := fake(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fake rqlited:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// fakeNode is a node of the fake.
type fakeNode struct {
	id     string
	client *client.Client
	node   *embedded.Node
}

func fake(arguments []string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("rqlited", flag.ContinueOnError)
	id, api, address := flags.String("node-id", "", ""), flags.String("http-addr", "", ""), flags.String("raft-addr", "", "")
	join, learner := flags.String("join", "", ""), flags.Bool("raft-non-voter", false, "")
	election, snapshot := flags.Duration("raft-election-timeout", time.Second, ""), flags.Uint64("raft-snap", 8192, "")
	for _, ignored := range []string{"join-attempts", "join-interval", "cluster-connect-timeout", "raft-heartbeat-timeout",
		"raft-leader-lease-timeout", "raft-snap-int"} {
		flags.String(ignored, "", "")
	}
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config := embedded.Config{ID: *id, Dir: flags.Arg(0), ElectionTimeout: *election, SnapshotThreshold: *snapshot,
		SnapshotInterval: 100 * time.Millisecond}
	if files, _ := filepath.Glob(config.Dir + "/*"); len(files) == 0 && *join == "" {
		config.Peers = []embedded.Peer{{ID: *id, Address: *address}}
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return err
	}
	endpoint, err := network.Open(*address)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	config.Endpoint = endpoint
	f := &fakeNode{id: *id, client: client.New(*id, *address, "", endpoint)}
	if f.node, err = embedded.Start(config); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.node.Close()) }()
	server := &http.Server{Addr: *api, Handler: f.routes()}
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	if err := f.join(ctx, *join, embedded.Member{ID: *id, Address: *address, Voter: !*learner}, endpoint); err != nil {
		return err
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(server.Close(), f.node.Stop(leaving))
	}
	return err
}

// join asks the members, one after the other, until one has added the node.
func (f *fakeNode) join(ctx context.Context, addresses string, self embedded.Member, dialer client.Dialer) error {
	if addresses == "" {
		return nil
	}
	for ctx.Err() == nil {
		for address := range strings.SplitSeq(addresses, ",") {
			asking, cancel := context.WithTimeout(ctx, time.Second)
			err := client.New("", address, "", dialer).AddMember(asking, self)
			cancel()
			if err == nil {
				return nil
			}
		}
	}
	return nil
}

func (f *fakeNode) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", f.status)
	mux.HandleFunc("POST /db/query", f.execute)
	mux.HandleFunc("POST /db/request", f.execute)
	mux.HandleFunc("POST /db/execute", f.execute)
	mux.HandleFunc("DELETE /remove", f.remove)
	return mux
}

type object = map[string]any

func reply(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }

func (f *fakeNode) status(w http.ResponseWriter, _ *http.Request) {
	h := f.node.Health()
	var nodes []object
	for _, p := range h.Peers {
		nodes = append(nodes, object{"id": p.ID, "addr": p.Address, "suffrage": map[bool]string{true: "voter", false: "nonvoter"}[p.Voter]})
	}
	reply(w, object{"store": object{
		"node_id": f.id, "nodes": nodes, "fsm_index": h.AppliedIndex, "leader": object{"node_id": h.Leader},
		"raft": object{
			"state": h.Role, "term": h.Term, "commit_index": h.CommitIndex, "applied_index": h.AppliedIndex,
			"last_log_index": h.AppliedIndex + h.Behind, "last_snapshot_index": h.SnapshotIndex, "voter": h.Voter,
			"last_contact": time.Duration(h.LastContact * float64(time.Millisecond)).String(),
		},
	}})
}

func (f *fakeNode) remove(w http.ResponseWriter, r *http.Request) {
	var asked struct{ ID string }
	err := json.NewDecoder(r.Body).Decode(&asked)
	if err == nil {
		err = f.client.RemoveMember(r.Context(), asked.ID)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// kept names what the embedded database keeps for itself, in place of the tables of the kit.
var kept = strings.NewReplacer("rejoin_requests", "fake_requests", "rejoin_namespaces", "fake_namespaces",
	"sqlite_schema", "(SELECT * FROM sqlite_schema WHERE name NOT LIKE 'rejoin_%')")

var consistencies = map[string]target.Consistency{"none": target.Local, "weak": target.Leader, "linearizable": target.Strong}

// execute executes all statements of a request as one transaction.
func (f *fakeNode) execute(w http.ResponseWriter, r *http.Request) {
	var statements [][]any
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&statements); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := target.Request{Consistency: consistencies[r.URL.Query().Get("level")]}
	for _, s := range statements {
		request.SQL += kept.Replace(fmt.Sprint(s[0])) + "\n;"
		for _, p := range s[1:] {
			request.Params = append(request.Params, parameter(p))
		}
	}
	results, err := f.results(r.Context(), request)
	var e *target.Error
	switch {
	case errors.As(err, &e) && errors.Is(err, target.ErrNoLeader) && e.Outcome == target.NotApplied:
		http.Error(w, "leader not found", http.StatusServiceUnavailable)
	case errors.As(err, &e) && e.Outcome == target.NotApplied && !e.Temporary: // SQLite has refused it
		reply(w, object{"results": []object{{"error": e.Message}}})
	case err != nil:
		reply(w, object{"error": err.Error()})
	default:
		reply(w, object{"results": results})
	}
}

func (f *fakeNode) results(ctx context.Context, request target.Request) (results []object, err error) {
	rows, err := f.client.Query(ctx, request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.NextResult() {
		var names, types []string
		var values [][]any
		for _, c := range rows.Columns() {
			names, types = append(names, c.Name), append(types, strings.ToLower(c.Type))
		}
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			for i, v := range row {
				if types[i] == "" {
					types[i] = map[string]string{"float64": "real", "[]uint8": "blob", "int64": "integer", "string": "text"}[fmt.Sprintf("%T", v)]
				}
				if blob, is := v.([]byte); is {
					row[i] = numbers(blob)
				}
			}
			values = append(values, row)
		}
		result := object{"columns": names, "types": types, "values": values}
		if affected, known := rows.Affected(); len(names) == 0 {
			result = object{}
			if known {
				result["rows_affected"] = affected
			}
		}
		results = append(results, result)
	}
	return results, rows.Err()
}

func numbers(blob []byte) []int {
	out := make([]int, len(blob))
	for i, b := range blob {
		out[i] = int(b)
	}
	return out
}

// parameter is a parameter of a request: an array of numbers is a blob.
func parameter(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		blob := make([]byte, len(v))
		for i, b := range v {
			n, _ := b.(json.Number).Int64()
			blob[i] = byte(n)
		}
		return blob
	}
	return v
}
