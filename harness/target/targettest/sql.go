package targettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

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

// value is a value of a column of the types' table.
type value struct {
	column string
	value  any
}

// values are those that are lost most often on the way.
func values() []value {
	long := strings.Repeat("long, and longer than a buffer; ", 4<<10)
	return []value{
		{"i", nil}, {"r", nil}, {"s", nil}, {"b", nil},
		{"i", int64(0)}, {"i", int64(-1)}, {"i", int64(1<<53 + 1)}, {"i", int64(math.MaxInt64)}, {"i", int64(math.MinInt64)},
		{"r", 0.1}, {"r", 1.0}, {"r", -1e-300}, {"r", math.MaxFloat64}, {"r", math.SmallestNonzeroFloat64},
		{"s", ""}, {"s", "it's \"quoted\" \\ `and` %s {ns} ? $1 :x -- not a comment; DROP"}, {"s", "null"}, {"s", "42"},
		{"s", "línea ß 東京 🙂 e\u0301 \u200b"}, {"s", "two\nlines\r\n\tand a tab "}, {"s", long},
		{"b", []byte{}}, {"b", []byte{0}}, {"b", []byte("a\x00b\x00")}, {"b", []byte{0xff, 0xfe, 0x80, '\'', '"', '\\'}}, {"b", []byte("text")},
		{"b", bytes.Repeat([]byte{0, 1, 2, 255}, 8<<10)},
	}
}

func keepsValues(ctx context.Context, s *subject) error {
	for _, v := range values() {
		key := s.key()
		sql := fmt.Sprintf("INSERT INTO %s (k, %s) VALUES (?, ?)", types, v.column)
		if _, err := s.ask(ctx, s.client(0), target.Request{SQL: sql, Params: []any{key, v.value}}); err != nil {
			return wrong("SQL.Query", "the parameter %s was refused: %v", shown(v.value), err)
		}
		for _, level := range []target.Consistency{target.Default, target.Leader, target.Strong} {
			answer, err := s.ask(ctx, s.client(0), target.Request{
				SQL: fmt.Sprintf("SELECT %s FROM %s WHERE k = ?", v.column, types), Params: []any{key}, Consistency: level,
			})
			if err != nil {
				return wrong("SQL.Query", "a read of a row that was just written failed at consistency %q: %v", level, err)
			}
			if level == target.Default && (len(answer) != 1 || len(answer[0]) == 0) {
				continue // its default may be the state of the node
			}
			if len(answer) != 1 || len(answer[0]) != 1 || len(answer[0][0]) != 1 {
				return wrong("SQL.Query", "a read of one value answered %d results at consistency %q", len(answer), level)
			}
			if got := answer[0][0][0]; !reflect.DeepEqual(got, v.value) {
				return wrong("Rows.Row or the parameters of SQL.Query", "%s was written, and %s read", shown(v.value), shown(got))
			}
		}
	}
	return nil
}

// shown is a value in short.
func shown(v any) string {
	text := fmt.Sprintf("%T %#v", v, v)
	if b, is := v.([]byte); is {
		text = fmt.Sprintf("[]byte %q", b)
	}
	if len(text) > 60 {
		text = fmt.Sprintf("%.60s… (%d bytes)", text, len(text))
	}
	return text
}

