package specs

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// names are specs about names in SQL: which namespace and table they mean, and which names are
// valid.
func names(env *environment) {
	Describe("A name", Label("suite:names", "needs:sqlite"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.assumes(target.SQLite, target.Namespaces, target.SystemTables)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		refused := func(ctx SpecContext, sql, reason string) {
			GinkgoHelper()
			_, err := env.cluster.ExecuteOnRandom(ctx, env.sql(sql))
			Expect(err).To(MatchError(ContainSubstring(env.sql(reason))), sql)
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), sql)
		}
		// everywhere expects rows in local reads on every node.
		everywhere := func(ctx SpecContext, sql string, rows ...[]any) {
			GinkgoHelper()
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			results, err := env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql(sql))
			Expect(err).NotTo(HaveOccurred(), sql)
			Expect(results).To(And(HaveLen(env.cluster.Size()), HaveRows(rows...)), sql)
		}
		// stored expects the objects with a prefix in the schema of every node.
		stored := func(ctx SpecContext, beginning string, names ...string) {
			GinkgoHelper()
			rows := make([][]any, len(names))
			for i, name := range names {
				rows[i] = Row(env.sql(name))
			}
			everywhere(ctx, fmt.Sprintf("SELECT name FROM sqlite_schema WHERE substr(name, 1, %d) = '%s' ORDER BY name", len(env.sql(beginning)),
				beginning), rows...)
		}

		// furnish fills a namespace with one object of each kind.
		furnish := func(ctx SpecContext, ns string) {
			GinkgoHelper()
			env.run(ctx, strings.ReplaceAll(`CREATE NAMESPACE IF NOT EXISTS $; CREATE TABLE $.t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
				CREATE UNIQUE INDEX $.i ON t (v); CREATE VIEW $.w AS SELECT count(*) AS n FROM $.t;
				CREATE TABLE $.log (what TEXT)`, "$", ns))
			env.run(ctx, strings.ReplaceAll(`CREATE TRIGGER $.g AFTER DELETE ON t BEGIN INSERT INTO "$.log" VALUES (old.v); END`, "$", ns))
			env.run(ctx, strings.ReplaceAll("INSERT INTO $.t (v) VALUES ('one'), ('of $')", "$", ns))
		}
		// works expects all objects of furnish to work.
		works := func(ctx SpecContext, ns string) {
			GinkgoHelper()
			sql := func(text string) string { return strings.ReplaceAll(text, "$", ns) }
			everywhere(ctx, sql("SELECT v FROM $.t ORDER BY id"), Row("one"), Row(env.sql("of "+ns)))
			everywhere(ctx, sql("SELECT n FROM $.w"), Row(2))
			refused(ctx, sql("INSERT INTO $.t (v) VALUES ('one')"), "UNIQUE constraint failed")
			Expect(env.run(ctx, sql("INSERT INTO $.t (v) VALUES ('more') RETURNING id"))).To(HaveRows(Row(3)), "its AUTOINCREMENT counter was reset")
			env.run(ctx, sql("DELETE FROM $.t WHERE id = 3"))
			everywhere(ctx, sql("SELECT what FROM $.log"), Row("more"))
		}

		It("of a dropped namespace is no pattern: similar names are not affected", func(ctx SpecContext) {
			const like = "{ns}_a_b"
			neighbours := []string{"{ns}_axb", "{ns}_a1b", "{ns}_a", "{ns}_a_", "{ns}_a_bc", "{ns}_a__b", "{ns}_", "x{ns}_a_b"}
			// Objects outside are older, and their names equal or begin with that of the namespace.
			outside := []string{"{ns}_a_b", "{ns}_a_b.x", "{ns}_a_b_t", "{ns}_a_b.", ".{ns}_a_b.t"}
			for _, name := range outside {
				env.run(ctx, fmt.Sprintf(`CREATE TABLE "%s" (v); INSERT INTO "%s" VALUES ('outside')`, name, name))
			}
			env.run(ctx, `CREATE VIEW "{ns}_a_b.view" AS SELECT 'outside' AS v;
				CREATE TRIGGER "{ns}_a_b.trigger" AFTER INSERT ON "{ns}_a_b.x" BEGIN INSERT INTO "{ns}_a_b_t" VALUES ('fired'); END`)
			furnish(ctx, like)
			for _, name := range neighbours {
				furnish(ctx, name)
			}
			refused(ctx, "DROP NAMESPACE "+like, "is not empty")
			works(ctx, like)
			env.run(ctx, "DROP NAMESPACE "+like+" CASCADE")

			refused(ctx, "SELECT * FROM {ns}_a_b.t", "does not exist")
			stored(ctx, "{ns}_a_b", "{ns}_a_b", "{ns}_a_b.", "{ns}_a_b.trigger", "{ns}_a_b.view", "{ns}_a_b.x", "{ns}_a_b_t",
				"{ns}_a_bc.g", "{ns}_a_bc.i", "{ns}_a_bc.log", "{ns}_a_bc.t", "{ns}_a_bc.w")
			for _, name := range neighbours {
				works(ctx, name)
			}
			env.run(ctx, `INSERT INTO "{ns}_a_b.x" VALUES ('again')`)
			everywhere(ctx, `SELECT v FROM "{ns}_a_b_t"`, Row("outside"), Row("fired"))
			everywhere(ctx, `SELECT v FROM "{ns}_a_b.view"`, Row("outside"))
			everywhere(ctx, "SELECT count(*) FROM sqlite_sequence WHERE name = '{ns}_a_b.t'", Row(0))

			By("creating it again, empty")
			furnish(ctx, like)
			works(ctx, like)
			env.run(ctx, "DROP NAMESPACE {ns}_axb CASCADE; DROP NAMESPACE {ns}_a CASCADE; DROP NAMESPACE {ns}_ CASCADE")
			everywhere(ctx, "SELECT v FROM {ns}_a_b.t ORDER BY id", Row("one"), Row(env.sql("of {ns}_a_b")))
		}, env.patience)

		It("ignores case and the style of quotes", func(ctx SpecContext) {
			env.run(ctx, "CREATE NAMESPACE {ns}_Shop; CREATE TABLE {ns}_SHOP.Goods (Id INTEGER PRIMARY KEY, Name TEXT)")
			refused(ctx, "CREATE NAMESPACE {ns}_SHOP", "already exists")
			refused(ctx, `CREATE NAMESPACE "{ns}_sHop"`, "already exists")
			env.run(ctx, "CREATE NAMESPACE IF NOT EXISTS {ns}_SHOP")
			for _, again := range []string{"{ns}_shop.goods", `"{ns}_Shop"."GOODS"`, "[{ns}_SHOP].[goods]", "`{ns}_shop`.`Goods`",
				`main."{ns}_shop.GOODS"`} {
				refused(ctx, "CREATE TABLE "+again+" (v)", "already exists")
			}
			for i, name := range []string{"{ns}_shop.goods", "{ns}_SHOP.GOODS", `"{ns}_Shop"."Goods"`, "[{ns}_shop].[GOODS]",
				"`{ns}_sHOP`.`gOODS`", "{ns}_Shop . Goods", "{ns}_Shop/* of */./* the */Goods"} {
				env.run(ctx, fmt.Sprintf("INSERT INTO %s VALUES (%d, 'x')", name, i))
				env.run(ctx, "UPDATE "+name+" SET name = 'y' WHERE ID = ?", i)
				everywhere(ctx, "SELECT count(*), max(NAME) FROM "+name, Row(i+1, "y"))
			}
			everywhere(ctx, `SELECT {ns}_SHOP.goods.ID, "{ns}_shop"."GOODS".name FROM {ns}_Shop.GOODS WHERE {ns}_shop.Goods.id = 6`, Row(6, "y"))
			env.run(ctx, "CREATE INDEX {ns}_SHOP.ByName ON GOODS (name); CREATE VIEW {ns}_shop.V AS SELECT * FROM {ns}_SHOP.Goods")
			env.run(ctx, "CREATE TRIGGER {ns}_shop.G AFTER DELETE ON gOOds BEGIN SELECT 1; END")
			env.run(ctx, "ALTER TABLE {ns}_sHOP.goods RENAME COLUMN NAME TO Title; ALTER TABLE {ns}_shop.GOODS RENAME TO Wares")
			everywhere(ctx, "SELECT count(TITLE) FROM {ns}_SHOP.WARES", Row(7))
			refused(ctx, "DROP NAMESPACE {ns}_SHOP", "is not empty")
			env.run(ctx, "DROP INDEX {ns}_shop.BYNAME; DROP VIEW {ns}_SHOP.v; DROP TRIGGER {ns}_Shop.g; DROP TABLE {ns}_shop.wares; DROP "+
				"NAMESPACE {ns}_SHOP RESTRICT")
			refused(ctx, "DROP NAMESPACE {ns}_shop", "does not exist")
			env.run(ctx, "CREATE NAMESPACE {ns}_SHOP; CREATE TABLE {ns}_shop.GOODS (v); CREATE VIEW {ns}_Shop.V AS SELECT 1; DROP NAMESPACE "+
				"{ns}_sHoP CASCADE")
			stored(ctx, "{ns}_shop")
			everywhere(ctx, "SELECT count(*) FROM rejoin_namespaces WHERE lower(name) = '{ns}_shop'", Row(0))
		}, env.patience)

		It("of a table may be any quoted text, and is unique in its namespace only", func(ctx SpecContext) {
			const one, other = "{ns}", "{ns}_o"
			env.run(ctx, "CREATE NAMESPACE "+other)
			odd := []string{"a b", "a.b", ".", "b.", `a"b`, `"`, "it's", "x]y", "`", "100%", "%", "_", "a_b", "axb", "[", "*", "?", "a;b", "--",
				"/*", "select", "table",
				"namespace", "cascade", "main", "{ns}", "ünï", "Ünï", "林", "🙂", "0", " ", "\t", "\\", "A"}
			quoted := func(ns, name string) string { return ns + `."` + strings.ReplaceAll(name, `"`, `""`) + `"` }
			var made, filled []string
			for i, name := range odd {
				for j, ns := range []string{one, other} {
					made = append(made, "CREATE TABLE "+quoted(ns, name)+" (v)")
					filled = append(filled, fmt.Sprintf("INSERT INTO %s VALUES (%d)", quoted(ns, name), 2*i+j))
				}
			}
			env.run(ctx, strings.Join(made, ";"))
			env.run(ctx, strings.Join(filled, ";"))
			var asked []string
			var rows [][]any
			for i, name := range odd {
				asked = append(asked, fmt.Sprintf("SELECT a.v, b.v FROM %s a, %s b", quoted(one, name), quoted(other, name)))
				rows = append(rows, Row(2*i, 2*i+1))
			}
			everywhere(ctx, strings.Join(asked, " UNION ALL "), rows...)
			for i, name := range odd {
				asked[i] = "SELECT v, 0 FROM " + quoted(one, name)
				if i%3 == 0 && !strings.Contains(name, "]") {
					asked[i] = fmt.Sprintf("SELECT v, 0 FROM [%s].[%s]", one, name)
				}
				if i%3 == 1 && !strings.Contains(name, "`") {
					asked[i] = fmt.Sprintf("SELECT v, 0 FROM `%s`.`%s`", one, name)
				}
				rows[i] = Row(2*i, 0)
			}
			everywhere(ctx, strings.Join(asked, " UNION ALL "), rows...)

			By("renaming and dropping")
			env.run(ctx, "ALTER TABLE "+quoted(one, "a b")+" RENAME TO "+`"b.a"`+"; DROP TABLE "+quoted(one, "_")+"; DROP TABLE "+quoted(other, "%"))
			everywhere(ctx, "SELECT v FROM "+quoted(one, "b.a"), Row(0))
			everywhere(ctx, "SELECT v FROM "+quoted(other, "a b"), Row(1))
			everywhere(ctx, fmt.Sprintf("SELECT a.v, b.v FROM %s a, %s b", quoted(one, "%"), quoted(other, "_")),
				Row(2*slices.Index(odd, "%"), 2*slices.Index(odd, "_")+1))
			env.run(ctx, "DROP NAMESPACE "+other+" CASCADE")
			everywhere(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, length('{ns}_')) = '{ns}_'", Row(0))
			everywhere(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, length('{ns}.')) = '{ns}.'",
				Row(len(odd)-1))
			for _, name := range []string{"select", "林", `a"b`, "a.b"} {
				Expect(env.run(ctx, "SELECT count(*) FROM "+quoted(one, name))).To(HaveRows(Row(1)))
			}
		}, env.patience)

		It("is not found in texts or comments, and yields to aliases and WITH", func(ctx SpecContext) {
			env.run(ctx, "CREATE NAMESPACE {ns}_o; CREATE TABLE {ns}.t (v TEXT, {ns}_o TEXT); CREATE TABLE {ns}_o.t (v TEXT); CREATE TABLE "+
				"{ns}_t (v TEXT)")
			env.run(ctx, `INSERT INTO {ns}.t
				VALUES ('{ns}.t; DROP NAMESPACE {ns}_o CASCADE', 'CREATE NAMESPACE {ns}_p') -- ; DROP NAMESPACE {ns} CASCADE
				; /* DROP NAMESPACE {ns}_o CASCADE; */ INSERT INTO {ns}_o.t VALUES ('o')`)
			everywhere(ctx, "SELECT v, {ns}_o FROM {ns}.t",
				Row(env.sql("{ns}.t; DROP NAMESPACE {ns}_o CASCADE"), env.sql("CREATE NAMESPACE {ns}_p")))
			everywhere(ctx, "SELECT '{ns}_o.t', v AS \"{ns}_o.t\" /* FROM {ns}.t */ FROM {ns}_o.t -- {ns}.t", Row(env.sql("{ns}_o.t"), "o"))
			everywhere(ctx, "SELECT count(*) FROM rejoin_namespaces WHERE name IN ('{ns}', '{ns}_o', '{ns}_p')", Row(2))
			env.run(ctx, "UPDATE {ns}.t SET v = '1', {ns}_o = '2'; INSERT INTO {ns}_t VALUES ('3')")

			for sql, row := range map[string][]any{
				"SELECT {ns}_o.v FROM {ns}.t AS {ns}_o":                                                           Row("1"),
				"SELECT {ns}_o.v, {ns}_o.{ns}_o FROM {ns}.t {ns}_o":                                               Row("1", "2"),
				"SELECT t.v, u.v FROM {ns}.t, {ns}_o.t AS u":                                                      Row("1", "o"),
				"SELECT {ns}.t.v, {ns}_o.t.v FROM {ns}.t, {ns}_o.t":                                               Row("1", "o"),
				"WITH t(v) AS (VALUES ('c')) SELECT t.v, u.v FROM t, {ns}_o.t AS u":                               Row("c", "o"),
				"WITH {ns}_o(v) AS (VALUES ('c')) SELECT {ns}_o.v, u.v FROM {ns}_o, {ns}_o.t AS u":                Row("c", "o"),
				"WITH {ns}_t(v) AS (SELECT v FROM {ns}.t) SELECT v FROM {ns}_t":                                   Row("1"),
				"SELECT v FROM main.{ns}_t":                                                                       Row("3"),
				"SELECT (SELECT v FROM {ns}_o.t), (SELECT max({ns}_o) FROM {ns}.t)":                               Row("o", "2"),
				"SELECT v FROM {ns}.t WHERE EXISTS (SELECT 1 FROM {ns}_o.t WHERE {ns}_o.t.v > {ns}.t.v)":          Row("1"),
				"SELECT x.v FROM (SELECT v FROM {ns}_o.t) AS x JOIN {ns}.t AS y ON y.v < x.v":                     Row("o"),
				"SELECT {ns}_o.t.* FROM {ns}_o.t":                                                                 Row("o"),
				"SELECT v FROM {ns}_o.t UNION ALL SELECT v FROM {ns}_t WHERE v IN (SELECT v FROM {ns}.t LIMIT 0)": Row("o"),
			} {
				everywhere(ctx, sql, row)
			}
			everywhere(ctx, "SELECT {ns}.t.v, {ns}_o.t.v FROM {ns}.t AS t, {ns}_o.t AS T", Row("1", "o"))
			refused(ctx, "SELECT t.v FROM {ns}.t, {ns}_o.t", "ambiguous")
			env.run(ctx, "INSERT INTO {ns}_o.t SELECT {ns}_o FROM {ns}.t; DELETE FROM {ns}_o.t WHERE {ns}_o.t.v IN (SELECT {ns}_t.v || '' "+
				"FROM main.{ns}_t)")
			env.run(ctx, "UPDATE {ns}.t SET v = (SELECT max(v) FROM {ns}_o.t) WHERE {ns}.t.v = '1'; REPLACE INTO {ns}_t SELECT t.v FROM {ns}.t")
			everywhere(ctx, "SELECT v FROM {ns}_t ORDER BY v", Row("3"), Row("o"))
			everywhere(ctx, "SELECT v FROM {ns}_o.t ORDER BY v", Row("2"), Row("o"))
		}, env.patience)

		It("is resolved wherever a statement may name a table or a column", func(ctx SpecContext) {
			env.run(ctx, `CREATE NAMESPACE {ns}_o; CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v);
				CREATE TABLE {ns}_o.t (id INTEGER PRIMARY KEY, v); CREATE TABLE t_of_{ns} (id, v);
				CREATE INDEX {ns}.by_v ON t (v); CREATE INDEX {ns}_o.by_v ON t (v DESC) WHERE v IS NOT NULL`)
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'a'), (2, 'b'), (3, '[7, 8]'); INSERT INTO {ns}_o.t VALUES (1, 'o'), (2, 'p'); INSERT "+
				"INTO t_of_{ns} VALUES (2, 'm')")
			for sql, rows := range map[string][][]any{
				"SELECT v FROM {ns}.t WHERE id IN (SELECT id FROM {ns}_o.t) ORDER BY {ns}.t.v " +
					"DESC": {Row("b"), Row("a")},
				"SELECT a.v, b.v FROM {ns}.t AS a JOIN {ns}_o.t AS b USING (id) ORDER BY " +
					"a.id": {Row("a", "o"), Row("b", "p")},
				"SELECT {ns}.t.v, {ns}_o.t.v FROM {ns}.t LEFT JOIN {ns}_o.t ON {ns}_o.t.id = {ns}.t.id ORDER BY " +
					"{ns}.t.id": {Row("a", "o"), Row("b", "p"), Row("[7, 8]", nil)},
				"SELECT {ns}.t.v FROM {ns}.t, {ns}_o.t, t_of_{ns} AS m WHERE {ns}.t.id = {ns}_o.t.id AND m.id = " +
					"{ns}_o.t.id": {Row("b")},
				"SELECT j.value FROM {ns}.t AS x, json_each(x.v) AS j WHERE x.id = " +
					"3": {Row(7), Row(8)},
				"SELECT v FROM {ns}.t INDEXED BY by_v WHERE v = " +
					"'a'": {Row("a")},
				"SELECT v FROM {ns}_o.t AS u NOT INDEXED WHERE u.v IS DISTINCT FROM " +
					"'o'": {Row("p")},
				"SELECT max({ns}.t.v) OVER (PARTITION BY {ns}.t.id % 2 ORDER BY {ns}.t.id) FROM {ns}.t WHERE {ns}.t.id < 3 GROUP BY {ns}.t.v " +
					"HAVING count({ns}.t.v) = 1 ORDER BY 1": {Row("a"), Row("b")},
				"SELECT (SELECT {ns}_o.t.v FROM {ns}_o.t WHERE {ns}_o.t.id = {ns}.t.id) FROM {ns}.t ORDER BY " +
					"{ns}.t.id": {Row("o"), Row("p"), Row(nil)},
				"SELECT v FROM {ns}.t EXCEPT SELECT v FROM (SELECT '[7, 8]' AS v UNION SELECT v FROM {ns}.t WHERE id = " +
					"2)": {Row("a")},
				"WITH RECURSIVE n(i) AS (SELECT min(id) FROM {ns}.t UNION ALL SELECT i + 1 FROM n, {ns}_o.t WHERE n.i = {ns}_o.t.id) SELECT i " +
					"FROM n": {Row(1), Row(2), Row(3)},
				"SELECT v FROM ({ns}.t) WHERE id = 1":                                               {Row("a")},
				"SELECT x.v, y.v FROM ({ns}.t AS x CROSS JOIN {ns}_o.t AS y) WHERE x.id + y.id = 2": {Row("a", "o")},
				"VALUES ((SELECT count(*) FROM {ns}.t)), ((SELECT count(*) FROM {ns}_o.t))":         {Row(3), Row(2)},
			} {
				everywhere(ctx, sql, rows...)
			}
			refused(ctx, "SELECT {ns}.t.v FROM {ns}_o.t", "no such column")
			refused(ctx, "SELECT {ns}_o.t.v FROM {ns}.t AS u", "no such column")
			everywhere(ctx, "SELECT (SELECT u.v FROM {ns}_o.t AS u WHERE u.id = {ns}.t.id) FROM {ns}.t ORDER BY 1", Row(nil), Row("o"), Row("p"))
			everywhere(ctx, "SELECT {ns}.x.v FROM {ns}.t AS X WHERE {ns}.X.id = 1", Row("a"))
			Expect(env.run(ctx, "UPDATE {ns}.t SET v = t.v WHERE id = 2 RETURNING {ns}.t.v, t.id")).To(HaveRows(Row("b", 2)))
			Expect(env.run(ctx, "UPDATE {ns}.t AS u SET v = u.v WHERE {ns}.U.id = 1 RETURNING v")).To(HaveRows(Row("a")))
			everywhere(ctx, "SELECT sum(t.id) OVER w FROM {ns}.t WINDOW w AS (ORDER BY {ns}.t.id) ORDER BY 1", Row(1), Row(3), Row(6))
			everywhere(ctx, "SELECT window.v FROM {ns}.t window WHERE window.id = 1", Row("a"))
			everywhere(ctx, "SELECT {ns}.t.v IS DISTINCT FROM {ns}_o.t.v, {ns}.t.v IS NOT DISTINCT FROM {ns}.t.v FROM {ns}.t JOIN {ns}_o.t "+
				"USING (id) WHERE id = 1", Row(1, 1))
			everywhere(ctx, "SELECT {ns}.t.v IS DISTINCT FROM {ns}.t.id FROM {ns}.t WHERE id = 1", Row(1))
			const merge = "INSERT INTO {ns}.t SELECT id, v FROM {ns}_o.t AS u WHERE id = 1 ON CONFLICT (id) DO UPDATE SET v = {ns}.t.v || " +
				"excluded.v WHERE {ns}.t.id = 1 RETURNING {ns}.t.v"
			Expect(env.run(ctx, merge)).To(HaveRows(Row("ao")))
			env.run(ctx, "UPDATE {ns}.t SET v = 'a' WHERE id = 1")
			for _, step := range []struct {
				sql  string
				rows [][]any
			}{
				{"INSERT INTO {ns}.t AS x VALUES (1, 'c'), (4, 'd') ON CONFLICT (id) DO UPDATE SET v = x.v || excluded.v WHERE x.id = 1 " +
					"RETURNING id, v", [][]any{Row(1, "ac"), Row(4, "d")}},
				{"INSERT INTO {ns}_o.t VALUES (1, 'c') ON CONFLICT DO UPDATE SET v = {ns}_o.t.v || (SELECT {ns}.t.v FROM {ns}.t WHERE {ns}.t.id " +
					"= 2) RETURNING v", [][]any{Row("ob")}},
				{"INSERT OR REPLACE INTO {ns}_o.t SELECT {ns}.t.id, {ns}.t.v FROM {ns}.t WHERE {ns}.t.id = 4 RETURNING (SELECT count(*) FROM " +
					"{ns}.t), v", [][]any{Row(4, "d")}},
				{"UPDATE OR IGNORE {ns}_o.t SET v = {ns}.t.v FROM {ns}.t WHERE {ns}.t.id = {ns}_o.t.id AND {ns}_o.t.id = 2 RETURNING id",
					[][]any{Row(2)}},
				{"WITH gone AS (SELECT id FROM {ns}.t WHERE v = 'd') DELETE FROM {ns}_o.t WHERE id IN gone RETURNING v", [][]any{Row("d")}},
				{"DELETE FROM {ns}.t WHERE {ns}.t.id NOT IN (SELECT {ns}_o.t.id FROM {ns}_o.t) AND EXISTS (SELECT 1 FROM {ns}_o.t AS u WHERE " +
					"u.id < {ns}.t.id) RETURNING id", [][]any{Row(3), Row(4)}},
				{"REPLACE INTO {ns}.t VALUES (2, (SELECT v FROM {ns}_o.t WHERE id = 1)) RETURNING v", [][]any{Row("ob")}},
			} {
				Expect(env.run(ctx, step.sql)).To(HaveRows(step.rows...), step.sql)
			}
			everywhere(ctx, "SELECT id, v FROM {ns}.t ORDER BY id", Row(1, "ac"), Row(2, "ob"))
			everywhere(ctx, "SELECT id, v FROM {ns}_o.t ORDER BY id", Row(1, "ob"), Row(2, "b"))

			By("using names in definitions")
			env.run(ctx, `CREATE TABLE {ns}.copy AS SELECT {ns}_o.t.v AS v FROM {ns}_o.t; CREATE VIEW {ns}.both (a, b) AS SELECT x.v,
				{ns}_o.t.v FROM {ns}.t AS x JOIN {ns}_o.t ON {ns}_o.t.id = x.id;
				CREATE TABLE {ns}.checked (v CHECK ({ns}.checked.v > 0), w AS (v + 1));
					CREATE INDEX {ns}.by_two ON checked (v) WHERE {ns}.checked.v > 1;
				ALTER TABLE {ns}.checked ADD COLUMN up REFERENCES {ns}_o.t (id); ALTER TABLE {ns}.checked RENAME COLUMN up TO higher`)
			refused(ctx, "INSERT INTO {ns}.checked (v) VALUES (0)", "CHECK constraint failed")
			refused(ctx, "INSERT INTO {ns}.checked (v, higher) VALUES (1, 9)", "FOREIGN KEY constraint failed")
			Expect(env.run(ctx, "INSERT INTO {ns}.checked (v, higher) VALUES (1, 2) RETURNING w")).To(HaveRows(Row(2)))
			everywhere(ctx, "SELECT a, b FROM {ns}.both ORDER BY a", Row("ac", "ob"), Row("ob", "b"))
			everywhere(ctx, "SELECT v FROM {ns}.copy WHERE v IN (SELECT b FROM {ns}.both) ORDER BY rowid", Row("ob"), Row("b"))
			everywhere(ctx, "SELECT 'ob' IN {ns}.copy, 'x' IN {ns}.copy, 1 NOT IN {ns}.copy", Row(1, 0, 1))
			env.run(ctx, "REINDEX {ns}.by_v; DROP INDEX {ns}.by_v; DROP VIEW {ns}.both; DROP TABLE {ns}.copy")
			everywhere(ctx, "SELECT count(*) FROM {ns}_o.t INDEXED BY by_v WHERE v IS NOT NULL", Row(2))
		}, env.patience)

		It("of a renamed table stays in its namespace, with its references", func(ctx SpecContext) {
			furnish(ctx, "{ns}_a")
			furnish(ctx, "{ns}_b")
			env.run(ctx, "CREATE TABLE {ns}_a.child (t REFERENCES t (id)); INSERT INTO {ns}_a.child VALUES (1); ALTER TABLE {ns}_a.t RENAME TO u")
			refused(ctx, "SELECT * FROM {ns}_a.t", "no such table")
			everywhere(ctx, "SELECT v FROM {ns}_a.u ORDER BY id", Row("one"), Row(env.sql("of {ns}_a")))
			everywhere(ctx, "SELECT n FROM {ns}_a.w", Row(2))
			refused(ctx, "INSERT INTO {ns}_a.u (v) VALUES ('one')", "UNIQUE constraint failed")
			refused(ctx, "INSERT INTO {ns}_a.child VALUES (99)", "FOREIGN KEY constraint failed")
			env.run(ctx, "DELETE FROM {ns}_a.u WHERE id = 2")
			everywhere(ctx, "SELECT what FROM {ns}_a.log", Row(env.sql("of {ns}_a")))
			works(ctx, "{ns}_b")
			env.run(ctx, "CREATE TABLE {ns}_outside (v)")
			refused(ctx, "ALTER TABLE {ns}_outside RENAME TO {ns}_a.inside", "")
			refused(ctx, "ALTER TABLE {ns}_a.u RENAME TO {ns}_b.u", "")
			refused(ctx, "ALTER TABLE {ns}_a.u RENAME TO log", "there is already")
			env.run(ctx, "CREATE TABLE {ns}_a.t (v); INSERT INTO {ns}_a.t VALUES ('another'); DROP NAMESPACE {ns}_a CASCADE")
			stored(ctx, "{ns}_a")
			stored(ctx, "{ns}_o", "{ns}_outside")
			everywhere(ctx, "SELECT v FROM {ns}_b.t ORDER BY id", Row("one"), Row(env.sql("of {ns}_b")))
		}, env.patience)

		It("in another namespace works in foreign keys, triggers and views", func(ctx SpecContext) {
			env.run(ctx, `CREATE NAMESPACE {ns}_p; CREATE NAMESPACE {ns}_c; CREATE TABLE {ns}_p.t (id INTEGER PRIMARY KEY);
				CREATE TABLE {ns}_p.log (v); CREATE TABLE {ns}_c.log (v);
				CREATE TABLE {ns}_c.t (id INTEGER PRIMARY KEY, up REFERENCES {ns}_p.t (id) ON DELETE CASCADE, own REFERENCES t (id));
				CREATE VIEW {ns}_c.both AS SELECT c.id AS child, p.id AS parent FROM {ns}_c.t c JOIN {ns}_p.t p ON p.id = c.up`)
			env.run(ctx, `CREATE TRIGGER {ns}_c.g AFTER INSERT ON t BEGIN INSERT INTO "{ns}_p.log" VALUES (new.id);
				INSERT INTO "{ns}_c.log" VALUES (new.up); END`)
			env.run(ctx, "INSERT INTO {ns}_p.t VALUES (1), (2); INSERT INTO {ns}_c.t VALUES (10, 1, NULL), (11, 2, 10)")
			refused(ctx, "INSERT INTO {ns}_c.t VALUES (12, 3, NULL)", "FOREIGN KEY constraint failed")
			refused(ctx, "INSERT INTO {ns}_c.t VALUES (12, 1, 2)", "FOREIGN KEY constraint failed")
			everywhere(ctx, "SELECT (SELECT group_concat(v) FROM {ns}_p.log), (SELECT group_concat(v) FROM {ns}_c.log)", Row("10,11", "1,2"))
			everywhere(ctx, "SELECT child, parent FROM {ns}_c.both ORDER BY child", Row(10, 1), Row(11, 2))
			env.run(ctx, "DELETE FROM {ns}_p.t WHERE id = 2")
			everywhere(ctx, "SELECT id FROM {ns}_c.t", Row(10))
			refused(ctx, "DROP NAMESPACE {ns}_p CASCADE", "FOREIGN KEY constraint failed")
			everywhere(ctx, "SELECT child, parent FROM {ns}_c.both", Row(10, 1))
			env.run(ctx, "UPDATE {ns}_c.t SET up = NULL; CREATE TABLE {ns}_c.in_capitals (up REFERENCES {ns}_P.T (ID) ON DELETE CASCADE); "+
				"INSERT INTO {ns}_c.in_capitals VALUES (1)")
			refused(ctx, "DROP NAMESPACE {ns}_p CASCADE", "FOREIGN KEY constraint failed")
			env.run(ctx, `DROP TABLE {ns}_c.in_capitals; CREATE TABLE {ns}_p.pair (a, b, UNIQUE (a, b)); CREATE TABLE {ns}_c.half (a, b,
				FOREIGN KEY (a, b) REFERENCES {ns}_p.pair (a, b));
				INSERT INTO {ns}_p.pair VALUES (1, 1); INSERT INTO {ns}_c.half VALUES (1, NULL), (NULL, 1), (1, 1)`)
			refused(ctx, "DROP NAMESPACE {ns}_p CASCADE", "FOREIGN KEY constraint failed")
			env.run(ctx, "DELETE FROM {ns}_c.half WHERE a = b; DROP NAMESPACE {ns}_p CASCADE")
			everywhere(ctx, "SELECT id, up FROM {ns}_c.t", Row(10, nil))
			everywhere(ctx, "SELECT count(*) FROM {ns}_c.half", Row(2))
			refused(ctx, "SELECT * FROM {ns}_c.both", "no such table")
			refused(ctx, "INSERT INTO {ns}_c.t VALUES (13, NULL, NULL)", "no such table")
			env.run(ctx, "DROP NAMESPACE {ns}_c CASCADE")
			stored(ctx, "{ns}_c")
			stored(ctx, "{ns}_p")
		}, env.patience)

		It("of a dropped namespace fires no trigger outside", func(ctx SpecContext) {
			env.run(ctx, `CREATE NAMESPACE {ns}_d; CREATE TABLE {ns}_heard (v); CREATE TABLE {ns}_d.t (id INTEGER PRIMARY KEY);
				CREATE TABLE {ns}_d.z (t REFERENCES t (id) ON DELETE CASCADE); INSERT INTO {ns}_d.t VALUES (1); INSERT INTO {ns}_d.z VALUES (1)`)
			env.run(ctx, `CREATE TRIGGER {ns}_d.inside AFTER DELETE ON z BEGIN INSERT INTO {ns}_heard VALUES ('inside'); END;
				CREATE TRIGGER {ns}_outside AFTER DELETE ON "{ns}_d.z" BEGIN INSERT INTO {ns}_heard VALUES ('outside'); END;
				CREATE TRIGGER {ns}_d.t AFTER UPDATE ON z BEGIN INSERT INTO {ns}_heard VALUES ('as a table'); END`)
			env.run(ctx, "DELETE FROM {ns}_d.z; INSERT INTO {ns}_d.z VALUES (1); UPDATE {ns}_d.z SET t = 1")
			everywhere(ctx, "SELECT v FROM {ns}_heard ORDER BY v", Row("as a table"), Row("inside"), Row("outside"))
			refused(ctx, "CREATE TRIGGER {ns}_d.t AFTER UPDATE ON z BEGIN SELECT 1; END", "already exists")
			env.run(ctx, "DROP TRIGGER {ns}_d.t")
			everywhere(ctx, "SELECT count(*) FROM {ns}_d.t", Row(1))
			env.run(ctx, "DELETE FROM {ns}_heard; DROP NAMESPACE {ns}_d CASCADE")
			everywhere(ctx, "SELECT count(*) FROM {ns}_heard", Row(0))
			stored(ctx, "{ns}_d")
			stored(ctx, "{ns}_outside")

			By("keeping a table that was renamed out of it, without its indexes")
			env.run(ctx, `CREATE NAMESPACE {ns}_d; CREATE TABLE {ns}_d.t (v); CREATE INDEX {ns}_d.i ON t (v); CREATE TABLE {ns}_d.u (v);
				ALTER TABLE "{ns}_d.t" RENAME TO {ns}_left; INSERT INTO {ns}_left VALUES (1)`)
			refused(ctx, "SELECT * FROM {ns}_d.t", "no such table")
			env.run(ctx, "DROP NAMESPACE {ns}_d CASCADE")
			everywhere(ctx, "SELECT v FROM {ns}_left", Row(1))
			stored(ctx, "{ns}_d")
			env.run(ctx, `CREATE TABLE "{ns}_E.Csv" (v); CREATE NAMESPACE {ns}_e`)
			for _, sql := range []string{"SELECT * FROM {ns}_e.csv", "CREATE TABLE {ns}_e.CSV (v)", "DROP TABLE {ns}_E.csv"} {
				refused(ctx, sql, "is not in namespace")
			}
			env.run(ctx, `CREATE TABLE {ns}_e.t (v); CREATE TRIGGER {ns}_e.csv AFTER INSERT ON t BEGIN SELECT 1; END`)
			refused(ctx, "SELECT * FROM {ns}_e.csv", "is not in namespace")
			env.run(ctx, "DROP TRIGGER {ns}_E.CSV")
			env.run(ctx, "DROP NAMESPACE {ns}_E CASCADE")
			everywhere(ctx, `SELECT count(*) FROM "{ns}_e.csv"`, Row(0))
		}, env.patience)

		It("of a namespace is unique and valid", func(ctx SpecContext) {
			longest := "n" + strings.Repeat("_", 62)
			for _, name := range []string{"{ns}_1", "_{ns}", "{ns}__", longest[:63-len("_x")] + "_x", `"{ns}_q"`, "[{ns}_r]", "`{ns}_s`",
				"cascade", "namespace"} {
				env.run(ctx, "CREATE NAMESPACE "+name)
				refused(ctx, "CREATE NAMESPACE "+name, "already exists")
				env.run(ctx, "CREATE NAMESPACE IF NOT EXISTS "+name)
				env.run(ctx, "DROP NAMESPACE "+name)
				refused(ctx, "DROP NAMESPACE "+name, "does not exist")
				refused(ctx, "DROP NAMESPACE "+name+" CASCADE", "does not exist")
				env.run(ctx, "DROP NAMESPACE IF EXISTS "+name+"; DROP NAMESPACE IF EXISTS "+name+" CASCADE")
			}
			for name, why := range map[string]string{`"1a"`: "does not begin with a digit", `"a-b"`: "ASCII letters, digits and underscores",
				`"a b"`: "ASCII letters", `"a.b"`: "ASCII letters", `"ä"`: "ASCII letters",
				`"a%"`: "ASCII letters", `""`: "ASCII letters", "main": "belongs to SQLite", "TEMP": "belongs to SQLite", "Sqlite_x": "belongs " +
					"to SQLite", "rejoin_x": "belong to the database", "Rejoin": "belong to the database", longest + "_": "at most 63 bytes"} {
				refused(ctx, "CREATE NAMESPACE "+name, why)
				refused(ctx, "CREATE NAMESPACE IF NOT EXISTS "+name, why)
			}
			refused(ctx, "CREATE TABLE {ns}_none.t (v)", "does not exist")
			refused(ctx, "CREATE TABLE IF NOT EXISTS {ns}_none.t (v)", "does not exist")
			refused(ctx, "DROP TABLE IF EXISTS {ns}_none.t", "does not exist")

			By("rolling back the request that created or dropped it")
			refused(ctx, "CREATE NAMESPACE {ns}_u; CREATE TABLE {ns}_u.t (v); INSERT INTO {ns}_u.no_table VALUES (1)", "no such table")
			refused(ctx, "SELECT * FROM {ns}_u.t", "does not exist")
			furnish(ctx, "{ns}_u")
			refused(ctx, "DROP NAMESPACE {ns}_u CASCADE; CREATE NAMESPACE {ns}_u; CREATE TABLE {ns}_u.t (v); SELECT * FROM {ns}_u.w",
				"no such table")
			works(ctx, "{ns}_u")
			env.run(ctx, "DROP NAMESPACE {ns}_u CASCADE; CREATE NAMESPACE {ns}_u; CREATE TABLE {ns}_u.t (v)")
			everywhere(ctx, "SELECT count(*) FROM {ns}_u.t", Row(0))
			stored(ctx, "{ns}_u", "{ns}_u.t")
			env.run(ctx, "CREATE TABLE IF NOT EXISTS {ns}_u.t (other); CREATE TABLE {ns}_u.u (v); DROP TABLE {ns}_u.t")
			refused(ctx, "DROP NAMESPACE {ns}_u", "holds table {ns}_u.u")
			env.run(ctx, "DROP TABLE {ns}_u.u; CREATE VIEW {ns}_u.only AS SELECT 1")
			refused(ctx, "DROP NAMESPACE {ns}_u RESTRICT", "holds view {ns}_u.only")
			env.run(ctx, "DROP VIEW {ns}_u.only; DROP NAMESPACE {ns}_u RESTRICT")
		}, env.patience)
	})
}
