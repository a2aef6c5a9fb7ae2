package sqltext_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = DescribeTable("The effect of a statement",
	func(sql string, reads, changesRows bool) {
		statements, err := sqltext.Split(sql)
		Expect(err).NotTo(HaveOccurred())
		Expect(statements).To(HaveLen(1))
		Expect(statements[0].Reads()).To(Equal(reads), "reads")
		Expect(statements[0].ChangesRows()).To(Equal(changesRows), "changes rows")
	},
	EntryDescription("%[1]s"),
	Entry(nil, "SELECT 1", true, false),
	Entry(nil, "select insert_time FROM t", true, false),
	Entry(nil, "VALUES (1), (2)", true, false),
	Entry(nil, "EXPLAIN INSERT INTO t VALUES (1)", true, false),
	Entry(nil, "EXPLAIN QUERY PLAN DELETE FROM t", true, false),
	Entry(nil, "/* INSERT */ SELECT 'INSERT'", true, false),
	Entry(nil, "WITH a AS (SELECT 1) SELECT * FROM a", true, false),
	Entry(nil, "WITH RECURSIVE a(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM a) VALUES (2)", true, false),
	Entry(nil, "WITH replace AS (SELECT 1 AS x) SELECT * FROM replace", true, false),
	Entry(nil, "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", false, true),
	Entry(nil, "WITH a AS (SELECT 1) REPLACE /* x */ INTO t SELECT * FROM a", false, true),
	Entry(nil, "WITH a AS (SELECT 1) DELETE FROM t", false, true),
	Entry(nil, "INSERT INTO t VALUES (1)", false, true),
	Entry(nil, "REPLACE INTO t VALUES (1)", false, true),
	Entry(nil, "UPDATE t SET x = 1", false, true),
	Entry(nil, "DELETE FROM t", false, true),
	Entry(nil, "CREATE TABLE t (x)", false, false),
	Entry(nil, "CREATE NAMESPACE n", false, false),
	Entry(nil, "DROP NAMESPACE n", false, false),
	Entry(nil, "PRAGMA user_version", true, false),
	Entry(nil, "EXPLAIN PRAGMA user_version", true, false),
	Entry(nil, "VACUUM", false, false),
)

var _ = DescribeTable("Schema changes",
	func(sql string, changes bool) {
		statements, err := sqltext.Split(sql)
		Expect(err).NotTo(HaveOccurred())
		Expect(statements).To(HaveLen(1))
		Expect(statements[0].ChangesSchema()).To(Equal(changes))
	},
	EntryDescription("%[1]s"),
	Entry(nil, "CREATE TABLE t (x)", true),
	Entry(nil, "/* a view */ create view v AS SELECT 1", true),
	Entry(nil, "CREATE UNIQUE INDEX i ON t (x)", true),
	Entry(nil, "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END", true),
	Entry(nil, "ALTER TABLE t ADD COLUMN y", true),
	Entry(nil, "DROP TABLE IF EXISTS t", true),
	Entry(nil, "CREATE NAMESPACE n", true),
	Entry(nil, "DROP NAMESPACE n CASCADE", true),
	Entry(nil, "EXPLAIN CREATE TABLE t (x)", false),
	Entry(nil, "INSERT INTO t VALUES ('DROP TABLE t')", false),
	Entry(nil, "SELECT 1 AS \"create\"", false),
	Entry(nil, "VACUUM", false),
)
