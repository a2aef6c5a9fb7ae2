package rqlite

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// levels are rqlite's names of consistencies. Its own default is weak.
var levels = map[target.Consistency]string{
	target.Default: "weak", target.Local: "none", target.Leader: "weak", target.Strong: "linearizable",
}

const (
	forwarding   = "2s" // for the leader to answer a node that forwards a request
	linearizable = "2s" // for a read to be confirmed
)

// result is rqlite's answer to a statement.
type result struct {
	Columns  []string `json:"columns"`
	Types    []string `json:"types"`
	Values   [][]any  `json:"values"`
	Affected int64    `json:"rows_affected"`
	Error    string   `json:"error"`
}

// send executes statements as one transaction: by /db/query if all of them read, by /db/execute if none returns rows, and else by
// /db/request.
func send(n *proc.Node) sqldb.Send {
	return func(ctx context.Context, level target.Consistency, statements []dialect.Statement) ([]sqldb.Result, error) {
		path, query := "/db/request", url.Values{"transaction": {""}, "blob_array": {""}, "timeout": {forwarding}}
		switch {
		case !slices.ContainsFunc(statements, func(s dialect.Statement) bool { return !s.Reads }):
			path = "/db/query"
			query.Set("level", levels[level])
			query.Set("linearizable_timeout", linearizable)
		case !slices.ContainsFunc(statements, func(s dialect.Statement) bool { return s.Returns }):
			path = "/db/execute"
		}
		body := make([][]any, len(statements))
		for i, s := range statements {
			params, err := sqldb.ToJSON("rqlite's JSON", s)
			if err != nil {
				return nil, err
			}
			body[i] = append([]any{s.SQL}, params...)
		}
		var said struct {
			Results []result `json:"results"`
			Error   string   `json:"error"`
		}
		if err := n.SendJSON(ctx, http.MethodPost, path+"?"+query.Encode(), nil, body, &said); err != nil {
			return nil, err
		}
		if said.Error != "" {
			return nil, &refusal{said.Error, false}
		}
		results := make([]sqldb.Result, len(said.Results))
		for i, r := range said.Results {
			if r.Error != "" {
				return nil, &refusal{r.Error, true}
			}
			results[i] = r.exact()
			results[i].Counted = i < len(statements) && statements[i].Counts
			if r.Columns != nil { // rows in place of their number: a change returns each row that it changed
				results[i].Affected = int64(len(r.Values))
			}
		}
		return results, nil
	}
}

// exact is the result with exact values.
func (r result) exact() sqldb.Result {
	out := sqldb.Result{Affected: r.Affected}
	for i, name := range r.Columns {
		out.Columns = append(out.Columns, target.Column{Name: name, Type: r.Types[i]})
	}
	for _, row := range r.Values {
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = sqldb.FromJSON(isReal(r.Types[i]), v)
		}
		out.Rows = append(out.Rows, values)
	}
	return out
}

// isReal tells whether a column holds floating-point numbers: JSON does not tell 1.0 from 1.
func isReal(columnType string) bool {
	kind := strings.ToUpper(columnType)
	return strings.Contains(kind, "REAL") || strings.Contains(kind, "FLOA") || strings.Contains(kind, "DOUB")
}

// refusal is an error that rqlite has answered: to the whole request, or to a statement of it.
type refusal struct {
	message   string
	statement bool
}

func (r *refusal) Error() string { return r.message }

// judge reads errors. A node that forwards a request and loses the connection sends it again by itself, so that the last word of a
// leader is not all that has happened: only what is refused before it is forwarded, or by SQLite, was not applied.
func judge(err error) sqldb.Verdict {
	var answer *proc.HTTPError
	var said *refusal
	switch {
	case errors.As(err, &answer) && answer.Status == http.StatusServiceUnavailable: // leader not found
		return sqldb.Verdict{Code: "NO_LEADER", Kind: target.ErrNoLeader, Outcome: target.NotApplied, Temporary: true}
	case errors.As(err, &answer) && answer.Status < http.StatusInternalServerError:
		return sqldb.Verdict{Code: "BAD_REQUEST", Kind: target.ErrBadRequest, Outcome: target.NotApplied}
	case !errors.As(err, &said):
		return sqldb.Verdict{}
	case said.statement && strings.Contains(said.message, "disk"):
		return sqldb.Verdict{Code: "STORAGE"}
	case said.statement:
		return sqldb.SQLite(0, said.message)
	case strings.Contains(said.message, "leadership lost"):
		return sqldb.Verdict{Code: "NO_QUORUM", Kind: target.ErrNoQuorum, Temporary: true}
	}
	return sqldb.Verdict{Code: "NOT_LEADER", Kind: target.ErrNoLeader, Temporary: true}
}
