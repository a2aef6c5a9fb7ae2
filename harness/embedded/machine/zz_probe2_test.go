package machine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func TestProbe(t *testing.T) {
	var m *Machine
	idx := uint64(0)
	fresh := func() { var err error; m, err = Open(t.TempDir(), Options{Budget: 5_000_000}); if err != nil { t.Fatal(err) }; idx = 0 }
	do := func(sql string, params ...any) Response {
		idx++
		d, err := Entry{SQL: sql, Params: params, Time: 1}.Encode()
		if err != nil { t.Log("encode", err); return Response{} }
		r := m.Apply(&raft.Log{Index: idx, Term: 1, Data: d}).(Response)
		s := sql
		if len(s) > 100 { s = s[:100] }
		e := fmt.Sprint(r.Err)
		if len(e) > 200 { e = e[:200] }
		failed := ""
		if m.Failed() != nil { failed = "   !!!!! FAILED" ; }
		rs := fmt.Sprint(r.Results)
		if len(rs) > 200 { rs = rs[:200] }
		t.Log(s, "=>", e, rs, failed)
		if m.Failed() != nil { fresh() }
		return r
	}
	fresh()
	do("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	do("INSERT INTO t VALUES (1,1)")
	do("UPDATE t SET id = 9223372036854775807")
	do("INSERT INTO t DEFAULT VALUES RETURNING id")
	fresh()
	do("CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, v)")
	do("INSERT INTO a(v) VALUES (1)")
	do("UPDATE sqlite_sequence SET seq = 9223372036854775807")
	do("INSERT INTO a(v) VALUES (1)")
	fresh()
	do("CREATE TABLE c(x REFERENCES rejoin_applied(log_index))")
	do("CREATE TABLE d(x)")
	fresh()
	do("CREATE TABLE d(x)")
	do("ALTER TABLE d RENAME TO rejoin_x")
	do("DROP TABLE rejoin_x")
	do("CREATE TABLE d(x)")
	do("INSERT INTO d VALUES(1)")
	do("ANALYZE")
	do("DELETE FROM sqlite_stat1")
	do("CREATE TABLE par(id INTEGER PRIMARY KEY); CREATE TABLE chi(p REFERENCES par(id)); INSERT INTO par VALUES(1); INSERT INTO chi VALUES(1)")
	do("DELETE FROM par; DELETE FROM chi")
	do("CREATE NAMESPACE ns; CREATE TABLE ns.q(id INTEGER PRIMARY KEY); CREATE TABLE refer(q REFERENCES \"ns.q\"); INSERT INTO ns.q VALUES (1); INSERT INTO refer VALUES(1)")
	do("DROP NAMESPACE ns")
	for _, s := range []string{
		"SELECT " + strings.Repeat("(", 200000) + "1" + strings.Repeat(")", 200000),
		"SELECT " + strings.Repeat("-+", 200000) + "1",
		"SELECT " + strings.Repeat("NOT ", 200000) + "1",
		"SELECT 1" + strings.Repeat("+1", 200000),
		"SELECT " + strings.Repeat("(SELECT ", 20000) + "1" + strings.Repeat(")", 20000),
		"SELECT * FROM " + strings.Repeat("(SELECT * FROM ", 2000) + "d" + strings.Repeat(")", 2000),
		"SELECT * FROM " + strings.Repeat("(", 20000) + "d" + strings.Repeat(")", 20000),
		"SELECT 1" + strings.Repeat(" UNION SELECT 1", 2000),
		"SELECT " + strings.Repeat("CASE WHEN 1 THEN ", 20000) + "1" + strings.Repeat(" END", 20000),
		"SELECT " + strings.Repeat("abs(", 20000) + "1" + strings.Repeat(")", 20000),
		"SELECT json('" + strings.Repeat("[", 2000000) + "')",
		"SELECT json('" + strings.Repeat("[", 900) + strings.Repeat("]", 900)+ "')",
		"SELECT 1 IN (" + strings.Repeat("1,", 200000) + "1)",
		"VALUES (1)" + strings.Repeat(",(1)", 200000),
		"CREATE TABLE wide (a" + func() string { var b strings.Builder; for i := range 40000 { fmt.Fprintf(&b, ", c%d", i) }; return b.String() }() + ")",
		"SELECT zeroblob(100000000)",
		"SELECT length(zeroblob(60000000) || zeroblob(60000000))",
		"SELECT length(hex(zeroblob(60000000)))",
		"SELECT length(printf('%*c', 100000000, 'x'))",
		"SELECT length(replace(hex(zeroblob(10000)), '0', hex(zeroblob(10000))))",
		"SELECT length(group_concat(hex(zeroblob(10000000)))) FROM (VALUES (1),(1),(1),(1),(1))",
		"SELECT length(json_group_array(hex(zeroblob(10000000)))) FROM (VALUES (1),(1),(1),(1),(1))",
		"SELECT length(json_array(hex(zeroblob(20000000)),hex(zeroblob(20000000))))",
		"SELECT length(jsonb(json_array(hex(zeroblob(20000000)))))",
		"SELECT length(json_quote(hex(zeroblob(30000000)))), length(quote(zeroblob(30000000)))",
		"SELECT length(randomblob(64000000))",
		"INSERT INTO d VALUES (zeroblob(67108864))",
		"INSERT INTO d VALUES (zeroblob(67108800))",
		"CREATE INDEX di ON d(x)",
		"CREATE TABLE dd AS SELECT x, x AS y FROM d",
		"DELETE FROM d",
		"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT count(*) FROM r",
		"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) INSERT INTO d SELECT n FROM r",
		"SELECT * FROM pragma_table_info('d')",
		"EXPLAIN VACUUM", "/* x */ vacuum", "VACUUM INTO '/tmp/h/x.db'", "EXPLAIN ATTACH 'x' AS y",
		"SELECT * FROM fts3tokenize", "SELECT sqlite_log(1,'x')", "SELECT * FROM d NATURAL JOIN d; ; ",
		"INSERT INTO d VALUES (?)", "SELECT randomblob('3'), 1", "SELECT hex(randomblob(NULL))", "SELECT sin(1)",
		"CREATE TABLE u(a DEFAULT (random()), b DEFAULT (hex(randomblob(4))), c DEFAULT CURRENT_TIMESTAMP)",
		"INSERT INTO u DEFAULT VALUES RETURNING *",
		"CREATE TABLE bad(a AS (random()))", "CREATE INDEX ui ON u(random())",
		"CREATE TABLE e(a CHECK (a > datetime('now')))", "INSERT INTO e VALUES('x')",
		"REINDEX", "DETACH main", "PRAGMA user_version", "COMMIT", "END", "ROLLBACK", "SAVEPOINT x", "RELEASE entry", "ROLLBACK TO entry",
		"CREATE TEMP TABLE tt(x)", "CREATE TABLE temp.tt(x)", "CREATE VIRTUAL TABLE vv USING rtree(a,b,c)", "SELECT load_extension('x')",
		"SELECT total_changes()", "DELETE FROM rejoin_applied", "CREATE INDEX ri ON rejoin_requests(id)", "CREATE TRIGGER rt AFTER INSERT ON rejoin_requests BEGIN SELECT 1; END",
		"ALTER TABLE rejoin_requests ADD COLUMN x", "DROP TABLE rejoin_requests", "CREATE VIEW vr AS SELECT * FROM rejoin_applied; CREATE TRIGGER vt INSTEAD OF UPDATE ON vr BEGIN UPDATE rejoin_applied SET log_index = 7; END", "UPDATE vr SET log_index = 3",
		"CREATE TRIGGER dt AFTER INSERT ON d BEGIN DELETE FROM rejoin_applied; END", "INSERT INTO d VALUES (1)",
		"UPDATE sqlite_schema SET sql = ''", "DROP TABLE sqlite_sequence", "CREATE TABLE \"x\x00y\"(a)", "SELECT 'a\xffb'", "CREATE TABLE \"\xff\"(a)",
		"SELECT fts3_tokenizer('simple')", "SELECT sqlite_rename_table(1,2,3,4,5,6,7)", "SELECT 1; SELECT 2 ; -- c", "\uFEFF", "-- x", "/* x", "SELECT 1 -- x",
	} {
		do(s)
	}
	v, _ := m.View(context.Background())
	for _, s := range []string{"-- x", "", ";", "VACUUM INTO '/tmp/h/x.db'", "/* x */ VACUUM", "SELECT 1; SELECT 2", "BEGIN", "COMMIT", "PRAGMA user_version", "EXPLAIN DELETE FROM d"} {
		func() {
			defer func() { if r := recover(); r != nil { t.Log(s, "PANIC", r) } }()
			rows, n, err := v.Query(context.Background(), sqltext.Statement{Text: s}, nil)
			t.Log("view", s, "=>", n, err)
			if rows != nil { rows.Close() }
		}()
	}
	_ = sqlite.Reader
	v.Close()
}
