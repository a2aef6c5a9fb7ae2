package sqltext_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// fixture is the content of the twins before each comparison. Each namespace has a table t, and
// so does main.
const fixture = `
	CREATE TABLE main.t (id INTEGER PRIMARY KEY, x, "order");
	CREATE TABLE ns.t (id INTEGER PRIMARY KEY, x UNIQUE, "order");
	CREATE TABLE a.t (id INTEGER PRIMARY KEY, x, "order");
	CREATE TABLE b.t (id INTEGER PRIMARY KEY, x, "order");
	CREATE TABLE ns.u (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t(id) ON DELETE CASCADE, y);
	CREATE TABLE ns."odd ""name""" ("a b", [select]);
	CREATE INDEX ns.by_x ON t (x) WHERE t.x IS NOT NULL;
	INSERT INTO main.t VALUES (1, 'main 1', 3), (2, 'main 2', 2), (4, 'main 4', 1);
	INSERT INTO ns.t VALUES (1, 'ns 1', 1), (2, 'ns 2', 2), (3, 'ns 3', 3);
	INSERT INTO a.t VALUES (1, 'a 1', 9), (3, 'a 3', 8);
	INSERT INTO b.t VALUES (1, 'b 1', 7), (2, 'a 1', 6), (5, 'ns 1', 5);
	INSERT INTO ns.u VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, NULL, 40);
	INSERT INTO ns."odd ""name""" VALUES (1, 2), (3, 4);`

var contents = []string{
	`SELECT * FROM main.t`, `SELECT * FROM ns.t`, `SELECT * FROM a.t`, `SELECT * FROM b.t`, `SELECT * FROM ns.u`,
}

// words are all keywords of SQLite's grammar.
const words = `ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN BETWEEN BY
	CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME
	CURRENT_TIMESTAMP DATABASE DEFAULT DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE
	EXCEPT EXCLUDE EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB GROUP
	GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN
	KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OTHERS
	OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX RELEASE
	RENAME REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY THEN TIES TO
	TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHIN
	WITHOUT NAMESPACE`

