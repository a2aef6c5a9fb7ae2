package machine_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("A machine that diverges", func() {
	It("has a different digest at the same index until the change is undone", func() {
		n := open(machine.Options{})
		n.must("CREATE NAMESPACE ns; CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v); INSERT INTO ns.t VALUES (1, 'a')")
		before, index := n.digest(), n.Applied()
		Expect(n.Diverge("INSERT INTO ns.t VALUES (2, 'b'); CREATE VIEW ns.w AS SELECT 1; " +
			"INSERT INTO rejoin_namespaces VALUES ('more')")).To(Succeed())
		Expect(n.digest()).NotTo(Equal(before))
		Expect(n.Applied()).To(Equal(index))
		Expect(n.read("SELECT count(*) FROM ns.t")).To(Equal([][]any{{int64(2)}}))
		Expect(n.Diverge("DELETE FROM ns.t WHERE id = 2; DROP VIEW ns.w; DELETE FROM rejoin_namespaces WHERE name = 'more'")).To(Succeed())
		Expect(n.digest()).To(Equal(before))
		n.must("INSERT INTO ns.t VALUES (2, 'c')")
	})

	It("is unchanged if a statement fails", func() {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY)")
		before := n.digest()
		Expect(n.Diverge("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)")).To(MatchError(ContainSubstring("statement 2 of 2")))
		Expect(n.Diverge("INSERT INTO none.t VALUES (1)")).To(MatchError(ContainSubstring("none")))
		Expect(n.Diverge("SELECT '")).NotTo(Succeed())
		Expect(n.digest()).To(Equal(before))
		n.must("INSERT INTO t VALUES (1)")
		Expect(n.Close()).To(Succeed())
		Expect(n.Diverge("DELETE FROM t")).To(MatchError(machine.ErrClosed))
	})
})
