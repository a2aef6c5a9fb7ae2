package sqltext_test

import (
	"database/sql/driver"
	"reflect"
	"strings"
	"testing"

	"github.com/mattn/go-sqlite3"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var seeds = []string{
	"SELECT t.i FROM ns.t, a.t WHERE ns.t.i IN b.u; -- c\nSELECT $1, 'a''b', x'00', [c], `d` /* e",
	"CREATE TRIGGER ns.g AFTER UPDATE OF begin ON t WHEN CASE 1 WHEN begin THEN 2 END BEGIN UPDATE ns.u SET a = u.a; SELECT 1; END; SELECT 1",
	"INSERT INTO ns.t AS o SELECT * FROM (ns.u JOIN a.v USING (i)) ON CONFLICT DO UPDATE SET i = o.i RETURNING t.i",
	"CREATE TABLE ns.t (i REFERENCES u CHECK (t.i > 1.5e-3)); CREATE INDEX i ON ns.t (i); ALTER TABLE ns.t RENAME TO u",
	"WITH c AS (SELECT 1) UPDATE OR FAIL ns.t AS x SET i = 1 FROM c, ns.f(1) y INDEXED BY z WINDOW w AS (ORDER BY 1)",
	"CREATE TRIGGER begin AFTER UPDATE OF begin ON begin WHEN new.t NOT LIKE begin OR begin BEGIN UPDATE t SET begin = CASE i WHEN 1 THEN " +
		"2 END; SELECT 1; END; SELECT 2",
	"EXPLAIN CREATE TEMP TRIGGER g BEFORE DELETE ON t FOR EACH ROW BEGIN SELECT 1; END; SELECT x'00', ?, $a(;), `;`, [;], \";\"; VALUES (';')",
	"CREATE NAMESPACE IF NOT EXISTS \"a\"; DROP NAMESPACE a CASCADE; EXPLAIN QUERY PLAN DROP VIEW main.v",
	"SELECT ?, ?1, :a, @a, $a::b(c;d), $1, a->'$.b', #1 FROM ns.\"a \"\" b\"\"c\"",
	"CREATE TRIGGER a.begin; SELECT 1; CREATE TRIGGER a . begin AFTER INSERT ON a.t BEGIN SELECT 1; END; SELECT 2",
	"PRAGMA ns.table_info('t'); PRAGMA table_info(ns.t); EXPLAIN PRAGMA index_list = \"ns\".[t]; DROP NAMESPACE ns RESTRICT",
	"\uFEFFSELECT 1_000, 0xF, .5, 1., 1e+5 FROM [ns][t], 'ns'.'t''u'",
}

// FuzzSplit checks that Split is idempotent, and that it agrees with SQLite where SQLite can
// prepare the text.
func FuzzSplit(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close()
	for _, table := range []string{"CREATE TABLE t (i, begin)", "CREATE TABLE begin (i, t, begin)"} {
		if _, err := conn.(*sqlite3.SQLiteConn).Exec(table, nil); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, sql string) {
		statements, err := sqltext.Split(sql)
		if err != nil {
			return
		}
		again, err := sqltext.Split(strings.Join(texts(statements), ";"))
		if err != nil || !reflect.DeepEqual(again, statements) {
			t.Fatalf("%q was split into %q, and those into %q, %v", sql, texts(statements), texts(again), err)
		}
		for _, s := range statements {
			if s.Text == "" || !strings.Contains(sql, s.Text) {
				t.Fatalf("%q is not part of %q", s.Text, sql)
			}
		}
		if len(statements) == 0 || statements[0].Kind != sqltext.Other {
			return
		}
		tail, err := tailAfterFirst(conn, sql)
		if err != nil {
			return
		}
		rest, err := sqltext.Split(tail)
		if err != nil || !reflect.DeepEqual(texts(rest), texts(statements[1:])) {
			t.Fatalf("SQLite leaves %q of %q after the first statement, Split %q, %v", tail, sql, texts(statements[1:]), err)
		}
		if tail, err := tailAfterFirst(conn, statements[0].Text); err != nil || tail != "" {
			t.Fatalf("SQLite leaves %q of %q, which should be one statement, %v", tail, statements[0].Text, err)
		}
	})
}

// tailAfterFirst returns the text that SQLite leaves after the first non-empty statement.
func tailAfterFirst(conn driver.Conn, sql string) (string, error) {
	for {
		stmt, err := conn.Prepare(sql)
		if err != nil {
			return "", err
		}
		v := reflect.ValueOf(stmt).Elem()
		tail, empty := v.FieldByName("t").String(), v.FieldByName("s").IsNil()
		stmt.Close()
		if !empty || tail == "" {
			return tail, nil
		}
		sql = tail
	}
}

// FuzzQualify checks that Qualify does not change unrelated text, and never panics.
func FuzzQualify(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		statements, err := sqltext.Split(sql)
		if err == nil {
			statements = append(statements, sqltext.Statement{Text: sql})
		} else {
			statements = []sqltext.Statement{{Text: sql}}
		}
		for _, s := range statements {
			_, _ = s.Qualify(func(string) bool { return false })
			got, qualifyErr := s.Qualify(func(string) bool { return true })
			if !strings.ContainsAny(s.Text, ".$") && (qualifyErr != nil || got != s.Text) {
				t.Fatalf("%q became %q, %v", s.Text, got, qualifyErr)
			}
			if err != nil || qualifyErr != nil {
				continue
			}
			before, _ := sqltext.Split(s.Text)
			after, err := sqltext.Split(got)
			if err != nil || len(after) != len(before) {
				t.Fatalf("%q became %q: %d statements became %d, %v", s.Text, got, len(before), len(after), err)
			}
		}
	})
}

// FuzzAnswers compares the results of random statements.
func FuzzAnswers(f *testing.F) {
	f.Add(uint64(1))
	pair, err := newTwins()
	if err != nil {
		f.Fatal(err)
	}
	defer pair.Close()
	if err := createTables(pair); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		if _, err := compare(pair, seed); err != nil {
			t.Fatal(err)
		}
	})
}
