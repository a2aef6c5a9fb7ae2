package sqldb_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

var _ = DescribeTable("A value in JSON is exact", func(text string, real bool, want any) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	Expect(decoder.Decode(&v)).To(Succeed())
	got := sqldb.FromJSON(real, v)
	if want == nil {
		Expect(got).To(Or(BeNil(), Equal(v)))
		return
	}
	Expect(got).To(BeIdenticalTo(want), "%T", got)
},
	Entry(nil, "9007199254740993", false, int64(9007199254740993)), Entry(nil, "1", true, 1.0), Entry(nil, "1.5", false, 1.5),
	Entry(nil, "1e+300", false, 1e300), Entry(nil, "true", false, int64(1)), Entry(nil, "false", false, int64(0)),
	Entry(nil, `"42"`, false, "42"), Entry(nil, "null", false, nil), Entry(nil, "[256]", false, nil), Entry(nil, `["x"]`, false, nil),
)

var _ = It("An array of numbers in JSON is a blob", func() {
	Expect(sqldb.FromJSON(false, []any{json.Number("0"), json.Number("255")})).To(Equal([]byte{0, 255}))
	Expect(sqldb.FromJSON(false, []any{})).To(Equal([]byte{}))
})

var _ = Describe("Parameters in JSON", func() {
	It("come back as they were", func() {
		params := []any{int64(9007199254740993), 1.0, -0.5, 1e300, "a \"text\"", []byte{0, 255}, []byte{}, nil}
		encoded, err := sqldb.ToJSON("mydb", dialect.Statement{SQL: "SELECT ?", Params: params})
		Expect(err).NotTo(HaveOccurred())
		text, err := json.Marshal(encoded)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).To(Equal(`[9007199254740993,1.0,-0.5,1e+300,"a \"text\"",[0,255],[],null]`))
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		var back []any
		Expect(decoder.Decode(&back)).To(Succeed())
		for i, v := range back {
			_, real := params[i].(float64)
			back[i] = sqldb.FromJSON(real, v)
		}
		Expect(back).To(Equal(params))
	})

	DescribeTable("are refused where JSON has no words", func(param any, word string) {
		_, err := sqldb.ToJSON("mydb", dialect.Statement{SQL: "SELECT ?", Params: []any{param}})
		var unsupported *dialect.UnsupportedError
		Expect(errors.As(err, &unsupported)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(And(ContainSubstring("mydb"), ContainSubstring(word))))
	},
		Entry(nil, math.NaN(), "NaN"), Entry(nil, math.Inf(1), "Inf"), Entry(nil, "\xff", "UTF-8"),
	)
})
