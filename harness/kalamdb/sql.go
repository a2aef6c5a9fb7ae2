package kalamdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/proc"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// client speaks to a node.
type client struct {
	node *proc.Node
	pass *pass
}

// pass is the token of root, which each node of each cluster takes: their secrets are equal. A login takes half a second of processor or
// more, so that there is one at a time, and it goes on when the time of the request that began it is up.
type pass struct {
	autocommit bool // see Options

	gate  chan struct{} // has room while no client logs in
	token atomic.Pointer[string]
}

func newPass(o Options) *pass { return &pass{autocommit: o.Autocommit, gate: make(chan struct{}, 1)} }

// patience is how long a login may take: many nodes of a debug build may start on the same processor.
const patience = 30 * time.Second

// login returns the token of root.
func (c *client) login(ctx context.Context) (string, error) {
	if known := c.pass.token.Load(); known != nil {
		return *known, nil
	}
	select {
	case c.pass.gate <- struct{}{}:
		defer func() { <-c.pass.gate }()
	case <-ctx.Done():
		return "", &target.Error{
			Code: "LOGIN", Kind: target.ErrUnauthorized, Outcome: target.NotApplied, Temporary: true,
			Message: "another client logs in", Cause: context.Cause(ctx),
		}
	}
	if known := c.pass.token.Load(); known != nil {
		return *known, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var said struct {
		Token string `json:"access_token"`
	}
	err := c.node.SendJSON(ctx, http.MethodPost, "/v1/api/auth/login", nil, map[string]string{"user": user, "password": secret}, &said)
	if e := (*target.Error)(nil); err != nil && !errors.As(err, &e) {
		err = &target.Error{
			Code: "LOGIN", Kind: target.ErrUnauthorized, Outcome: target.NotApplied, Temporary: true, Message: err.Error(), Cause: err,
		}
	}
	if err == nil {
		c.pass.token.Store(&said.Token)
	}
	return said.Token, err
}

// result is KalamDB's answer to a statement.
type result struct {
	Schema []column `json:"schema"`
	Rows   [][]any  `json:"rows"`
	Count  int64    `json:"row_count"`
}

type column struct {
	Name string `json:"name"`
	Type string `json:"data_type"`
}

func (c *client) post(ctx context.Context, text string) ([]result, error) {
	token, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	var said struct{ Results []result }
	header := http.Header{"Authorization": {"Bearer " + token}}
	err = c.node.SendJSON(ctx, http.MethodPost, "/v1/api/sql", header, map[string]string{"sql": text}, &said)
	return said.Results, err
}

// ask returns the rows of a query in KalamDB's own words.
func (c *client) ask(ctx context.Context, query string) ([][]any, error) {
	results, err := c.post(ctx, query)
	if err != nil || len(results) != 1 {
		return nil, errors.Join(err, c.wrongNumber(results, 1, err))
	}
	out, err := rowsOf(results[0])
	return out.Rows, err
}

func (c *client) wrongNumber(results []result, want int, err error) error {
	if err != nil {
		return nil
	}
	return fmt.Errorf("node %s answers %d results, and %d were expected", c.node.Name(), len(results), want)
}

// send executes statements. Those that change rows are one batch between BEGIN and COMMIT, whose answers have no order, and no
// number of rows of each of several statements.
func (c *client) send(ctx context.Context, level target.Consistency, statements []dialect.Statement) ([]sqldb.Result, error) {
	changes, returns := false, 0
	texts := make([]string, len(statements))
	for i, s := range statements {
		changes = changes || !s.Reads
		if s.Returns {
			returns++
		}
		if !s.Reads && !s.Counts && len(statements) > 1 {
			return nil, dialect.Unsupported(name, s.SQL, "several statements, one of which changes the schema, in one transaction")
		}
		var err error
		if texts[i], err = dialect.Inline(name, s); err != nil {
			return nil, err
		}
	}
	switch {
	case level == target.Local && !changes && len(statements) == 1:
		local, err := c.subscribed(ctx, texts[0])
		return []sqldb.Result{local}, err
	case level == target.Local && !changes:
		return nil, dialect.Unsupported(name, statements[0].SQL, "several local reads at once")
	case changes && returns > 0:
		return nil, dialect.Unsupported(name, statements[0].SQL, "reads and changes in one transaction")
	case changes && statements[0].Counts && (len(statements) > 1 || !c.pass.autocommit):
		texts = append(append([]string{"BEGIN"}, texts...), "COMMIT")
	}
	results, err := c.post(ctx, strings.Join(texts, "; "))
	if err != nil {
		return nil, err
	}
	out := make([]sqldb.Result, len(statements))
	switch {
	case !changes && len(results) != len(statements), len(results) == 0:
		return nil, c.wrongNumber(results, len(statements), nil)
	case !changes:
		for i, r := range results {
			if out[i], err = rowsOf(r); err != nil {
				return nil, err
			}
		}
	case len(statements) == 1: // the results of BEGIN and COMMIT come first
		out[0] = sqldb.Result{Affected: results[len(results)-1].Count, Counted: statements[0].Counts}
	}
	return out, nil
}

// rowsOf is a result with exact values. One with as many rows as a SELECT may have was perhaps cut off, which is an error.
func rowsOf(r result) (out sqldb.Result, err error) {
	if len(r.Rows) >= mostRows {
		return out, fmt.Errorf("the answer has %d rows, and may lack others: KalamDB cuts off longer ones", len(r.Rows))
	}
	for _, c := range r.Schema {
		out.Columns = append(out.Columns, target.Column{Name: c.Name, Type: c.Type})
	}
	for _, row := range r.Rows {
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = exact(r.Schema[i].Type, v)
		}
		out.Rows = append(out.Rows, values)
	}
	return out, nil
}

