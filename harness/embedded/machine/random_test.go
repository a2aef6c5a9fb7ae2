package machine_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// author writes random entries. It uses few names for many objects, so that they collide, and
// everything that could differ between machines.
type author struct{ *rand.Rand }

// tightBudget is small, so that a difference of a thousand steps is visible.
var tightBudget = machine.Options{Budget: 20_000, AnswerLimit: 4_000}

var definitions = []string{
	"CREATE TABLE {t} (id INTEGER PRIMARY KEY, x, y DEFAULT CURRENT_TIMESTAMP)",
	"CREATE TABLE {t} (id INTEGER PRIMARY KEY AUTOINCREMENT, x UNIQUE, y DEFAULT (random()))",
	"CREATE TABLE IF NOT EXISTS {t} (id INTEGER PRIMARY KEY AUTOINCREMENT, x, y DEFAULT (datetime('now', 'subsec')))",
	"CREATE TABLE {t} (id INTEGER PRIMARY KEY, x REFERENCES {n}(id) DEFERRABLE INITIALLY DEFERRED, y DEFAULT (hex(randomblob(4))))",
	"CREATE TABLE {t} (id INTEGER PRIMARY KEY, x REFERENCES {n}(id) ON DELETE CASCADE ON UPDATE SET NULL, y CHECK (y <> 3))",
	"CREATE TABLE {t} (id TEXT PRIMARY KEY, x NOT NULL, y DEFAULT CURRENT_DATE) WITHOUT ROWID",
	"CREATE TABLE {t} (x, y DEFAULT CURRENT_TIME, id)",
	"CREATE TABLE {t} AS SELECT id, x, y FROM {t}",
	"DROP TABLE {t}",
	"ALTER TABLE {t} RENAME TO {n}",
	"ALTER TABLE {t} ADD COLUMN z DEFAULT 7",
	"CREATE INDEX {n}_i ON {n} (x)",
	"CREATE UNIQUE INDEX {n}_i ON {n} (y, x)",
	"CREATE INDEX ns.i ON a (abs(x))",
	"DROP INDEX {n}_i",
	"CREATE VIEW v AS SELECT id, x, y, random() AS r, datetime('now') AS now FROM {t}",
	"DROP VIEW v",
	"CREATE TRIGGER {g} AFTER INSERT ON {n} BEGIN INSERT INTO audit VALUES ('{g}', new.id, random(), julianday('now')); END",
	"CREATE TRIGGER {g} AFTER UPDATE ON {n} BEGIN INSERT INTO audit VALUES ('{g}', last_insert_rowid(), changes(), strftime('%f', " +
		"'now')); END",
	"CREATE TRIGGER {g} BEFORE INSERT ON {n} WHEN new.x = 5 BEGIN SELECT RAISE(ROLLBACK, 'five'); END",
	"CREATE TRIGGER {g} BEFORE DELETE ON {n} WHEN old.x = 4 BEGIN SELECT RAISE({raise}); END",
	"CREATE TRIGGER {g} INSTEAD OF INSERT ON v BEGIN INSERT INTO audit VALUES ('v', new.id, new.x, random()); END",
	"CREATE TRIGGER {g} AFTER INSERT ON {n} BEGIN DELETE FROM rejoin_requests; END",
	"DROP TRIGGER {g}",
	"CREATE NAMESPACE {ns}",
	"CREATE NAMESPACE IF NOT EXISTS {ns}",
	"DROP NAMESPACE {ns}",
	"DROP NAMESPACE {ns} RESTRICT",
	"CREATE TABLE {q} (id INTEGER PRIMARY KEY, x, y)",
	"ALTER TABLE {q} RENAME TO {n}",
	"ALTER TABLE {n} RENAME TO {q}",
	"DROP TABLE {q}",
	"CREATE TRIGGER \"ns.g\" AFTER DELETE ON {n} BEGIN INSERT INTO audit VALUES ('q', old.id, 1, 1); END",
	"CREATE TABLE {t} (id REFERENCES {n}(id) ON DELETE CASCADE, x, y)",
	"DROP NAMESPACE IF EXISTS {ns} CASCADE",
}

