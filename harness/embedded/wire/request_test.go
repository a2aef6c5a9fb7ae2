package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing/iotest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

var _ = Describe("A request", func() {
	DescribeTable("is unchanged by encoding and decoding",
		func(req wire.Request, written string) {
			body, err := req.Append(nil)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(body)).To(Equal(written))
			Expect(json.Valid(body)).To(BeTrue())
			read, err := wire.DecodeRequest(iotest.OneByteReader(strings.NewReader(written)))
			Expect(err).NotTo(HaveOccurred())
			Expect(read).To(Equal(req))
		},
		Entry("with SQL alone", wire.Request{SQL: "SELECT 'a\n\"b\"'"}, `{"sql":"SELECT 'a\n\"b\"'"}`),
		Entry("with everything",
			wire.Request{
				SQL:         "SELECT ?",
				Params:      []any{nil, int64(math.MaxInt64), 1.0, "ü", []byte{1}, "\xff", math.Inf(-1)},
				Consistency: wire.Strong,
			},
			`{"sql":"SELECT ?","params":[null,9223372036854775807,1.0,"ü",{"base64":"AQ=="},{"text_base64":"/w=="},-9e999],"consistency":"strong"}`),
	)

	It("may omit optional values or set them to null, and may have true and false as 1 and 0", func() {
		req, err := wire.DecodeRequest(strings.NewReader(` { "consistency" : null , "sql" : "" , "params" : [ true , false ] } `))
		Expect(err).NotTo(HaveOccurred())
		Expect(req).To(Equal(wire.Request{Params: []any{int64(1), int64(0)}}))
	})

	DescribeTable("is rejected with the reason",
		func(body, reason string) {
			req, err := wire.DecodeRequest(strings.NewReader(body))
			Expect(err).To(MatchError(ContainSubstring(reason)))
			Expect(req).To(BeZero())
		},
		Entry("for an unknown key", `{"sql":"x","parms":[1]}`, `the request has an unknown key "parms": allowed are sql, params and consistency`),
		Entry("for a key in capitals", `{"SQL":"x"}`, `unknown key "SQL"`),
		Entry("for a duplicate key", `{"sql":"x","sql":"y"}`, `not valid JSON: duplicate key "sql"`),
		Entry("for no SQL", `{"params":[]}`, `the request has no "sql"`),
		Entry("for null as SQL", `{"sql":null}`, `the request has no "sql"`),
		Entry("for a number as SQL", `{"sql":1}`, `"sql" must be a string`),
		Entry("for named params", `{"sql":"x","params":{"a":1}}`, `"params" must be an array`),
		Entry("for an unknown consistency", `{"sql":"x","consistency":"weak"}`, `unknown consistency "weak": must be local, leader or strong`),
		Entry("for a consistency that is not a string", `{"sql":"x","consistency":[]}`, `"consistency" must be a string`),
		Entry("for an integer that is too large", `{"sql":"x","params":[1,12345678901234567890]}`,
			"parameter 2: the integer 12345678901234567890 does not fit in 64 bits; a float must be written with a point or an exponent"),
		Entry("for an array as parameter", `{"sql":"x","params":[[1]]}`, "parameter 1: an array is not a value"),
		Entry("for an unknown object as parameter", `{"sql":"x","params":[1,2,{"a":1}]}`,
			`parameter 3: "{\"a\":1}" is neither {"base64":"…"} nor {"text_base64":"…"}`),
		Entry("for a lone surrogate in a parameter", `{"sql":"x","params":["\ud800"]}`, "parameter 1"),
		Entry("for a lone surrogate in the SQL", `{"sql":"\ud800"}`, "not valid JSON"),
		Entry("for bytes that are not UTF-8", "{\"sql\":\"\xff\"}", "not valid JSON"),
		Entry("for an array of requests", `[{"sql":"x"}]`, "the request must be an object"),
		Entry("for null", `null`, `the request has no "sql"`),
		Entry("for trailing data", `{"sql":"x"} {}`, "the request has trailing data after the JSON object, at byte 12"),
		Entry("for a byte order mark", "\ufeff{\"sql\":\"x\"}", "the request begins with a byte order mark (BOM)"),
		Entry("for a word", `{"sql":nonsense}`, "the request is not valid JSON: invalid character 'o'"),
		Entry("for arrays in arrays", `{"sql":"x","params":[0,`+strings.Repeat("[", 100_000), "parameter 2: an array is not a value"),
		Entry("for nothing", ``, "the request is empty or ends early"),
		Entry("for a missing end", `{"sql":"x"`, "the request is empty or ends early"),
		Entry("for a missing end in the parameters", `{"sql":"x","params":[1,`, "the request is empty or ends early"),
	)

	It("has at most MaxParams parameters, and more use no memory", func() {
		read, err := wire.DecodeRequest(strings.NewReader(`{"sql":"x","params":[0` + strings.Repeat(",0", wire.MaxParams-1) + `]}`))
		Expect(err).NotTo(HaveOccurred())
		Expect(read.Params).To(HaveLen(wire.MaxParams))
		// The rest of the body is not read.
		_, err = wire.DecodeRequest(io.MultiReader(strings.NewReader(`{"sql":"x","params":[0`+strings.Repeat(",0", wire.MaxParams+100_000)),
			iotest.ErrReader(errors.New("read on"))))
		Expect(err).To(MatchError("the request has more than 1048576 parameters"))
	})

	It("returns the read error", func() {
		broken := errors.New("the cable broke")
		_, err := wire.DecodeRequest(io.MultiReader(strings.NewReader(`{"sql":`), iotest.ErrReader(broken)))
		Expect(err).To(MatchError(broken))
		Expect(err).To(MatchError("reading the request: the cable broke"))
		_, err = wire.DecodeRequest(io.MultiReader(strings.NewReader(`{"sql":"x","params":[1,`), iotest.ErrReader(broken)))
		Expect(err).To(MatchError("reading the request: the cable broke"))
	})

	DescribeTable("is not encoded if it could not be decoded",
		func(req wire.Request, reason string) {
			body, err := req.Append([]byte("before"))
			Expect(err).To(MatchError(ContainSubstring(reason)))
			Expect(string(body)).To(Equal("before"))
		},
		Entry("with SQL that is not UTF-8", wire.Request{SQL: "\xff"}, "not valid UTF-8"),
		Entry("with an unknown consistency", wire.Request{Consistency: "weak"}, `unknown consistency "weak"`),
		Entry("with a parameter of an unsupported type", wire.Request{Params: []any{nil, 1}},
			"the parameters: value 2: the Go type int is none of"),
	)
})
