package dialect_test

import (
	"math"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

var _ = Describe("Parameters as literals", func() {
	It("stand where the parameters stood, and nowhere else", func() {
		Expect(dialect.Inline("X", dialect.Statement{
			SQL:    "INSERT INTO t VALUES (?, '?', ?, ?, ?, ?) -- ?",
			Params: []any{nil, int64(-1), 0.5, "it's ?", []byte{0, 255}},
		})).To(Equal("INSERT INTO t VALUES (NULL, '?', -1, 5e-01, 'it''s ?', X'00ff') -- ?"))
	})

	DescribeTable("are refused where there is no literal", func(value any) {
		_, err := dialect.Inline("X", dialect.Statement{SQL: "SELECT ?", Params: []any{value}})
		Expect(err).To(And(MatchError(target.ErrNoWords), MatchError(ContainSubstring("X cannot say"))))
	}, Entry(nil, math.Inf(1)), Entry(nil, math.NaN()), Entry(nil, "a\x00"), Entry(nil, "\xff"))
})
