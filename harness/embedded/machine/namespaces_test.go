package machine_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = Describe("Namespaces", func() {
	var n *node
	BeforeEach(func() { n = open(machine.Options{}) })

	left := func() [][]any {
		return n.read("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'rejoin_%' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	}

	It("are created once and are case-insensitive", func() {
		n.must("CREATE NAMESPACE Shop")
		Expect(n.do("CREATE NAMESPACE SHOP").Err).To(MatchError(`namespace "shop" already exists`))
		n.must("CREATE NAMESPACE IF NOT EXISTS shop")
		n.must(`CREATE TABLE sHOP.t (v); INSERT INTO "SHOP".t VALUES (1)`)
		Expect(n.read("SELECT shop.t.v FROM shop.T")).To(Equal([][]any{{int64(1)}}))
		n.must("DROP NAMESPACE ShOp CASCADE")
		Expect(left()).To(BeEmpty())
	})

	It("must exist", func() {
		for _, sql := range []string{"DROP NAMESPACE shop", "CREATE TABLE shop.t (v)", "SELECT * FROM shop.t", "DROP NAMESPACE shop CASCADE"} {
			var unknown *sqltext.UnknownNamespaceError
			Expect(n.do(sql).Err).To(BeAssignableToTypeOf(unknown), sql)
		}
		n.must("DROP NAMESPACE IF EXISTS shop; DROP NAMESPACE IF EXISTS shop CASCADE")
	})

	It("separate tables of the same name", func() {
		n.must("CREATE NAMESPACE a; CREATE NAMESPACE b")
		n.must("CREATE TABLE t (v); CREATE TABLE a.t (v); CREATE TABLE b.t (v)")
		n.must("INSERT INTO t VALUES (0); INSERT INTO a.t VALUES (1); INSERT INTO b.t VALUES (2)")
		Expect(n.read("SELECT x.v, a.t.v, b.t.v FROM t AS x, a.t, b.t")).To(Equal([][]any{{int64(0), int64(1), int64(2)}}))
		n.must("DROP NAMESPACE a CASCADE")
		Expect(n.read("SELECT x.v, b.t.v FROM t AS x, b.t")).To(Equal([][]any{{int64(0), int64(2)}}))
	})

	It("are not confused when names look alike", func() {
		n.must("CREATE NAMESPACE a_b; CREATE NAMESPACE axb; CREATE NAMESPACE a; CREATE NAMESPACE a_bc")
		n.must("CREATE TABLE a_b.t (v); CREATE TABLE axb.t (v); CREATE TABLE a.t (v); CREATE TABLE a_bc.t (v); CREATE TABLE a_b (v)")
		n.must("DROP NAMESPACE a_b CASCADE")
		Expect(left()).To(Equal([][]any{{"a.t"}, {"a_b"}, {"a_bc.t"}, {"axb.t"}}))
	})

	It("are dropped with everything in them", func() {
		n.must("CREATE NAMESPACE shop; CREATE TABLE log (v); CREATE TABLE t (v)")
		n.must(`CREATE TABLE shop.a (id INTEGER PRIMARY KEY AUTOINCREMENT, b REFERENCES b(id));
			CREATE TABLE shop.b (id INTEGER PRIMARY KEY AUTOINCREMENT, a REFERENCES a(id));
			CREATE TABLE shop.self (id INTEGER PRIMARY KEY, up REFERENCES self(id));
			CREATE TABLE shop.plain (k PRIMARY KEY) WITHOUT ROWID;
			CREATE INDEX shop.i ON a (b);
			CREATE VIEW shop.v AS SELECT * FROM shop.a;
			CREATE VIEW shop.vv AS SELECT * FROM shop.v;
			CREATE TRIGGER shop.g AFTER DELETE ON a BEGIN INSERT INTO log VALUES (old.id); END;
			CREATE TRIGGER shop.h INSTEAD OF INSERT ON v BEGIN INSERT INTO log VALUES (new.id); END`)
		n.must(`INSERT INTO shop.a VALUES (1, NULL); INSERT INTO shop.b VALUES (1, 1); UPDATE shop.a SET b = 1;
			INSERT INTO shop.self VALUES (1, 1), (2, 1); INSERT INTO shop.v VALUES (9, 9)`)
		Expect(n.read("SELECT * FROM sqlite_sequence")).To(HaveLen(2))
		n.must("DROP NAMESPACE shop CASCADE")
		Expect(left()).To(Equal([][]any{{"log"}, {"t"}}))
		Expect(n.read("SELECT * FROM sqlite_sequence")).To(BeEmpty())
		Expect(n.read("SELECT v FROM log")).To(Equal([][]any{{int64(9)}}), "no trigger fires")

		By("a namespace created again is empty")
		n.must("CREATE NAMESPACE shop; CREATE TABLE shop.a (id INTEGER PRIMARY KEY AUTOINCREMENT)")
		Expect(n.must("INSERT INTO shop.a DEFAULT VALUES RETURNING id").Rows).To(Equal([][]any{{int64(1)}}))
	})

	When("rows outside refer to one", func() {
		BeforeEach(func() {
			n.must(`CREATE NAMESPACE shop; CREATE TABLE shop.a (id INTEGER PRIMARY KEY);
				CREATE TABLE orders (a REFERENCES "shop.a"(id)); INSERT INTO shop.a VALUES (1)`)
			n.must("INSERT INTO orders VALUES (1)")
		})

		It("is not dropped", func() {
			before := left()
			Expect(n.do("DROP NAMESPACE shop CASCADE").Err).To(MatchError(
				`FOREIGN KEY constraint failed: drop namespace "shop": rows of "orders", outside the namespace, refer to "shop.a"`))
			Expect(left()).To(Equal(before))
			Expect(n.read("SELECT * FROM shop.a")).To(HaveLen(1))
			n.must("DELETE FROM orders; DROP NAMESPACE shop CASCADE")
		})

		It("is not dropped after an earlier statement left a foreign key violated", func() {
			n.must("CREATE TABLE late (up REFERENCES late(id) DEFERRABLE INITIALLY DEFERRED, id INTEGER PRIMARY KEY)")
			Expect(n.do("DELETE FROM orders; INSERT INTO late VALUES (7, 1); DROP NAMESPACE shop CASCADE; UPDATE late SET up = 1").Err).
				To(MatchError(ContainSubstring("left a foreign key violated; send DROP NAMESPACE alone")))
			Expect(n.read("SELECT * FROM orders")).To(HaveLen(1))
		})

		It("does not defer the foreign keys of later entries in the batch", func() {
			n.must("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)")
			n.must(`CREATE TABLE odd (a REFERENCES "shop.a"(no_such_column))`)
			const late = "DELETE FROM p; INSERT INTO p VALUES (1)"
			responses := n.batch(entries("DROP NAMESPACE shop CASCADE", late, "DELETE FROM orders; DROP NAMESPACE shop CASCADE", late)...)
			Expect(responses[0].Err).To(MatchError(HavePrefix("FOREIGN KEY constraint failed: ")))
			Expect(responses[1].Err).To(MatchError("statement 1 of 2: FOREIGN KEY constraint failed"))
			Expect(responses[2].Err).NotTo(HaveOccurred(), "a foreign key to an unknown column does not prevent the drop")
			Expect(responses[3].Err).To(MatchError("statement 1 of 2: FOREIGN KEY constraint failed"))
		})
	})

	It("apply to names in views and triggers", func() {
		n.must("CREATE NAMESPACE shop; CREATE TABLE shop.t (v); CREATE TABLE t (v)")
		n.must("CREATE VIEW shop.v AS SELECT v FROM shop.t; CREATE TRIGGER shop.g AFTER INSERT ON t BEGIN INSERT INTO t VALUES (new.v + 1); END")
		n.must("INSERT INTO shop.t VALUES (1)")
		Expect(n.read("SELECT * FROM t")).To(Equal([][]any{{int64(2)}}), "in a trigger, an unqualified name refers to main")
		Expect(n.read("SELECT * FROM shop.v")).To(Equal([][]any{{int64(1)}}))
	})
})
