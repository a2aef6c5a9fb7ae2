package dedupe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// What the answer column of a Batch begins with: an answer of rows is not kept, one of numbers is. A letter a statement
// follows, then the numbers, each behind a comma.
const (
	unkept = "-"
	counts = "+"
)

// Around returns the statements between one that claims the ID and those that note how many rows were changed.
func (t Table) Around(request target.Request, statements []dialect.Statement) []dialect.Statement {
	shape := counts
	for _, s := range statements {
		switch {
		case s.Hidden:
		case s.Returns:
			shape = unkept
		case s.Counts:
			shape += "n"
		default:
			shape += "."
		}
		if shape == unkept {
			break
		}
	}
	out := []dialect.Statement{{
		SQL:    fmt.Sprintf("INSERT INTO %s (id, digest, answer) VALUES (%s, %s, %s)", t.Name, t.param(1), t.param(2), t.param(3)),
		Params: []any{request.ID, digest(request), shape}, Counts: true, Hidden: true,
	}}
	for _, s := range statements {
		out = append(out, s)
		if s.Counts && !s.Hidden && shape != unkept {
			out = append(out, dialect.Statement{
				SQL:    fmt.Sprintf("UPDATE %s SET answer = answer || ',' || %s WHERE id = %s", t.Name, t.Changed, t.param(1)),
				Params: []any{request.ID}, Counts: true, Hidden: true,
			})
		}
	}
	return out
}

// Applied returns the answer of a request that a Batch has applied before; nil if it was not.
func (t Table) Applied(ctx context.Context, ask dialect.Lookup, request target.Request) (*sqldb.Answer, error) {
	rows, err := ask(ctx, t.find(), request.ID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if err := same(request, rows[0][0]); err != nil {
		return nil, err
	}
	kept, err := text(rows[0][1])
	if err != nil {
		return nil, err
	}
	shape, numbers, _ := strings.Cut(kept, ",")
	if !strings.HasPrefix(shape, counts) {
		return nil, gone(request)
	}
	left := strings.Split(numbers, ",")
	answer := &sqldb.Answer{}
	for _, c := range shape[len(counts):] {
		result := sqldb.Result{}
		if c == 'n' {
			if len(left) == 0 {
				return nil, errors.New("the table of requests has too few numbers")
			}
			if result.Affected, err = strconv.ParseInt(left[0], 10, 64); err != nil {
				return nil, fmt.Errorf("the table of requests has no number: %w", err)
			}
			result.Counted, left = true, left[1:]
		}
		answer.Results = append(answer.Results, result)
	}
	return answer, nil
}
