package targettest

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ofSQL are the checks of requests and answers on a sound cluster.
func ofSQL() []Check {
	return []Check{
		{Name: "keeps values exact", run: keepsValues},
		{Name: "answers several statements as one transaction, in order", run: answersInOrder},
		{Name: "gives equal rows equal encodings, and others not", run: encodesRows},
		{Name: "goes on after an answer that was closed early", run: closesEarly},
		{Name: "says that a refused statement was not applied, and why", run: refuses},
		{Name: "shows an acknowledged write everywhere", run: showsWrites},
		{Name: "applies a request with an ID once", Needs: []target.Ability{target.Dedup}, run: appliesOnce},
		{Name: "refuses another request with the ID of an applied one", Needs: []target.Ability{target.Dedup}, run: refusesReuse},
	}
}

func answersInOrder(ctx context.Context, s *subject) error {
	a, b := s.key(), s.key()
	sql := fmt.Sprintf("INSERT INTO %[1]s (k) VALUES (%[2]d); INSERT INTO %[1]s (k) VALUES (%[3]d)", table, a, b)
	answer, err := s.calmly(ctx, s.client(0), target.Request{SQL: sql})
	if err != nil {
		return wrong("SQL.Query", "a request of two INSERTs failed: %v", err)
	}
	if len(answer) != 2 {
		return wrong("Rows.NextResult", "a request of two INSERTs has %d results", len(answer))
	}
	answer, err = s.calmly(ctx, s.client(0), target.Request{SQL: "SELECT 1; SELECT 2, 3; SELECT 4 WHERE 1 = 0"})
	if err != nil {
		return wrong("SQL.Query", "a request of three SELECTs failed: %v", err)
	}
	if want := [][][]any{{{int64(1)}}, {{int64(2), int64(3)}}, nil}; !reflect.DeepEqual(answer, want) {
		return wrong("Rows.NextResult", "SELECT 1; SELECT 2, 3; SELECT 4 WHERE 1 = 0 answered %v in place of %v", answer, want)
	}
	c := s.key()
	sql = fmt.Sprintf("INSERT INTO %[1]s (k) VALUES (%[2]d); INSERT INTO %[1]s (k) VALUES (%[3]d)", table, c, a)
	if _, err := s.calmly(ctx, s.client(0), target.Request{SQL: sql}); err == nil {
		return wrong("Rows.Err", "a request whose second INSERT violates the primary key succeeded")
	}
	var is bool
	err = s.await(ctx, func(ctx context.Context) (err error) {
		is, err = s.has(ctx, s.client(0), target.Leader, c)
		return err
	})
	if err != nil {
		return wrong("SQL.Query", "a read failed: %v", err)
	}
	if is {
		return wrong("SQL.Query", "the second statement of a request failed, and the first was kept: a request must be one transaction")
	}
	return nil
}

func encodesRows(ctx context.Context, s *subject) error {
	const sql = "SELECT 1, 'a' UNION ALL SELECT 1, 'a' UNION ALL SELECT 1, 'b' UNION ALL SELECT 11, 'a' UNION ALL SELECT NULL, 'a'"
	rows, err := s.client(0).Query(ctx, target.Request{SQL: sql})
	if err != nil {
		return wrong("SQL.Query", "%s failed: %v", sql, err)
	}
	defer func() { _ = rows.Close() }() // what it says is known from other checks
	encodings := make(map[string]string)
	for rows.NextResult() {
		if n := len(rows.Columns()); n != 2 {
			return wrong("Rows.Columns", "a SELECT of two columns has %d", n)
		}
		for rows.Next() {
			raw := string(rows.Raw())
			row, err := rows.Row()
			if err != nil {
				return wrong("Rows.Row", "a row cannot be read: %v", err)
			}
			text := fmt.Sprint(row...)
			if was, is := encodings[raw]; is && was != text {
				return wrong("Rows.Raw", "the rows %s and %s have the same encoding", was, text)
			}
			for other, was := range encodings {
				if was == text && other != raw {
					return wrong("Rows.Raw", "two rows %s have different encodings", text)
				}
			}
			encodings[raw] = text
		}
	}
	if err := rows.Err(); err != nil || len(encodings) != 4 {
		return wrong("Rows.Next", "5 rows of which 2 are equal have %d encodings (error: %v)", len(encodings), err)
	}
	return nil
}

func closesEarly(ctx context.Context, s *subject) error {
	first, err := s.written(ctx, 0)
	if err != nil {
		return wrong("Node.Client", "%v", err)
	}
	for range 20 {
		rows, err := s.client(0).Query(ctx, target.Request{SQL: "SELECT k, v FROM " + table + "; SELECT 1"})
		if err != nil {
			return wrong("Rows.Close", "after answers that were closed early, a request failed: %v", err)
		}
		rows.NextResult()
		if err := rows.Close(); err != nil {
			return wrong("Rows.Close", "an answer that was not read to its end cannot be closed: %v", err)
		}
	}
	if _, err := s.has(ctx, s.client(0), target.Default, first); err != nil {
		return wrong("Rows.Close", "after answers that were closed early, a request failed: %v", err)
	}
	return nil
}

func refuses(ctx context.Context, s *subject) error {
	key, err := s.written(ctx, 0)
	if err != nil {
		return wrong("Node.Client", "%v", err)
	}
	for _, one := range []struct {
		sql  string
		kind error
	}{
		{fmt.Sprintf("INSERT INTO %s (k) VALUES (%d)", table, key), target.ErrConstraint},
		{"INSERT INTO " + space + ".missing VALUES (1)", target.ErrNoSuchTable},
		{"INSERT INTO", target.ErrSyntax},
	} {
		_, err := s.calmly(ctx, s.client(0), target.Request{SQL: one.sql})
		var e *target.Error
		switch {
		case err == nil:
			return wrong("SQL.Query", "%s succeeded", one.sql)
		case !errors.As(err, &e):
			return wrong("SQL.Query", "the error of %s is no *target.Error: %v", one.sql, err)
		case e.Outcome != target.NotApplied:
			return wrong("Error.Outcome", "the outcome of %s is %q in place of %q: %v", one.sql, e.Outcome, target.NotApplied, err)
		case !errors.Is(err, one.kind):
			return wrong("Error.Kind", "the error of %s has the kind %v in place of %v: %v", one.sql, e.Kind, one.kind, err)
		case e.Temporary:
			return wrong("Error.Temporary", "the error of %s is temporary, and the statement can never succeed", one.sql)
		}
	}
	return nil
}