var changes = []string{
	"INSERT INTO {t} (x, y) VALUES ({v}, {v})",
	"INSERT INTO {t} (id, x, y) VALUES ({i}, {v}, {v}), ({i}, {v}, {v})",
	"INSERT INTO {t} (id, x, y) VALUES (?, ?, {v})",
	"INSERT OR {or} INTO {t} (id, x, y) VALUES ({i}, {v}, {v}), ({i}, {v}, {v})",
	"INSERT OR {or} INTO {t} (id, x) SELECT id, {v} FROM {t} LIMIT 5",
	"INSERT INTO {t} (id, x) VALUES ({i}, {v}) ON CONFLICT DO UPDATE SET x = {v}, y = random() RETURNING *",
	"INSERT INTO {t} (x, y) SELECT x, y FROM {t} ORDER BY random() LIMIT 7",
	"INSERT INTO {t} (x, y) SELECT a.x, b.y FROM {t} AS a JOIN {t} AS b ON a.x = b.id LIMIT 9",
	"INSERT INTO {t} (x) VALUES ({v}) RETURNING id, y, typeof(x), random()",
	"INSERT INTO {t} (id) VALUES (9223372036854775807)",
	"INSERT INTO v VALUES ({i}, {v}, 1, 1, 1)",
	"INSERT INTO audit SELECT type, name, rootpage, sql FROM sqlite_schema",
	"INSERT INTO audit SELECT 'seen', id, log_index, log_term FROM rejoin_applied",
	"UPDATE {t} SET x = {v} WHERE id = {i}",
	"UPDATE OR {or} {t} SET id = id + 1, y = datetime('now')",
	"UPDATE {t} SET y = random() WHERE id IN (SELECT id FROM {t} ORDER BY random() LIMIT 2)",
	"UPDATE {t} SET id = 9223372036854775807 WHERE id = {i}",
	"UPDATE sqlite_sequence SET seq = {i}",
	"DELETE FROM {t} WHERE id = {i}",
	"DELETE FROM {t} WHERE x = {v} RETURNING *",
	"DELETE FROM {t}",
	"DELETE FROM audit WHERE b % 3 = 0",

	"INSERT INTO audit SELECT name, type, cid, pk FROM pragma_table_info('{n}')",
	"INSERT INTO audit SELECT type, name, namespace, 1 FROM rejoin_objects",
	"INSERT INTO audit VALUES (datetime('now', 'localtime'), julianday('now', 'utc'), 1, 1)",
	"SELECT {v}, last_insert_rowid(), changes()",
	"SELECT * FROM v",
	"SELECT * FROM {t}, {t} LIMIT 20",
	"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT {many}) SELECT count(*), random() FROM r",
	"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT {many}) INSERT INTO audit SELECT n, n, n, n FROM r",
	"SELECT hex(zeroblob({many}))",
	"VACUUM", "PRAGMA user_version = 3", "COMMIT", "nonsense", "SELECT ?, ?, ?", "REINDEX", "ANALYZE",
}

var expressions = []string{
	"1", "2", "3", "4", "5", "NULL", "'text'", "1.5", "x'00'", "9007199254740993",
	"random()", "abs(random()) % 5", "hex(randomblob(3))", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME",
	"datetime('now')", "date('now', '+1 day')", "time()", "julianday('now')", "unixepoch('now', 'subsec')", "strftime('%s %f', 'now')",
	"last_insert_rowid()", "changes()", "(SELECT max(id) FROM {t})", "(SELECT count(*) FROM audit)",
}

var hole = regexp.MustCompile(`\{\w+\}`)

func (a author) pick(from ...string) string { return from[a.IntN(len(from))] }

func (a author) fill(text string) string {
	return hole.ReplaceAllStringFunc(text, func(name string) string {
		switch name {
		case "{t}":
			return a.pick("a", "b", "c", "ns.a", "ns.b", "a_b.a", "axb.a")
		case "{q}":
			return a.pick(`"ns.a"`, `"ns.b"`, `"a_b.a"`)
		case "{n}":
			return a.pick("a", "b", "c")
		case "{g}":
			return a.pick("g", "h", "k")
		case "{ns}":
			return a.pick("ns", "a_b", "axb")
		case "{or}":
			return a.pick("ROLLBACK", "REPLACE", "IGNORE", "FAIL", "ABORT")
		case "{raise}":
			return a.pick("IGNORE", "FAIL, 'four'", "ABORT, 'four'", "ROLLBACK, 'four'")
		case "{i}":
			return fmt.Sprint(a.IntN(6))
		case "{many}":
			return fmt.Sprint(1000 + a.IntN(1500))
		case "{v}":
			return a.fill(a.pick(expressions...))
		}
		panic("no such hole: " + name)
	})
}

