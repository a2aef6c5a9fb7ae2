package wire_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

var _ = Describe("A reader of answers from other servers", func() {
	DescribeTable("accepts keys in any order, and unknown keys",
		func(answer, expected string) {
			seen, r := read(strings.NewReader(answer))
			Expect(r.Err()).NotTo(HaveOccurred())
			Expect(seen).To(Equal(expected))
		},
		Entry("status first, error null",
			`{"status":"success","error":null,"took":2,`+
				`"results":[{"rows":[[1]],"schema":[{"data_type":"INT","name":"a","index":0,"flags":["pk"]}]}]}`,
			`result: [1] [{a INT}]`),
		Entry("row_count before the rows", `{"results":[{"row_count":1,"rows":[[1]]}],"status":"success"}`, `result: [1] []`),
		Entry("a statement without rows",
			`{"status":"success","results":[{"message":"created","row_count":0,"as_user":{"a":["]","}"]}}],"took":1}`, `result: []`),
		Entry("null instead of absent values",
			`{"results":[{"schema":null,"rows":null,"row_count":null,"rows_affected":null}],"status":"success","took":null}`, `result: []`),
		Entry("no results", `{"status":"success","results":[],"x":[[],{}]}`, ``),
		Entry("results that are null", `{"status":"success","results":null}`, ``),
		Entry("a type that is not a string",
			`{"results":[{"schema":[{"name":"v","data_type":{"Embedding":3}},{"name":"w"}],"rows":[]}],"status":"success"}`,
			`result: [{v {"Embedding":3}} {w }]`),
		Entry("white space anywhere",
			" \n{ \"results\" : [ { \"rows\" : [ [ 1 ,\t\"a b\" ] , [ ] ] } , { } ] , \"status\" : \"success\" } \n",
			`result: [1,"a b"] [] []; result: []`),
		Entry("escapes in the names", `{"\u0072esults":[{"row\u0073":[[1]]}],"st\u0061tus":"success"}`, `result: [1] []`),
		Entry("a key of a different level", `{"rows":[[9]],"results":[{"results":[[8]],"status":"error","rows":[[1]]}],"status":"success"}`,
			`result: [1] []`),
	)

	DescribeTable("reports an error answer",
		func(answer, message string) {
			seen, r := read(strings.NewReader(answer))
			Expect(seen).To(BeEmpty())
			Expect(r.Err()).To(BeAssignableToTypeOf(&wire.Error{}))
			Expect(r.Err()).To(MatchError(message))
		},
		Entry("from our own server", `{"status":"error","error":{"code":"SQL_ERROR","message":"no such table: t"}}`,
			"SQL_ERROR: no such table: t"),
		Entry("with results and details", `{"status":"error","results":[],"took":1,"error":{"code":"A","message":"b","details":{}}}`, "A: b"),
		Entry("with the error before rows, which are discarded",
			`{"error":{"message":"b"},"status":"error","results":[{"rows":[[1],[2]]},{"rows":[]}]}`, "b"),
		Entry("with the status before rows, which are discarded", `{"status":"error","results":[{"rows":[[1]]}],"error":{"message":"b"}}`, "b"),
		Entry("with an error right after a result without rows", `{"results":[{"rows":[]}],"status":"error","error":{"message":"b"}}`, "b"),
		Entry("with an error that contradicts the status", `{"status":"success","error":{"code":"A","message":"b"}}`, "A: b"),
		Entry("without an error", `{"status":"error"}`, "the server reported an error without a message"),
		Entry("contradicted by a later status", `{"status":"error","status":"success"}`, "the server reported an error without a message"),
		Entry("with a text as error", `{"status":"error","error":"too many requests"}`, "too many requests"),
		Entry("with a number as code", `{"status":"error","error":{"code":429,"message":null}}`,
			"429: the server reported an error without a message"),
		Entry("with a different outcome", `{"status":"error","error":{"message":"b","outcome":"applied"}}`, "b (outcome: applied)"),
	)

	DescribeTable("rejects malformed answers",
		func(answer, reason string) {
			_, r := read(strings.NewReader(answer))
			Expect(r.Err()).To(MatchError(wire.ErrMalformed))
			Expect(r.Err()).To(MatchError(ContainSubstring(reason)))
			Expect(r.NextResult()).To(BeFalse())
			Expect(r.Next()).To(BeFalse())
		},
		Entry("a page", `<html>502</html>`, `expected '{', found "<html>502</html>"`),
		Entry("an array", `[]`, "expected '{'"),
		Entry("no status", `{"results":[]}`, `its status is ""`),
		Entry("an unknown status", `{"status":"maybe"}`, `its status is "maybe"`),
		Entry("too few rows", `{"results":[{"rows":[[1]],"row_count":2}],"status":"success"}`,
			"after 1 rows of result 1: malformed answer: row_count is 2 after 1 rows"),
		Entry("too many rows", `{"results":[{"row_count":0,"rows":[[1]]}],"status":"success"}`, "row_count is 0"),
		Entry("a row_count that is not a number", `{"results":[{"row_count":"2"}],"status":"success"}`,
			`"row_count": "\"2\"" is not a number of rows`),
		Entry("a negative rows_affected", `{"results":[{"rows_affected":-1}],"status":"success"}`, "is not a number of rows"),
		Entry("duplicate rows", `{"results":[{"rows":[],"rows":[[1]]}],"status":"success"}`, `duplicate key "rows"`),
		Entry("duplicate results", `{"results":[],"results":[],"status":"success"}`, `duplicate key "results"`),
		Entry("rows that are not arrays", `{"results":[{"rows":[{"a":1}]}],"status":"success"}`, "not an array"),
		Entry("rows in an object", `{"results":[{"rows":{}}],"status":"success"}`, "not an array"),
		Entry("results that are not objects", `{"results":[[1]],"status":"success"}`, "expected '{'"),
		Entry("results in a text", `{"results":"none","status":"success"}`, "not an array"),
		Entry("a schema that is not an array", `{"results":[{"schema":3}],"status":"success"}`, `"schema"`),
		Entry("a key that is not a string", `{1:2}`, "is not a valid key"),
		Entry("an extra comma", `{"status":"success",}`, "malformed"),
		Entry("a missing row", `{"results":[{"rows":[[1],]}],"status":"success"}`, "not an array"),
		Entry("a missing comma", `{"results":[{"rows":[[1][2]]}],"status":"success"}`, "expected ','"),
		Entry("mismatched brackets", `{"results":[{"rows":[[1}]}],"status":"success"}`, "mismatched closing bracket"),
		Entry("deep nesting", `{"x":`+strings.Repeat("[", 100), "nested more than 64 levels deep"),
		Entry("an invalid value", `{"status":"success","x":[1,,2]}`, `"x" is not valid JSON`),
		Entry("bytes that are not UTF-8", "{\"status\":\"success\",\"x\":\"\xff\"}", "not valid JSON"),
		Entry("trailing data", `{"status":"success"}{}`, "followed by"),
	)
})
