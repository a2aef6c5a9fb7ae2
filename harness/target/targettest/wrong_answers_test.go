package targettest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ofAnswers are mistakes about values, errors and contexts.
func ofAnswers() []mistake {
	const exact = "keeps values exact"
	isChange := func(r target.Request) bool { return !strings.HasPrefix(r.SQL, "SELECT") }
	return []mistake{
		{"that reads integers as floats", exact, "Rows.Row", values(func(v any) any {
			if n, is := v.(int64); is {
				return int64(float64(n))
			}
			return v
		})},
		{"that reads NULL as a text", exact, "Rows.Row", values(func(v any) any {
			if v == nil {
				return ""
			}
			return v
		})},
		{"that ends blobs at a zero byte", exact, "Rows.Row", values(func(v any) any {
			if b, is := v.([]byte); is {
				b, _, _ = bytes.Cut(b, []byte{0})
				return b
			}
			return v
		})},
		{"that reads blobs as text", exact, "Rows.Row", values(func(v any) any {
			if b, is := v.([]byte); is {
				return string(b)
			}
			return v
		})},
		{"that reads floats as integers", exact, "Rows.Row", values(func(v any) any {
			if f, is := v.(float64); is && f == float64(int64(f)) {
				return int64(f)
			}
			return v
		})},
		{"that escapes quotes in parameters", exact, "parameters", parameters(func(s string) string { return strings.ReplaceAll(s, "'", "''") })},
		{"that sends text as ASCII", exact, "parameters", parameters(func(s string) string {
			return strings.Map(func(r rune) rune { return min(r, '~') }, s)
		})},
		{"that cuts long values", exact, "parameters", parameters(func(s string) string { return s[:min(len(s), 1<<16)] })},
		{"that changes line ends", exact, "parameters", parameters(func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") })},
		{"that answers the last statement only", "answers several statements as one transaction, in order", "Rows.NextResult",
			answers(func(rows target.Rows) target.Rows { return &lastOnly{rows, false} })},
		{"that sends statements one by one", "answers several statements as one transaction, in order", "SQL.Query",
			func(c target.Cluster) target.Cluster {
				return both(c, func(sql target.SQL) target.SQL {
					return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
						if first, rest, several := strings.Cut(r.SQL, "; INSERT"); several {
							rows, err := sql.Query(ctx, target.Request{SQL: first})
							if err != nil {
								return nil, err
							}
							if _, err := sql.Query(ctx, target.Request{SQL: "INSERT" + rest}); err != nil {
								return nil, errors.Join(err, rows.Close())
							}
							r.SQL = "SELECT 1; SELECT 1"
						}
						return sql.Query(ctx, r)
					})
				})
			}},
		{"whose encoding has no lengths", "gives equal rows equal encodings, and others not", "Rows.Raw",
			answers(func(rows target.Rows) target.Rows { return plainly{rows} })},
		{"that swallows the error of a statement", "says that a refused statement was not applied, and why", "SQL.Query",
			func(c target.Cluster) target.Cluster {
				return both(c, func(sql target.SQL) target.SQL {
					return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
						rows, err := sql.Query(ctx, r)
						if errors.Is(err, target.ErrConstraint) {
							return sql.Query(ctx, target.Request{SQL: "SELECT 1"})
						}
						return rows, err
					})
				})
			}},
		{"whose errors have no kind", "says that a refused statement was not applied, and why", "Error.Kind",
			errs(func(e *target.Error) { e.Kind, e.Cause = nil, nil })},
		{"whose errors are never sure", "says that a refused statement was not applied, and why", "Error.Outcome",
			errs(func(e *target.Error) { e.Outcome = target.Unknown })},
		{"whose errors are all temporary", "says that a refused statement was not applied, and why", "Error.Temporary",
			errs(func(e *target.Error) { e.Temporary = true })},
		{"whose unreachable nodes have no kind", "says that an isolated node is unreachable for now", "Error.Kind",
			errs(func(e *target.Error) { e.Kind, e.Cause = nil, nil })},
		{"whose unreachable nodes are so for good", "says that an isolated node is unreachable for now", "Error.Temporary",
			errs(func(e *target.Error) { e.Temporary = false })},
		{"that acknowledges what it has sent", "acknowledges nothing without a quorum", "SQL.Query", func(c target.Cluster) target.Cluster {
			return both(c, func(sql target.SQL) target.SQL {
				return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
					rows, err := sql.Query(ctx, r)
					if errors.Is(err, target.ErrNoLeader) {
						return sql.Query(ctx, target.Request{SQL: "SELECT 1"})
					}
					return rows, err
				})
			})
		}},
		{"that says not applied of a lost answer", "is honest about a write whose answer is lost", "Error.Outcome",
			errs(func(e *target.Error) { e.Outcome = target.NotApplied })},
		{"that sends a write to another node after a crash, and says not applied", "is honest about writes while a node is crashed",
			"Error.Outcome", func(c target.Cluster) target.Cluster {
				return over{Cluster: c, client: func(node int, sql target.SQL) target.SQL {
					return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
						rows, err := sql.Query(ctx, r)
						if err == nil || !isChange(r) {
							return rows, err
						}
						other := c.Nodes()[(node+1)%len(c.Nodes())].Client()
						if rows, again := other.Query(ctx, r); again == nil {
							_ = rows.Close()
						}
						return nil, &target.Error{Node: c.Nodes()[node].ID(), Message: err.Error(), Outcome: target.NotApplied, Cause: err}
					})
				}}
			}},
		{"that says applied of what a stopped node refused", "is honest about writes while a node is stopped", "Error.Outcome",
			errs(func(e *target.Error) { e.Outcome = target.Applied })},
		{"that acknowledges what an isolated node refused", "is honest about writes while a node is isolated", "SQL.Query",
			func(c target.Cluster) target.Cluster {
				return over{Cluster: c, client: func(node int, sql target.SQL) target.SQL {
					return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
						rows, err := sql.Query(ctx, r)
						if err != nil && isChange(r) {
							return c.Nodes()[node].Inside().Query(ctx, target.Request{SQL: "SELECT 1"})
						}
						return rows, err
					})
				}}
			}},
		{"that ignores the ID of a request", "applies a request with an ID once", "Request.ID", requests(func(r *target.Request) { r.ID = "" })},
		{"that takes an ID for another request", "refuses another request with the ID of an applied one", "Request.ID",
			requests(func(r *target.Request) {
				if r.ID != "" {
					r.ID += fmt.Sprint(len(r.SQL))
				}
			})},
		{"that ignores contexts", "obeys a context that ends at a paused node", "Node.", func(c target.Cluster) target.Cluster {
			return both(c, func(sql target.SQL) target.SQL {
				return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
					ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
					defer cancel()
					return sql.Query(ctx, r)
				})
			})
		}},
		{"that sends requests whose context has ended", "obeys a context that ends", "SQL.Query", func(c target.Cluster) target.Cluster {
			return both(c, func(sql target.SQL) target.SQL {
				return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
					return sql.Query(context.WithoutCancel(ctx), r)
				})
			})
		}},
		{"that cannot close an answer early", "goes on after an answer that was closed early", "Rows.Close",
			answers(func(rows target.Rows) target.Rows { return unfinished{rows} })},
	}
}

// parameters changes the texts in parameters.
func parameters(change func(string) string) func(target.Cluster) target.Cluster {
	return requests(func(r *target.Request) {
		params := append([]any(nil), r.Params...)
		for i := range params {
			if text, is := params[i].(string); is {
				params[i] = change(text)
			}
		}
		r.Params = params
	})
}

// lastOnly has the last result alone.
type lastOnly struct {
	target.Rows
	over bool
}

func (r *lastOnly) NextResult() bool {
	if r.over {
		return false
	}
	r.over = true
	return r.Rows.NextResult()
}

// plainly encodes rows without the types and lengths of values.
type plainly struct{ target.Rows }

func (r plainly) Raw() []byte {
	row, _ := r.Row()
	if len(row) > 1 && row[0] == nil {
		row[0] = int64(1)
	}
	return []byte(fmt.Sprint(row...))
}

// unfinished fails to close.
type unfinished struct{ target.Rows }

func (r unfinished) Close() error {
	if r.Next() {
		return errors.New("there are more rows")
	}
	return r.Rows.Close()
}