func (a author) entry() machine.Entry {
	var sql []string
	for range 1 + a.IntN(5)/3*(1+a.IntN(2)) {
		statements := changes
		if a.IntN(4) == 0 {
			statements = definitions
		}
		sql = append(sql, a.fill(a.pick(statements...)))
	}
	e := machine.Entry{SQL: strings.Join(sql, "; "), Time: noon + int64(a.IntN(1_000_000_000))}
	for range strings.Count(e.SQL, "?") {
		e.Params = append(e.Params, []any{nil, int64(a.IntN(5)), 2.5, "text", []byte{0}}[a.IntN(5)])
	}
	if a.IntN(40) == 0 {
		e.Params = append(e.Params, "one too many")
	}
	if a.IntN(2) == 0 {
		e.ID = fmt.Sprint("request ", a.IntN(200))
	}
	return e
}

func (a author) log(length int) []*raft.Log {
	written := entries(
		"CREATE TABLE audit (a, b, c, d); CREATE NAMESPACE ns; CREATE NAMESPACE a_b",
		"CREATE TABLE b (id INTEGER PRIMARY KEY, x REFERENCES a(id) DEFERRABLE INITIALLY DEFERRED, y)",
		"CREATE TABLE c (x, y DEFAULT (hex(randomblob(4))), id); CREATE TABLE a_b.a (id INTEGER PRIMARY KEY, x, y)",
		"CREATE TABLE a (id INTEGER PRIMARY KEY, x, y DEFAULT CURRENT_TIMESTAMP)",
		"CREATE TABLE ns.a (id INTEGER PRIMARY KEY AUTOINCREMENT, x UNIQUE, y DEFAULT (random()))",
	)
	for range length {
		written = append(written, a.entry())
	}
	out := logs(0, written...)
	for i, l := range out {
		l.Term += uint64(i / 20)
		if a.IntN(15) == 0 {
			l.Type, l.Data = raft.LogNoop, nil
		}
	}
	return out
}

var _ = Describe("Random entries", func() {
	const lives, length = 60, 80

	It("have the same answers and the same digest on every machine, for all batches", func() {
		succeeded, failed := 0, 0
		for seed := range uint64(lives) {
			a := author{rand.New(rand.NewPCG(seed, uint64(GinkgoRandomSeed())))}
			log := a.log(length)
			half := 1 + a.IntN(len(log)-1)
			life := fmt.Sprintf("life %d of seed %d", seed, GinkgoRandomSeed())

			single := open(tightBudget)
			var want []string
			for _, entry := range log {
				want = append(want, plain(single.apply([]*raft.Log{entry}))...)
			}
			digest := single.digest()

			whole := open(tightBudget)
			Expect(plain(whole.apply(log))).To(Equal(want), "%s, one batch", life)
			Expect(whole.digest()).To(Equal(digest), "%s, one batch", life)

			first := open(tightBudget)
			var got []string
			for _, batch := range split(a.Rand, log[:half]) {
				got = append(got, plain(first.apply(batch))...)
			}
			snapshot := first.snapshot()
			second := open(tightBudget)
			second.must("CREATE NAMESPACE old; CREATE TABLE old.a (id)") // removed by the restore
			second.restore(snapshot)
			Expect(second.digest()).To(Equal(first.digest()), "%s, restored", life)
			for _, batch := range split(a.Rand, log[half:]) {
				got = append(got, plain(second.apply(batch))...)
			}
			Expect(got).To(Equal(want), "%s, restored after %d", life, half)
			Expect(second.digest()).To(Equal(digest), "%s, restored after %d", life, half)

			Expect(first.Close()).To(Succeed())
			again := openIn(first.dir, tightBudget)
			again.restore(snapshot)
			Expect(plain(again.apply(log[half:]))).To(Equal(want[half:]), "%s, reopened after %d", life, half)
			Expect(again.digest()).To(Equal(digest), "%s, reopened after %d", life, half)

			for i, answer := range want {
				switch {
				case log[i].Type != raft.LogCommand:
				case strings.HasSuffix(answer, " <nil>"):
					succeeded++
				default:
					failed++
				}
			}
			for _, n := range []*node{single, whole, second, again} {
				Expect(n.Failed()).NotTo(HaveOccurred(), life)
				Expect(n.Close()).To(Succeed())
			}
		}
		GinkgoWriter.Println("entries:", fmt.Sprintf("%d succeeded, %d failed", succeeded, failed))
		Expect(succeeded).To(BeNumerically(">", lives*length/5))
		Expect(failed).To(BeNumerically(">", lives*length/5))
	})
})
