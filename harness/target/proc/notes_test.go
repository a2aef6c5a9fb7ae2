package proc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// NewNotes returns a target of notesd, a database with an HTTP API and SQLite's SQL. binary is the path of its program.
func NewNotes(binary string) target.Target { return proc.New(notes(binary), proc.Options{}) }

func notes(binary string) proc.Database {
	return proc.Database{
		Name: "notes",
		Vars: map[string]string{"binary": binary},
		Programs: []proc.Program{{
			Path: "{{.Vars.binary}}",
			Args: []string{
				"-name={{.Name}}", "-listen={{.Host}}:7000", "-dir={{.Dir}}", `-peers={{join .Others "{{.Host}}:7000" ","}}`,
				"{{if .Joining}}-join{{end}}",
			},
		}},
		Address: "{{.Host}}:7000",
		SQL: func(n *proc.Node) (target.SQL, error) {
			options := sqldb.Options{Node: n.Name(), Dialect: dialect.Prefixes{}, Judge: judge}
			return sqldb.NewBatch(options, send(n), dedupe.SQLite()), nil
		},
		Status: status,
		Formed: func(ctx context.Context, nodes []*proc.Node) error {
			return nodes[0].Inside().(*sqldb.Batch).Execute(ctx, append(dialect.Prefixes{}.Setup(), dedupe.SQLite().Setup())...)
		},
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.SQLite().Remembered(ctx, inside)
		},
		Declares: []target.Assumption{target.Namespaces, target.OwnWrites},
	}
}

// send executes statements by POST /batch.
func send(n *proc.Node) sqldb.Send {
	return func(ctx context.Context, level target.Consistency, statements []dialect.Statement) ([]sqldb.Result, error) {
		var asked struct {
			Local      bool
			Statements []map[string]any
		}
		asked.Local = level == target.Local
		for _, s := range statements {
			asked.Statements = append(asked.Statements, map[string]any{"SQL": s.SQL, "Params": s.Params, "Returns": s.Returns})
		}
		var said struct {
			Results []struct {
				Columns  []string
				Rows     [][]any
				Affected int64
			}
			Error string
		}
		if err := call(ctx, n, "POST", "/batch", asked, &said); err != nil {
			return nil, err
		}
		if said.Error != "" {
			return nil, refused(said.Error)
		}
		var results []sqldb.Result
		for _, r := range said.Results {
			result := sqldb.Result{Rows: r.Rows, Affected: r.Affected, Counted: true}
			for _, name := range r.Columns {
				result.Columns = append(result.Columns, target.Column{Name: name})
			}
			for _, row := range result.Rows {
				for i, v := range row {
					if number, is := v.(float64); is { // notesd has integers only
						row[i] = int64(number)
					}
				}
			}
			results = append(results, result)
		}
		return results, nil
	}
}

// call sends JSON, and reads JSON.
func call(ctx context.Context, n *proc.Node, method, path string, asked, said any) error {
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+n.Address()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := n.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(said)
}

// refused is an error that notesd has answered: it has changed nothing.
type refused string

func (r refused) Error() string { return string(r) }

// judge reads errors. Of a connection that broke nothing is known: that is the zero Verdict.
func judge(err error) sqldb.Verdict {
	var r refused
	if !errors.As(err, &r) {
		return sqldb.Verdict{}
	}
	v := sqldb.Verdict{Code: "REFUSED", Outcome: target.NotApplied}
	switch message := string(r); {
	case bytes.Contains([]byte(message), []byte("constraint failed")):
		v.Kind = target.ErrConstraint
	case bytes.Contains([]byte(message), []byte("no leader")):
		v.Kind, v.Temporary = target.ErrNoLeader, true
	}
	return v
}

// status asks GET /status.
func status(ctx context.Context, n *proc.Node) (target.Status, error) {
	var said struct {
		Leader  string
		Applied uint64
	}
	if err := call(ctx, n, "GET", "/status", nil, &said); err != nil {
		return target.Status{}, err
	}
	s := target.Status{State: target.Online, Role: "follower", Leader: said.Leader, AppliedIndex: said.Applied, CommitIndex: said.Applied,
		LastContact: -1}
	switch said.Leader {
	case "":
		s.State = target.Connecting
	case n.Name():
		s.Role = "leader"
	}
	return s, nil
}
