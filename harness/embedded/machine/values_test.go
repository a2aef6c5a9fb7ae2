package machine_test

import (
	"fmt"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// exactly formats a value with its type and every bit.
func exactly(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("float64 %x", math.Float64bits(f))
	}
	return fmt.Sprintf("%#v", v)
}

var allUnicode = func() string {
	var b strings.Builder
	for r := rune(0); r <= 0x10FFFF; r += 97 {
		b.WriteRune(r)
	}
	return b.String()
}()

var _ = Describe("Values", func() {
	// SQLite's numeric columns convert floats without a fraction, and text that looks like a
	// number. These values are converted by no column.
	anywhere := []any{
		nil, int64(0), int64(-1), int64(2), int64(1 << 53), int64(1<<53 + 1), int64(-1<<53 - 1), int64(math.MaxInt64), int64(math.MinInt64),
		int64(1_700_000_000), int64(1_700_000_000_000), int64(-1_700_000_000_001),
		0.1, -2.5, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1), 1e300,
		"", "text", "\x00", "a\x00b", "2024-01-02 03:04:05Z", "2024-01-02", "true", "𝄞 naïve ﷽", allUnicode, "not \xff UTF-8",
		[]byte{}, []byte{0}, []byte{0, 0, 255}, []byte("text"), make([]byte, 100_000),
	}
	bare := append([]any{math.Copysign(0, -1), 1.0, -7.0, 1e15, "1", "1.0", "-0", "1e3", " 1"}, anywhere...)

	DescribeTable("are returned exactly", func(declared string, values []any) {
		n := open(machine.Options{})
		n.must(fmt.Sprintf("CREATE TABLE t (id INTEGER PRIMARY KEY, v %s)", declared))
		for i, v := range values {
			By(fmt.Sprintf("%.80s", exactly(v)))
			answer := n.must("INSERT INTO t VALUES (?, ?) RETURNING v", int64(i), v)
			Expect(exactly(answer.Rows[0][0])).To(Equal(exactly(v)), "in the answer to the change")
			Expect(answer.Columns[0].Type).To(Equal(declared), "the declared type")
			Expect(exactly(n.read("SELECT v FROM t WHERE id = ?", int64(i))[0][0])).To(Equal(exactly(v)), "in a read")
			Expect(exactly(n.must("SELECT ?", v).Rows[0][0])).To(Equal(exactly(v)), "never stored")
		}
		other := open(machine.Options{})
		other.restore(n.snapshot())
		for i, row := range other.read("SELECT v FROM t ORDER BY id") {
			Expect(exactly(row[0])).To(Equal(exactly(values[i])), "restored")
		}
	},
		Entry("in a BLOB column", "BLOB", bare),
		Entry("in a BOOLEAN column", "BOOLEAN", anywhere),
		Entry("in a DATE column", "DATE", anywhere),
		Entry("in a TIMESTAMP column", "TIMESTAMP", anywhere),
		Entry("in a DATETIME column", "DATETIME", anywhere),
		Entry("in a NUMERIC column", "NUMERIC", anywhere),
		Entry("in an INTEGER column", "INTEGER", anywhere),
	)

	It("have the declared type of their column, or else the type in the first row", func() {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (a DATE, b, c Some Type); INSERT INTO t VALUES (1, NULL, 2)")
		var types []string
		for _, c := range n.must("SELECT a, b, c, 1.5, 'x', x'00', 7 FROM t").Columns {
			types = append(types, c.Type)
		}
		Expect(types).To(Equal([]string{"DATE", "NULL", "Some Type", "REAL", "TEXT", "BLOB", "INTEGER"}))
	})

	It("include NaN as NULL, as in SQLite", func() {
		Expect(open(machine.Options{}).must("SELECT ?", math.NaN()).Rows).To(Equal([][]any{{nil}}))
	})
})
