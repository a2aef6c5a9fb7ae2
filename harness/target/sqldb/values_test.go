package sqldb_test

import (
	"errors"
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

var _ = DescribeTable("A value of a driver",
	func(kind string, v, want any) {
		Expect(sqldb.Exact(target.Column{Name: "c", Type: kind}, v)).To(Equal(want))
	},
	Entry("a bool", "BOOLEAN", true, int64(1)),
	Entry("another bool", "BOOLEAN", false, int64(0)),
	Entry("a small integer", "INT", int32(-7), int64(-7)),
	Entry("an unsigned one", "BIGINT UNSIGNED", uint64(7), int64(7)),
	Entry("an unsigned one that does not fit", "BIGINT UNSIGNED", uint64(math.MaxUint64), "18446744073709551615"),
	Entry("a short float", "FLOAT", float32(0.1), float64(float32(0.1))),
	Entry("a time", "TIMESTAMP", time.Date(2026, 2, 3, 4, 5, 6, 70_000_000, time.FixedZone("", 3600)), "2026-02-03 03:05:06.07"),
	Entry("bytes of text", "VARCHAR", []byte("a"), "a"),
	Entry("bytes of a number with fixed places", "DECIMAL", []byte("1.50"), "1.50"),
	Entry("a whole number with fixed places", "DECIMAL", []byte("-15"), int64(-15)),
	Entry("one that is too large", "NUMERIC", "9223372036854775808", "9223372036854775808"),
	Entry("one that is not written in the shortest way", "NUMERIC", "015", "015"),
	Entry("digits of text", "TEXT", "15", "15"),
	Entry("bytes of bytes", "BLOB", []byte("a"), []byte("a")),
	Entry("bytes of no type", "", []byte("a"), []byte("a")),
)

var _ = It("refuses a value of a type that it does not know", func() {
	Expect(sqldb.Exact(target.Column{Name: "c", Type: "POINT"}, struct{}{})).Error().To(MatchError(
		`the driver has a value of type struct {} in the column c of type "POINT"`))
})

var _ = DescribeTable("A SQLSTATE",
	func(code string, kind error, outcome target.Outcome) {
		v := sqldb.SQLState(code)
		Expect(v.Code).To(Equal(code))
		Expect(v.Outcome).To(Equal(outcome))
		Expect(errors.Is(v.Kind, kind)).To(BeTrue(), "%v", v.Kind)
	},
	Entry(nil, "40001", target.ErrConflict, target.NotApplied),
	Entry(nil, "40P01", target.ErrConflict, target.NotApplied),
	Entry(nil, "40003", nil, target.Unknown),
	Entry(nil, "23505", target.ErrConstraint, target.NotApplied),
	Entry(nil, "25006", target.ErrNoLeader, target.NotApplied),
	Entry(nil, "57P01", target.ErrStopping, target.Unknown),
	Entry(nil, "57014", target.ErrTimeout, target.Unknown),
	Entry(nil, "08006", target.ErrUnreachable, target.Unknown),
	Entry(nil, "42P01", target.ErrNoSuchTable, target.NotApplied),
	Entry(nil, "42P07", target.ErrExists, target.NotApplied),
	Entry(nil, "42601", target.ErrSyntax, target.NotApplied),
	Entry(nil, "XX000", nil, target.Unknown),
	Entry(nil, "22012", nil, target.NotApplied),
	Entry(nil, "?", nil, target.Unknown),
)
