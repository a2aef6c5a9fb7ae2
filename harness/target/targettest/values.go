package targettest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
)

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
		if _, err := s.calmly(ctx, s.client(0), target.Request{SQL: sql, Params: []any{key, v.value}}); err != nil {
			return wrong("SQL.Query", "the parameter %s was refused: %v", shown(v.value), err)
		}
		for _, level := range []target.Consistency{target.Default, target.Leader, target.Strong} {
			answer, err := s.calmly(ctx, s.client(0), target.Request{
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
