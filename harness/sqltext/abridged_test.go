package sqltext_test

import (
	"errors"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = DescribeTable("Literal", func(value any, literal string) {
	Expect(sqltext.Literal(value)).To(Equal(literal))
},
	Entry("of NULL", nil, "NULL"),
	Entry("of an integer", int64(math.MinInt64), "-9223372036854775808"),
	Entry("of a real without a fraction", 1.0, "1.0"),
	Entry("of a negative zero", math.Copysign(0, -1), "-0.0"),
	Entry("of a large real", 1e300, "1e+300"),
	Entry("of infinity", math.Inf(1), "+Inf"),
	Entry("of text with a quote", "it's", "'it''s'"),
	Entry("of bytes", []byte{0, 255}, "x'00ff'"),
	Entry("of text of 80 bytes", strings.Repeat("x", 80), "'"+strings.Repeat("x", 80)+"'"),
	Entry("of longer text, cut between characters", "x"+strings.Repeat("é", 60), "'x"+strings.Repeat("é", 39)+"'… (121 bytes)"),
	Entry("of longer bytes", make([]byte, 81), "x'"+strings.Repeat("00", 80)+"'… (81 bytes)"),
	Entry("of a value of another type", errors.New("other"), "other"),
)

var _ = DescribeTable("Abridged", func(sql, abridged string) {
	Expect(sqltext.Abridged(sql)).To(Equal(abridged))
},
	Entry("of nothing", "", ""),
	Entry("of several lines", "\nSELECT\n\t1,\r\n  2 ", "SELECT 1, 2"),
	Entry("of 120 bytes", strings.Repeat("x", 120), strings.Repeat("x", 120)),
	Entry("of more", strings.Repeat("ab ", 50), strings.Repeat("ab ", 40)+"…"),
)
