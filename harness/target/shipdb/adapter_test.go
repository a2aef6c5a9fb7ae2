package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// NewShipdb returns a target of shipdb. binary is the path of its program, bug the one that is planted; empty is none.
func NewShipdb(binary, bug string) target.Target {
	return proc.New(proc.Database{
		Name: "shipdb",
		Vars: map[string]string{"binary": binary, "bug": bug},
		Programs: []proc.Program{{
			Path: "{{.Vars.binary}}",
			Args: []string{
				"-name={{.Name}}", "-listen={{.Host}}:4100", "-dir={{.Dir}}", "-election=500ms", "-bug={{.Vars.bug}}",
				`-peers={{join .Nodes "{{.Name}}={{.Host}}:4100" ","}}`,
			},
		}},
		Address: "{{.Host}}:4100",
		SQL: func(n *proc.Node) (target.SQL, error) {
			options := sqldb.Options{Node: n.Name(), Dialect: dialect.Prefixes{}, Judge: judge}
			return sqldb.NewBatch(options, send(n), dedupe.SQLite()), nil
		},
		Status: ownView,
		Formed: formed,
		Remembered: func(ctx context.Context, _ *proc.Node, inside target.SQL) (map[string]bool, error) {
			return dedupe.SQLite().Remembered(ctx, inside)
		},
		Declares: []target.Assumption{target.Namespaces, target.RefusesLocal, target.ReadsAlone, target.KeepsTerm, target.StepsDown,
			target.AnyQuorum, target.ShowsStored},
	}, proc.Options{})
}

// formed makes the tables of the kit, as soon as there is a leader.
func formed(ctx context.Context, nodes []*proc.Node) error {
	for _, statement := range append(dialect.Prefixes{}.Setup(), dedupe.SQLite().Setup()) {
		for {
			_, err := send(nodes[0])(ctx, target.Default, []dialect.Statement{{SQL: statement}})
			if err == nil {
				break
			}
			if !judge(err).Temporary || ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}

// send executes statements by POST /query if all of them read, and else by POST /exec.
func send(n *proc.Node) sqldb.Send {
	return func(ctx context.Context, level target.Consistency, statements []dialect.Statement) ([]sqldb.Result, error) {
		type statement struct {
			SQL  string `json:"sql"`
			Args []any  `json:"args"`
		}
		var ask struct {
			Statements []statement `json:"statements"`
			Read       string      `json:"read,omitempty"`
		}
		path := "/query"
		if level != target.Local {
			ask.Read = "leader"
		}
		for _, s := range statements {
			if !s.Reads {
				path = "/exec"
			}
			ask.Statements = append(ask.Statements, statement{s.SQL, each(s.Params, toJSON)})
		}
		var got struct {
			Results []struct {
				Columns, Types []string
				Rows           [][]any
				Affected       int64
			}
		}
		if err := call(ctx, n, http.MethodPost, path, ask, &got); err != nil {
			return nil, err
		}
		var results []sqldb.Result
		for i, r := range got.Results {
			result := sqldb.Result{Affected: r.Affected, Counted: statements[i].Counts}
			for j, name := range r.Columns {
				result.Columns = append(result.Columns, target.Column{Name: name, Type: r.Types[j]})
			}
			for _, row := range r.Rows {
				result.Rows = append(result.Rows, each(row, fromJSON))
			}
			results = append(results, result)
		}
		return results, nil
	}
}

func each(values []any, f func(any) any) (changed []any) {
	for _, v := range values {
		changed = append(changed, f(v))
	}
	return changed
}

func toJSON(v any) any {
	switch v := v.(type) {
	case float64:
		return map[string]string{"real": strconv.FormatFloat(v, 'g', -1, 64)}
	case []byte:
		return map[string]string{"blob": base64.StdEncoding.EncodeToString(v)}
	}
	return v
}

// fromJSON returns what it cannot read as it is: the kit refuses values of other types.
func fromJSON(v any) any {
	switch v := v.(type) {
	case json.Number:
		if number, err := v.Int64(); err == nil {
			return number
		}
	case map[string]any:
		if text, is := v["real"].(string); is {
			if number, err := strconv.ParseFloat(text, 64); err == nil {
				return number
			}
		}
		if text, is := v["blob"].(string); is {
			if blob, err := base64.StdEncoding.DecodeString(text); err == nil {
				return blob
			}
		}
	}
	return v
}

// failure is an error that shipdb has answered.
type failure struct{ Code, Message, Applied string }

func (f *failure) Error() string { return f.Code + ": " + f.Message }

// call sends JSON, and reads JSON.
func call(ctx context.Context, n *proc.Node, method, path string, ask, got any) error {
	body, err := json.Marshal(ask)
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
	decoder := json.NewDecoder(response.Body)
	decoder.UseNumber()
	if response.StatusCode == http.StatusOK {
		return decoder.Decode(got)
	}
	var refused struct{ Error *failure }
	if err := decoder.Decode(&refused); err != nil || refused.Error == nil {
		return fmt.Errorf("%s answers %s without an error: %w", path, response.Status, err)
	}
	return refused.Error
}

// judge reads errors. Of a connection that broke nothing is known.
func judge(err error) sqldb.Verdict {
	var f *failure
	if !errors.As(err, &f) {
		return sqldb.Verdict{}
	}
	v := sqldb.Verdict{Code: f.Code}
	if f.Applied == "no" {
		v.Outcome = target.NotApplied
	}
	switch f.Code {
	case "bad_request":
		v.Kind = target.ErrBadRequest
	case "refused":
		v.Kind = target.ErrRefused
	case "constraint":
		v.Kind = target.ErrConstraint
	case "sql":
		v.Kind = kind(f.Message)
	case "no_leader", "lost":
		v.Kind, v.Temporary = target.ErrNoLeader, true
	case "no_quorum", "replaced", "timeout":
		v.Kind, v.Temporary = target.ErrNoQuorum, true
	}
	return v
}

// kind reads SQLite's message.
func kind(message string) error {
	for text, kind := range map[string]error{
		"no such table": target.ErrNoSuchTable, "no such column": target.ErrNoSuchTable, "no such view": target.ErrNoSuchTable,
		"already exists": target.ErrExists, "syntax error": target.ErrSyntax, "incomplete input": target.ErrSyntax,
		"unrecognized token": target.ErrSyntax,
	} {
		if strings.Contains(message, text) {
			return kind
		}
	}
	return nil
}

// ownView asks GET /status. A node that has started does not know what is committed until a leader tells it.
func ownView(ctx context.Context, n *proc.Node) (target.Status, error) {
	var got struct {
		Role, Leader                string
		Term, Commit, Applied, Last uint64
	}
	if err := call(ctx, n, http.MethodGet, "/status", nil, &got); err != nil {
		return target.Status{}, err
	}
	s := target.Status{
		State: target.Online, Role: got.Role, Leader: got.Leader, Term: got.Term, CommitIndex: got.Commit, AppliedIndex: got.Applied,
		LogEntries: got.Last, LastContact: -1, Voter: true,
	}
	if got.Last > got.Applied {
		s.Behind = got.Last - got.Applied
	}
	if got.Role == "leader" {
		s.LedTerms = []uint64{got.Term}
	}
	switch {
	case got.Leader == "":
		s.State = target.Connecting
	case got.Commit == 0 || got.Applied < got.Commit:
		s.State = target.Syncing
	}
	return s, nil
}