var _ = Describe("A database with namespaces made by rewriting", func() {
	var pair *twins

	BeforeEach(func() {
		var err error
		pair, err = newTwins()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() error { return pair.Close() })
	})

	// alike runs a script in both twins, expects equal results, and returns the number of rows.
	alike := func(script string, args ...any) (rows int) {
		GinkgoHelper()
		statements, err := sqltext.Split(script)
		Expect(err).NotTo(HaveOccurred())
		for _, s := range statements {
			attached, emulated := pair.both(s.Text, args...)
			Expect(attached.Err).NotTo(HaveOccurred(), s.Text)
			Expect(emulated.Err).NotTo(HaveOccurred(), s.Text)
			Expect(emulated.Rows).To(Equal(attached.Rows), s.Text)
			Expect(emulated.named()).To(Equal(attached.named()), s.Text)
			rows += len(attached.Rows)
		}
		return rows
	}

	It("accepts the same keywords as names", func() {
		alike(fixture)
		names := 0
		for _, word := range strings.Fields(words) {
			for _, query := range []string{
				"SELECT %s.x FROM ns.t AS %s", "SELECT x FROM ns.t %s", "SELECT x FROM ns.t %s, ns.u",
				"SELECT o.x FROM (SELECT x FROM ns.t) %s JOIN ns.t o",
				"CREATE TABLE ns.%s (i)", "SELECT %s.* FROM ns.%s", "INSERT INTO ns.%s VALUES (1) RETURNING %s.i", "DROP TABLE ns.%s",
			} {
				query = strings.ReplaceAll(query, "%s", word)
				attached, emulated := pair.both(query)
				if attached.Err == nil {
					names++
					Expect(emulated.Err).NotTo(HaveOccurred(), query)
					Expect(emulated.Rows).To(Equal(attached.Rows), query)
				}
			}
		}
		Expect(names).To(BeNumerically(">", 500))
	})

	DescribeTable("runs triggers like a database with attached files",
		func(attached, emulated, then string) {
			alike(fixture)
			Expect(ask(pair.attached, attached).Err).NotTo(HaveOccurred())
			rewritten, err := qualify(emulated)
			Expect(err).NotTo(HaveOccurred())
			Expect(ask(pair.emulated, rewritten).Err).NotTo(HaveOccurred(), rewritten)
			Expect(alike(then)).To(BeNumerically(">", 0))
			for _, query := range contents {
				alike(query)
			}
		},
		// In SQLite a trigger cannot change a table written with a namespace, and unqualified
		// names belong to the trigger's namespace. Here it is the other way round.
		Entry("that insert", `CREATE TRIGGER ns.g AFTER INSERT ON t WHEN new.id > 3 BEGIN INSERT INTO u (t, y) SELECT new.id, `+
			`max(t.id) FROM ns.t; END`,
			`CREATE TRIGGER ns.g AFTER INSERT ON t WHEN new.id > 3 BEGIN INSERT INTO ns.u (t, y) SELECT new.id, max(t.id) FROM ns.t; END`,
			`INSERT INTO ns.t VALUES (4, 'x', 0), (5, 'y', 0) RETURNING id`),
		Entry("that insert or update",
			`CREATE TRIGGER ns.g AFTER INSERT ON t BEGIN INSERT INTO u (id, y) VALUES (1, 1) ON CONFLICT DO UPDATE SET y = u.y + excluded.y; END`,
			`CREATE TRIGGER g AFTER INSERT ON ns.t BEGIN INSERT INTO ns.u (id, y) VALUES (1, 1) ON CONFLICT DO UPDATE SET y = u.y + excluded.y; END`,
			`INSERT INTO ns.t VALUES (4, 'x', 0), (5, 'y', 0) RETURNING id`),
		Entry("that update", `CREATE TRIGGER ns.g AFTER UPDATE OF x ON t BEGIN UPDATE u SET y = u.y + 1 WHERE u.t = new.id AND EXISTS `+
			`(SELECT 1 FROM t WHERE t.id = u.t); END`,
			`CREATE TRIGGER ns.g AFTER UPDATE OF x ON ns.t BEGIN UPDATE ns.u SET y = u.y + 1 WHERE u.t = new.id AND EXISTS (SELECT 1 FROM ns.t `+
				`WHERE t.id = u.t); END`,
			`UPDATE ns.t SET x = t.x || '!' RETURNING id`),
		Entry("that delete", `CREATE TRIGGER ns.g BEFORE DELETE ON t BEGIN DELETE FROM u WHERE u.t = old.id; `+
			`SELECT CASE WHEN old.id = 3 THEN RAISE(IGNORE) END; END`,
			`CREATE TRIGGER ns.g BEFORE DELETE ON t BEGIN DELETE FROM ns.u WHERE ns.u.t = old.id; `+
				`SELECT CASE WHEN old.id = 3 THEN RAISE(IGNORE) END; END`,
			`DELETE FROM ns.t RETURNING id; SELECT * FROM ns.t`),
		Entry("that are temporary",
			`CREATE TEMP TRIGGER g AFTER INSERT ON ns.t BEGIN INSERT INTO t (x) SELECT count(*) || max(ns.t.x) || new.x FROM ns.t; END`,
			`CREATE TEMP TRIGGER g AFTER INSERT ON ns.t BEGIN INSERT INTO t (x) SELECT count(*) || max(ns.t.x) || new.x FROM ns.t; END`,
			`INSERT INTO ns.t VALUES (4, 'x', 0) RETURNING id; DROP TRIGGER g; INSERT INTO ns.t VALUES (5, 'y', 0)`),
	)

	DescribeTable("answers like a database with attached files",
		func(script string, args ...any) {
			alike(fixture)
			Expect(alike(script, args...)).To(BeNumerically(">", 0), "nothing was compared")
			for _, query := range contents {
				alike(query)
			}
		},

		Entry("a query", `SELECT * FROM ns.t`),
		Entry("columns by unqualified name", `SELECT t.id, t.x FROM ns.t WHERE t.id > 1 ORDER BY t.x DESC`),
		Entry("columns by full name", `SELECT ns.t.id, ns.t.x FROM ns.t WHERE ns.t.id > 1 ORDER BY ns.t.x DESC`),
		Entry("columns by alias", `SELECT o.id, ns.o.x AS x FROM ns.t AS o`),
		Entry("columns that are keywords", `SELECT t."order", ns.t."order" AS key, t.[order] FROM ns.t ORDER BY t."order" DESC`),
		Entry("all columns", `SELECT t.*, o.* FROM ns.t, ns.u o WHERE o.t = t.id`),
		Entry("names of columns", `SELECT t.id + 1, upper(t.x), t.x || 'a' AS y, "order" FROM ns.t`),
		Entry("a join", `SELECT t.x, u.y FROM ns.t JOIN ns.u ON u.t = t.id ORDER BY u.id`),
		Entry("a left join", `SELECT t.id, u.y FROM ns.t LEFT OUTER JOIN ns.u ON ns.u.t = ns.t.id AND u.y > 10 ORDER BY 1, 2`),
		Entry("a full join", `SELECT t.id, u.id FROM ns.t FULL JOIN ns.u ON u.t = t.id ORDER BY 1, 2`),
		Entry("a natural join", `SELECT * FROM ns.t NATURAL JOIN ns.u`),
		Entry("a join with USING", `SELECT u.id, u.y FROM ns.t JOIN ns.u USING (id) CROSS JOIN main.t AS m WHERE m.id = 1`),
		Entry("nested joins", `SELECT p.id, u.id, q.id FROM (ns.t AS p JOIN (ns.u JOIN a.t AS q ON q.id = u.id) ON u.t = p.id)`),
		Entry("a join with itself", `SELECT l.id, r.id FROM ns.t l, ns.t r WHERE l.id < r.id ORDER BY 1, 2`),
		Entry("the same name in two namespaces", `SELECT a.t.x, b.t.x FROM a.t, b.t WHERE a.t.id = b.t.id`),
		Entry("the same name in main and a namespace", `SELECT main.t.x, ns.t.x FROM main.t JOIN ns.t ON main.t.id = ns.t.id ORDER BY ns.t.x`),
		Entry("the same name without and with a namespace", `SELECT main.t.x, ns.t.x FROM t, ns.t WHERE main.t.id = ns.t.id`),
		Entry("a subquery", `SELECT x, (SELECT max(y) FROM ns.u WHERE u.t = t.id) FROM ns.t`),
		Entry("a correlated subquery by full name", `SELECT x FROM ns.t WHERE EXISTS (SELECT 1 FROM ns.u WHERE ns.u.t = ns.t.id AND y > 10)`),
		Entry("a correlated subquery on the same name",
			`SELECT t.x FROM a.t WHERE EXISTS (SELECT t.x FROM b.t WHERE b.t.x = a.t.x AND t.id = 2)`),
		Entry("a correlated subquery that shadows the outer table",
			`SELECT t.x FROM main.t WHERE t.id IN (SELECT t.id FROM ns.t WHERE main.t.id = t.id)`),
		Entry("a subquery in FROM",
			`SELECT s.x, s.n FROM (SELECT t.x, count(*) AS n FROM ns.t JOIN ns.u ON u.t = t.id GROUP BY t.id) AS s ORDER BY 1`),
		Entry("a scalar subquery of another namespace", `SELECT t.id, (SELECT t.x FROM a.t WHERE a.t.id = ns.t.id) FROM ns.t`),
		Entry("EXISTS, three levels deep",
			`SELECT 1 FROM a.t WHERE EXISTS (SELECT 1 FROM b.t WHERE EXISTS (SELECT 1 FROM ns.t WHERE ns.t.x = b.t.x AND a.t.id = 1))`),
		Entry("a common table expression",
			`WITH c AS (SELECT t.id, x FROM ns.t WHERE t.id > 1) SELECT c.id, u.y FROM c LEFT JOIN ns.u ON u.t = c.id`),
		Entry("a recursive common table expression",
			`WITH RECURSIVE c(n) AS (SELECT min(t.id) FROM ns.t UNION ALL SELECT n + 1 FROM c JOIN ns.t ON t.id = c.n) SELECT n FROM c`),
		Entry("a common table expression with the name of a table",
			`WITH t AS (SELECT 7 AS id, 'c' AS x) SELECT t.id, t.x FROM t UNION SELECT ns.t.id, ns.t.x FROM ns.t ORDER BY 1`),
		Entry("several common table expressions in a subquery",
			`SELECT t.id, s.x FROM ns.t JOIN (WITH c AS (SELECT 1 AS id), t AS (SELECT c.id, a.t.x FROM c JOIN a.t USING (id)) SELECT t.x, `+
				`t.id FROM t) AS s ON s.id = t.id`),
		Entry("a compound", `SELECT t.x FROM a.t UNION ALL SELECT t.x FROM b.t EXCEPT SELECT x FROM ns.t ORDER BY x`),
		Entry("a compound of values", `SELECT t.id FROM ns.t INTERSECT VALUES (1), (3), (9)`),
		Entry("window functions",
			`SELECT t.id, sum(u.y) OVER w, rank() OVER (ORDER BY u.y DESC) FROM ns.t JOIN ns.u ON u.t = t.id WINDOW w AS (PARTITION BY t.id `+
				`ORDER BY u.id), v AS (w) ORDER BY u.id`),
		Entry("aggregates", `SELECT t.id, group_concat(u.y, '.' ORDER BY u.y DESC) FILTER (WHERE u.y > 0) FROM ns.t, `+
			`ns.u WHERE u.t = t.id GROUP BY t.id HAVING count(u.id) > 0 ORDER BY t.id`),
		Entry("DISTINCT", `SELECT DISTINCT u.t FROM ns.u WHERE u.t IS NOT DISTINCT FROM u.t AND u.y IS DISTINCT FROM u.t ORDER BY u.t`),
		Entry("IN a table", `CREATE TABLE a.ids AS SELECT 1 AS id UNION SELECT 3; SELECT x FROM ns.t WHERE id IN a.ids; `+
			`SELECT x FROM ns.t WHERE id NOT IN a . ids AND 1`),
		Entry("CASE", `SELECT CASE t.id WHEN 1 THEN t.x ELSE (SELECT min(t.x) FROM ns.t) END FROM ns.t`),
		Entry("CAST, COLLATE, LIKE",
			`SELECT CAST(t.id AS TEXT), t.x COLLATE nocase FROM ns.t WHERE t.x LIKE 'NS%' ESCAPE '!' AND t.id BETWEEN 1 AND 2`),
		Entry("LIMIT", `SELECT t.id FROM ns.t ORDER BY t.id LIMIT (SELECT count(*) FROM a.t) OFFSET 1`),
		Entry("INDEXED BY", `SELECT id FROM ns.t INDEXED BY by_x WHERE x = 'ns 2'; SELECT id FROM ns.t AS o NOT INDEXED WHERE o.x = 'ns 2'`),
		Entry("a table-valued function",
			`SELECT t.id, j.value FROM ns.t, json_each(json_array(t.id, t.x)) AS j; SELECT json_each.value FROM json_each('[1]'), ns.t`),
		Entry("quoted names",
			`SELECT "ns"."t"."id", [t].x, 't'.x FROM "ns".[t]; SELECT "odd ""name"""."a b" AS i, ns."odd ""name""".[select] FROM ns."odd ""name"""`),
		Entry("different case", `SELECT T.ID, NS.T.X FROM Ns.T`),
		Entry("comments between tokens", "SELECT t /* a.b */ . id, ns -- c.d\n.t/**/./**/x FROM/**/ns /* c */ . t/**/WHERE/**/t.id/*;*/=1"),
		Entry("no white space", `SELECT"t"."id",[t].[x]FROM[ns].[t]WHERE[t].[id]IN(SELECT"t"FROM"ns"."u")`),
		Entry("parameters", `SELECT t.x, ?2 FROM ns.t WHERE t.id = ?1`, 2, "b"),
		Entry("VALUES with subqueries", `VALUES ((SELECT count(*) FROM ns.t)), ((SELECT max(t.id) FROM b.t))`),

		Entry("an insert", `INSERT INTO ns.t (id, x) VALUES (7, 'new') RETURNING id, t.x, *`),
		Entry("an insert from a query", `INSERT INTO ns.t (x) SELECT t.x || '!' FROM ns.t WHERE t.id < 3 RETURNING t.x || '?'`),
		Entry("an insert with a common table expression",
			`WITH c AS (SELECT x FROM a.t) INSERT INTO ns.t (x) SELECT c.x FROM c RETURNING (SELECT count(*) FROM b.t)`),
		Entry("an insert after a common table expression", `INSERT INTO ns.t (x) WITH c AS (SELECT x FROM a.t) SELECT c.x FROM c RETURNING id`),
		Entry("an insert of defaults", `INSERT INTO ns.u DEFAULT VALUES RETURNING id`),
		Entry("an insert with OR",
			`INSERT OR IGNORE INTO ns.t VALUES (1, 'no', 0); INSERT OR REPLACE INTO ns.t VALUES (1, 'yes', 0); `+
				`REPLACE INTO ns.t VALUES (2, 'yes 2', 0) RETURNING x`),
		Entry("an upsert", `INSERT INTO ns.t VALUES (1, 'up', 5), (8, 'in', 6) ON CONFLICT (id) DO UPDATE SET x = t.x || excluded.x, `+
			`"order" = t."order" + 1 WHERE t.id < 5 RETURNING *`),
		Entry("an upsert by alias", `INSERT INTO ns.t AS o VALUES (1, 'up', 5) ON CONFLICT (id) DO UPDATE SET x = o.x || excluded.x RETURNING x`),
		Entry("an upsert from a query",
			`INSERT INTO ns.t SELECT t.id, t.x, 0 FROM a.t WHERE true ON CONFLICT (x) DO NOTHING ON CONFLICT (id) DO UPDATE SET x = excluded.x `+
				`|| (SELECT count(*) FROM b.t) RETURNING id, x`),
		Entry("an update", `UPDATE ns.t SET x = t.x || '!', "order" = (SELECT count(*) FROM ns.u WHERE u.t = ns.t.id) WHERE t.id < 3 `+
			`RETURNING t.id, "order"`),
		Entry("an update with an alias", `UPDATE ns.t AS o SET x = o.x || '!' WHERE o.id = 1 RETURNING x`),
		Entry("an update with FROM",
			`UPDATE ns.t SET x = s.n FROM (SELECT u.t, count(*) AS n FROM ns.u GROUP BY u.t) AS s JOIN a.t AS o ON o.id = s.t WHERE t.id = s.t `+
				`RETURNING x`),
		Entry("an update with FROM and the same name", `UPDATE ns.t SET x = b.t.x || '!' FROM b.t WHERE b.t.id = ns.t.id RETURNING id, x`),
		Entry("an update of several columns",
			`UPDATE OR REPLACE ns.t SET (x, "order") = (SELECT t.x, t.id FROM a.t WHERE a.t.id = ns.t.id) WHERE id IN (SELECT id FROM a.t) `+
				`RETURNING *`),
		Entry("a delete", `DELETE FROM ns.t WHERE t.id IN (SELECT u.t FROM ns.u WHERE u.y > 20) RETURNING t.id, x`),
		Entry("a delete by full name", `DELETE FROM ns.t WHERE ns.t.id = 1 OR NOT EXISTS (SELECT 1 FROM ns.u WHERE u.t = ns.t.id) RETURNING id`),
		Entry("a delete with an index", `DELETE FROM ns.t INDEXED BY by_x WHERE x = 'ns 2' RETURNING id`),
		Entry("a delete with an alias", `DELETE FROM ns.t AS o WHERE EXISTS (SELECT 1 FROM a.t WHERE a.t.id = o.id) RETURNING id`),
		Entry("a delete of all", `DELETE FROM ns.u; DELETE FROM ns.t; SELECT count(*) FROM ns.t`),

		Entry("a foreign key", `DELETE FROM ns.t WHERE id = 1; SELECT id FROM ns.u`),
		Entry("a foreign key constraint of a table",
			`CREATE TABLE ns.w (p, q, FOREIGN KEY (p) REFERENCES t (id) ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, `+
				`CHECK (w.q > 0 AND q < 100));
			INSERT INTO ns.w VALUES (3, 1), (2, 2); UPDATE ns.t SET id = 11 WHERE id = 3; DELETE FROM ns.t WHERE id = 2; SELECT * FROM ns.w`),
		Entry("a table from a query", `CREATE TABLE ns.w AS SELECT t.id, u.y FROM ns.t LEFT JOIN ns.u ON u.t = t.id; SELECT * FROM ns.w`),
		Entry("a table with IF NOT EXISTS", `CREATE TABLE IF NOT EXISTS ns.t (z); SELECT x FROM ns.t`),
		Entry("a generated column",
			`CREATE TABLE ns.w (k INT PRIMARY KEY, v INT AS (k + 1) STORED) STRICT, WITHOUT ROWID; INSERT INTO ns.w VALUES (1); `+
				`SELECT w.v FROM ns.w`),
		Entry("a view", `CREATE VIEW ns.v (i, n) AS SELECT t.id, count(u.id) FROM ns.t LEFT JOIN ns.u ON u.t = ns.t.id GROUP BY t.id; `+
			`SELECT v.i, ns.v.n FROM ns.v WHERE v.n > 0; DROP VIEW ns.v`),
		Entry("a temporary view over two namespaces",
			`CREATE TEMP VIEW v AS SELECT a.t.x AS p, b.t.x AS q FROM a.t JOIN b.t USING (id); SELECT v.p, temp.v.q FROM v`),
		Entry("a trigger that refuses",
			`CREATE TRIGGER ns.g BEFORE DELETE ON t WHEN old.id > 2 BEGIN SELECT RAISE(IGNORE); END; DELETE FROM ns.t; SELECT id FROM ns.t; `+
				`DROP TRIGGER IF EXISTS ns.g; DELETE FROM ns.t`),
		Entry("an index", `CREATE UNIQUE INDEX ns.i ON u (y, id) WHERE u.y IS NOT NULL; REINDEX ns.i; `+
			`SELECT y FROM ns.u INDEXED BY i WHERE y > 10; DROP INDEX ns.i; ANALYZE ns.u`),
		Entry("a renamed table",
			`ALTER TABLE ns.t RENAME TO w; SELECT w.x, u.y FROM ns.w JOIN ns.u ON u.t = w.id; DELETE FROM ns.w; SELECT count(*) FROM ns.u; `+
				`ALTER TABLE ns.w RENAME TO t`),
		Entry("a renamed table of a view",
			`CREATE VIEW ns.v AS SELECT o.x FROM ns.t AS o; ALTER TABLE ns.t RENAME TO w; SELECT * FROM ns.v; ALTER TABLE ns.w RENAME TO t`),
		Entry("changed columns",
			`ALTER TABLE ns.u ADD COLUMN p INTEGER REFERENCES t (id) CHECK (u.p > 0); ALTER TABLE ns.u RENAME COLUMN y TO z; `+
				`ALTER TABLE ns.u DROP COLUMN z; INSERT INTO ns.u VALUES (9, 1, 1); SELECT u.p FROM ns.u`),
		Entry("a dropped table", `DROP TABLE IF EXISTS ns.w; DROP TABLE ns.u; CREATE TABLE ns.u (k); SELECT count(*) FROM ns.u`),
		Entry("a full text table",
			`CREATE VIRTUAL TABLE ns.f USING fts4(body); INSERT INTO ns.f VALUES ('some words'), ('others'); `+
				`SELECT f.body FROM ns.f WHERE f.body MATCH 'words'`),
	)
})