func answersInOrder(ctx context.Context, s *subject) error {
	a, b := s.key(), s.key()
	sql := fmt.Sprintf("INSERT INTO %[1]s (k) VALUES (%[2]d); INSERT INTO %[1]s (k) VALUES (%[3]d)", table, a, b)
	answer, err := s.ask(ctx, s.client(0), target.Request{SQL: sql})
	if err != nil {
		return wrong("SQL.Query", "a request of two INSERTs failed: %v", err)
	}
	if len(answer) != 2 {
		return wrong("Rows.NextResult", "a request of two INSERTs has %d results", len(answer))
	}
	answer, err = s.ask(ctx, s.client(0), target.Request{SQL: "SELECT 1; SELECT 2, 3; SELECT 4 WHERE 1 = 0"})
	if err != nil {
		return wrong("SQL.Query", "a request of three SELECTs failed: %v", err)
	}
	if want := [][][]any{{{int64(1)}}, {{int64(2), int64(3)}}, nil}; !reflect.DeepEqual(answer, want) {
		return wrong("Rows.NextResult", "SELECT 1; SELECT 2, 3; SELECT 4 WHERE 1 = 0 answered %v in place of %v", answer, want)
	}
	c := s.key()
	sql = fmt.Sprintf("INSERT INTO %[1]s (k) VALUES (%[2]d); INSERT INTO %[1]s (k) VALUES (%[3]d)", table, c, a)
	if _, err := s.ask(ctx, s.client(0), target.Request{SQL: sql}); err == nil {
		return wrong("Rows.Err", "a request whose second INSERT violates the primary key succeeded")
	}
	is, err := s.has(ctx, s.client(0), target.Leader, c)
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
		_, err := s.ask(ctx, s.client(0), target.Request{SQL: one.sql})
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

func showsWrites(ctx context.Context, s *subject) error {
	for i := range s.Nodes() {
		before := s.indexes(ctx)
		key, err := s.written(ctx, i)
		if err != nil {
			return wrong("Node.Client", "a sound node took no write: %v", err)
		}
		for _, level := range []target.Consistency{target.Leader, target.Strong} {
			for j := range s.Nodes() {
				is, err := s.has(ctx, s.client(j), level, key)
				if err != nil {
					return wrong("Request.Consistency", "a %q read at node %s failed: %v", level, s.id(j), err)
				}
				if !is {
					return wrong("Request.Consistency", "node %s acknowledged a row, and a %q read at node %s does not show it: "+
						"it is acknowledged too early, or the read is answered by one that is behind", s.id(i), level, s.id(j))
				}
			}
		}
		if err := s.showsApplied(ctx, i, before, key); err != nil {
			return err
		}
	}
	return nil
}

// indexes are the applied indexes of the nodes; 0 is unknown.
func (s *subject) indexes(ctx context.Context) []uint64 {
	all := make([]uint64, len(s.Nodes()))
	for i, n := range s.Nodes() {
		if status, err := n.Status(ctx); err == nil {
			all[i] = status.AppliedIndex
		}
	}
	return all
}

// showsApplied checks that each node shows the key once it says that it has applied it.
func (s *subject) showsApplied(ctx context.Context, from int, before []uint64, key int64) error {
	committed, err := s.Nodes()[from].Status(ctx)
	if err != nil {
		return wrong("Node.Status", "the status of the sound node %s cannot be read: %v", s.id(from), err)
	}
	for i, n := range s.Nodes() {
		if err := s.shows(ctx, i, key); err != nil {
			return wrong("Node.Inside", "node %s acknowledged a row that never came to node %s: %v", s.id(from), s.id(i), err)
		}
		if committed.CommitIndex == 0 {
			continue
		}
		var status target.Status
		err := s.await(ctx, func(ctx context.Context) (err error) {
			status, err = n.Status(ctx)
			if err == nil && status.AppliedIndex <= before[i] {
				err = fmt.Errorf("it was %d before the row and is %d", before[i], status.AppliedIndex)
			}
			return err
		})
		if err != nil {
			return wrong("Status.AppliedIndex", "node %s shows a new row, and its applied index has not grown: %v", n.ID(), err)
		}
	}
	return s.appliedMeansVisible(ctx, from)
}

// appliedMeansVisible writes a row, and reads from each node when its applied index is that of the node that acknowledged it.
func (s *subject) appliedMeansVisible(ctx context.Context, from int) error {
	for range 10 {
		key, err := s.written(ctx, from)
		if err != nil {
			return wrong("Node.Client", "%v", err)
		}
		acknowledged, err := s.Nodes()[from].Status(ctx)
		if err != nil || acknowledged.CommitIndex == 0 {
			return nil //nolint:nilerr // another check is about the status
		}
		for i, n := range s.Nodes() {
			err := s.await(ctx, func(ctx context.Context) error {
				status, err := n.Status(ctx)
				if err == nil && status.AppliedIndex < acknowledged.CommitIndex {
					err = fmt.Errorf("it has applied %d of %d", status.AppliedIndex, acknowledged.CommitIndex)
				}
				return err
			})
			if err != nil {
				return wrong("Status.AppliedIndex", "node %s does not reach the commit index of node %s: %v", n.ID(), s.id(from), err)
			}
			is, err := s.has(ctx, s.inside(i), target.Local, key)
			if err != nil {
				return wrong("Node.Inside", "a local read of node %s failed: %v", n.ID(), err)
			}
			if !is {
				return wrong("Status.AppliedIndex", "node %s says that it has applied what was committed, and does not show it", n.ID())
			}
		}
	}
	return nil
}

func appliesOnce(ctx context.Context, s *subject) error {
	deduplicator, _ := target.As[target.Deduplicator](s.Cluster)
	if deduplicator.Memory() < 1 {
		return wrong("Deduplicator.Memory", "nodes remember %d requests", deduplicator.Memory())
	}
	key := s.key()
	if _, err := s.ask(ctx, s.client(0), target.Request{SQL: fmt.Sprintf("INSERT INTO %s (k, i) VALUES (%d, 0)", types, key)}); err != nil {
		return wrong("Node.Client", "a sound node took no write: %v", err)
	}
	request := target.Request{
		SQL: fmt.Sprintf("UPDATE %s SET i = i + 1 WHERE k = %d", types, key), ID: fmt.Sprintf("conformance-%d", key),
	}
	for i := range 2 * len(s.Nodes()) {
		_, err := s.ask(ctx, s.client(i%len(s.Nodes())), request)
		if err != nil && (i == 0 || !errors.Is(err, target.ErrAnswerGone)) {
			return wrong("Request.ID", "a request that is sent again with its ID failed: %v", err)
		}
	}
	answer, err := s.ask(ctx, s.client(0), target.Request{
		SQL: fmt.Sprintf("SELECT i FROM %s WHERE k = %d", types, key), Consistency: target.Strong,
	})
	if want := [][][]any{{{int64(1)}}}; err != nil || !reflect.DeepEqual(answer, want) {
		return wrong("Request.ID", "a request that was sent %d times with one ID was not applied once: i + 1 from 0 is %v (error: %v)",
			2*len(s.Nodes()), answer, err)
	}
	for i := range s.Nodes() {
		err := s.await(ctx, func(ctx context.Context) error {
			ids, err := deduplicator.Remembered(ctx, i)
			if err == nil && !ids[request.ID] {
				err = fmt.Errorf("it is not among %d", len(ids))
			}
			return err
		})
		if err != nil {
			return wrong("Deduplicator.Remembered", "node %s does not remember the ID of an applied request: %v", s.id(i), err)
		}
	}
	return nil
}

func refusesReuse(ctx context.Context, s *subject) error {
	first, second := insertion(s.key()), insertion(s.key())
	first.ID = fmt.Sprintf("conformance-%d", first.Params[0])
	second.ID = first.ID
	second.SQL = strings.Replace(second.SQL, "VALUES", "\nVALUES", 1)
	if _, err := s.ask(ctx, s.client(0), first); err != nil {
		return wrong("Request.ID", "a request with an ID failed: %v", err)
	}
	_, err := s.ask(ctx, s.client(0), second)
	if !errors.Is(err, target.ErrKeyReused) || target.OutcomeOf(err) != target.NotApplied {
		return wrong("Request.ID", "another request with the ID of an applied one must fail with ErrKeyReused, not applied, and answers: %v", err)
	}
	return nil
}
