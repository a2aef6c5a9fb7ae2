package sqltext_test

import (
	"strings"
	"testing"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func BenchmarkSplitAndQualify(b *testing.B) {
	rows := strings.Repeat("(12345, 'some text', NULL, x'00ff'), ", 1<<20/38)
	for _, c := range []struct{ name, sql string }{
		{"plain", "SELECT id, name FROM item WHERE id = ? AND name LIKE 'a%'"},
		{"namespaced", "SELECT t.id, t.name FROM ns.t WHERE t.id = ? AND ns.t.i > 1"},
		{"joined", "SELECT t.id, u.name FROM ns.t JOIN ns.u ON u.id = t.u WHERE t.i > $1 AND ns.u.j IN (SELECT j FROM a.v)"},
		{"insert of a megabyte", "INSERT INTO t VALUES " + rows + "(1, '', NULL, x'')"},
		{"namespaced insert of a megabyte", "INSERT INTO ns.t VALUES " + rows + "(1, '', NULL, x'')"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.sql)))
			b.ReportAllocs()
			for b.Loop() {
				statements, err := sqltext.Split(c.sql)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := statements[0].Qualify(known); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
