package process_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Nodes in several time zones", func() {
	It("store and read the same local time", func(ctx SpecContext) {
		zones := map[string]string{
			"n0": "EST5EDT,M3.2.0,M11.1.0", "n1": "UTC0", "n2": "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
		}
		c := boot(ctx, len(zones), func(o *process.Options) {
			o.Environment = func(node string) []string { return []string{"TZ=" + zones[node]} }
		})
		c.run(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, at, made DEFAULT (datetime(1700000000, 'unixepoch', 'localtime')))")
		const zoned = "datetime('2024-07-01 12:00', 'localtime') || ' ' || datetime('2024-01-01 12:00', 'utc')"
		for i := range 6 {
			c.run(ctx, fmt.Sprintf("INSERT INTO t (id, at) VALUES (%d, %s)", i, zoned))
		}
		Expect(c.Cluster).To(BeConsistent("SELECT * FROM t ORDER BY id"))
		const utc = "2024-07-01 12:00:00 2024-01-01 12:00:00"
		result, err := c.Reading(target.Local).ExecuteOnAll(ctx, "SELECT DISTINCT at, made, "+zoned+" FROM t")
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(HaveRows(Row(utc, "2023-11-14 22:13:20", utc)))
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)
})
