package external_test

import (
	"path/filepath"

	_ "github.com/mattn/go-sqlite3" // the driver of the spec

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/external"
)

var _ = It("A database is reached by a driver, in its dialect, and set up", func(ctx SpecContext) {
	file := filepath.Join(GinkgoT().TempDir(), "data.db")
	over, err := external.New("sqlite", described.Target{
		Nodes: []described.Node{{Name: "a", Address: "none:1", Values: map[string]string{"file": file}}},
		Driver: &described.Driver{Name: "sqlite3", DSN: "file:{{.Values.file}}?_busy_timeout=5000", Rules: []described.Rule{
			{Contains: "UNIQUE", Outcome: "not-applied", Kind: "constraint"}}},
		Dialect: "prefixes", Setup: []string{"CREATE TABLE IF NOT EXISTS made (v)"},
		Status: described.Status{Ask: []described.Ask{{SQL: "SELECT count(*) AS n FROM sqlite_schema"}}, Applied: "{{.n}}"},
	})
	Expect(err).NotTo(HaveOccurred())
	cluster, err := over.Boot(ctx, 1)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	run := func(sql string, params ...any) ([]any, error) {
		rows, err := cluster.Nodes()[0].Client().Query(ctx, target.Request{SQL: sql, Params: params})
		if err != nil {
			return nil, err
		}
		var row []any
		for rows.NextResult() {
			for rows.Next() {
				if row, err = rows.Row(); err != nil {
					return nil, err
				}
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		return row, rows.Close()
	}
	_, err = run("CREATE NAMESPACE ns; CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v); INSERT INTO made VALUES (1)")
	Expect(err).NotTo(HaveOccurred())
	Expect(run("INSERT INTO ns.t VALUES (?, ?)", int64(1), []byte{0})).Error().NotTo(HaveOccurred())
	_, err = run("INSERT INTO ns.t VALUES (1, 2)")
	Expect(err).To(MatchError(target.ErrConstraint))
	Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
	Expect(run("SELECT v FROM ns.t")).To(Equal([]any{[]byte{0}}))
	Expect(cluster.Nodes()[0].Status(ctx)).To(HaveField("AppliedIndex", BeNumerically(">=", 3)))
})