// exact is a cell as an exact value. Integers of 64 bits are texts.
func exact(kind string, v any) any {
	if text, is := v.(string); is && kind == "BigInt" {
		v = json.Number(text)
	}
	return sqldb.FromJSON(kind == "Double" || kind == "Float", v)
}

// judge reads errors. A node may pass a request on twice, and a leader without a quorum may still commit what it has been asked:
// only what is wrong with the statement was certainly not applied.
func judge(err error) sqldb.Verdict {
	var answer *proc.HTTPError
	if !errors.As(err, &answer) {
		return sqldb.Verdict{}
	}
	var said struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal([]byte(answer.Text), &said) // another text has no code
	v := sqldb.Verdict{Code: said.Error.Code, Outcome: target.NotApplied}
	message := strings.ToLower(said.Error.Message)
	has := func(text string) bool { return strings.Contains(message, text) }
	switch {
	case has("leader"), v.Code == "NOT_LEADER", v.Code == "FORWARD_FAILED", v.Code == "CLUSTER_UNAVAILABLE":
		v.Kind, v.Outcome, v.Temporary = target.ErrNoLeader, target.Unknown, true
	case v.Code == "RATE_LIMIT_EXCEEDED":
		v.Kind, v.Temporary = target.ErrTimeout, true
	case v.Code == "PERMISSION_DENIED", answer.Status == http.StatusUnauthorized:
		v.Kind = target.ErrUnauthorized
	case v.Code == "INVALID_INPUT", v.Code == "INVALID_PARAMETER", v.Code == "PARAMS_WITH_BATCH":
		v.Kind = target.ErrBadRequest
	case has("primary key violation"):
		v.Kind = target.ErrConstraint
	case v.Code == "TABLE_NOT_FOUND", has("not found"), has("does not exist"):
		v.Kind = target.ErrNoSuchTable
	case has("already exists"):
		v.Kind = target.ErrExists
	case v.Code == "INVALID_SQL", v.Code == "BATCH_PARSE_ERROR", v.Code == "EMPTY_SQL", has("syntax"), has("parse"):
		v.Kind = target.ErrSyntax
	default:
		v.Outcome = target.Unknown
	}
	return v
}
