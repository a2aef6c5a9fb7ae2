package sqldb_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

var _ = Describe("The digest of a SQLite database", func() {
	BeforeEach(noLeaks)

	It("is the same for the same rows in any order, and another one for another value or schema", func(ctx SpecContext) {
		digestOf := func(statements ...string) string {
			GinkgoHelper()
			db := sqlite(GinkgoT().TempDir())
			for _, s := range statements {
				Expect(run(ctx, db, s)).Error().NotTo(HaveOccurred())
			}
			var asked uint64 // the state changes while it is read for the first time
			at, sum, err := sqldb.SQLiteDigest(ctx, db, func(context.Context) (uint64, error) { asked++; return min(asked, 3), nil })
			Expect(err).NotTo(HaveOccurred())
			Expect(at).To(Equal(uint64(3)))
			Expect(asked).To(Equal(uint64(4)))
			return sum
		}
		const table = `CREATE TABLE "a""b" (v)`
		first := digestOf(table, `INSERT INTO "a""b" VALUES (1), ('x')`)
		Expect(digestOf(table, `INSERT INTO "a""b" VALUES ('x'), (1)`)).To(Equal(first))
		for _, other := range []string{"(1), ('y')", "(1.0), ('x')", "(1), (x'78')", "(1)", "(1), ('x'), (1)"} {
			Expect(digestOf(table, `INSERT INTO "a""b" VALUES `+other)).NotTo(Equal(first), other)
		}
		Expect(digestOf(table, `INSERT INTO "a""b" VALUES (1), ('x')`, "CREATE VIEW w AS SELECT 1")).NotTo(Equal(first))
	})
})
