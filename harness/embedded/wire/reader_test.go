package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// read reads all of an answer, and returns what it saw as text.
func read(in io.Reader) (seen string, r *wire.Reader) {
	var log strings.Builder
	r = wire.NewReader(in)
	for r.NextResult() {
		log.WriteString("result:")
		for r.Next() {
			fmt.Fprintf(&log, " %s", r.Raw())
		}
		fmt.Fprintf(&log, " %v", r.Columns())
		if n, ok := r.Affected(); ok {
			fmt.Fprintf(&log, " affected %d", n)
		}
		log.WriteString("; ")
	}
	return strings.TrimSuffix(log.String(), "; "), r
}

const (
	whole = `{"results":[{"schema":[{"name":"a","data_type":"TEXT"},{"name":"b","data_type":""}],` +
		`"rows":[["x\"]\\",1.0],[{"base64":"AA=="},null]],"row_count":2},` +
		`{"schema":[],"rows":[],"row_count":0,"rows_affected":7}],"status":"success","took":1.5}`
	wholeSeen = `result: ["x\"]\\",1.0] [{"base64":"AA=="},null] [{a TEXT} {b }]; result: [] affected 7`
	partial   = `{"results":[{"schema":[{"name":"a","data_type":"TEXT"}],"rows":[["x"],["y"]]}],` +
		`"status":"error","error":{"code":"IO","message":"disk full","outcome":"unknown"}}`
)

var _ = Describe("A reader", func() {
	DescribeTable("sees the same however the bytes arrive",
		func(slow func(io.Reader) io.Reader) {
			seen, r := read(slow(strings.NewReader(whole)))
			Expect(r.Err()).NotTo(HaveOccurred())
			Expect(seen).To(Equal(wholeSeen))
			Expect(r.Took()).To(Equal(1500 * time.Microsecond))
		},
		Entry("at once", func(r io.Reader) io.Reader { return r }),
		Entry("one by one", iotest.OneByteReader),
		Entry("by halves", iotest.HalfReader),
		Entry("the last with the end", iotest.DataErrReader),
		Entry("followed by an error", func(r io.Reader) io.Reader {
			return io.MultiReader(r, iotest.ErrReader(errors.New("connection reset")))
		}),
	)

	DescribeTable("takes the keys in any order, and more of them",
		func(answer, expected string) {
			seen, r := read(strings.NewReader(answer))
			Expect(r.Err()).NotTo(HaveOccurred())
			Expect(seen).To(Equal(expected))
		},
		Entry("status first, error null", `{"status":"success","error":null,"took":2,"results":[{"rows":[[1]],"schema":[{"data_type":"INT","name":"a","index":0,"flags":["pk"]}]}]}`, `result: [1] [{a INT}]`),
		Entry("row_count before the rows", `{"results":[{"row_count":1,"rows":[[1]]}],"status":"success"}`, `result: [1] []`),
		Entry("a statement without rows", `{"status":"success","results":[{"message":"created","row_count":0,"as_user":{"a":["]","}"]}}],"took":1}`, `result: []`),
		Entry("null where nothing is", `{"results":[{"schema":null,"rows":null,"row_count":null,"rows_affected":null}],"status":"success","took":null}`, `result: []`),
		Entry("no results", `{"status":"success","results":[],"x":[[],{}]}`, ``),
		Entry("results that are null", `{"status":"success","results":null}`, ``),
		Entry("a type that is no string", `{"results":[{"schema":[{"name":"v","data_type":{"Embedding":3}},{"name":"w"}],"rows":[]}],"status":"success"}`, `result: [{v {"Embedding":3}} {w }]`),
		Entry("white space anywhere", " \n{ \"results\" : [ { \"rows\" : [ [ 1 ,\t\"a b\" ] , [ ] ] } , { } ] , \"status\" : \"success\" } \n", `result: [1,"a b"] [] []; result: []`),
		Entry("escapes in the names", `{"\u0072esults":[{"row\u0073":[[1]]}],"st\u0061tus":"success"}`, `result: [1] []`),
		Entry("a name that is there for another level", `{"rows":[[9]],"results":[{"results":[[8]],"status":"error","rows":[[1]]}],"status":"success"}`, `result: [1] []`),
	)

	It("never takes an answer that was cut for a success", func() {
		for n := range len(whole) {
			_, r := read(strings.NewReader(whole[:n]))
			Expect(r.Err()).To(MatchError(io.ErrUnexpectedEOF), "cut after %d bytes", n)
			_, r = read(iotest.OneByteReader(strings.NewReader(whole[:n])))
			Expect(r.Err()).To(MatchError(io.ErrUnexpectedEOF), "cut after %d bytes", n)
		}
		for n := range len(partial) {
			_, r := read(strings.NewReader(partial[:n]))
			Expect(r.Err()).To(HaveOccurred(), "cut after %d bytes", n)
		}
	})

	It("says after how many rows an answer was cut", func() {
		_, r := read(strings.NewReader(whole[:strings.Index(whole, "null")]))
		Expect(r.Err()).To(MatchError("the answer ends early, after 1 rows of result 1: unexpected EOF"))
		_, r = read(strings.NewReader(""))
		Expect(r.Err()).To(MatchError("the answer ends early, before the first result: unexpected EOF"))
	})

	It("passes on the error of reading", func() {
		broken := errors.New("connection reset")
		_, r := read(io.MultiReader(strings.NewReader(whole[:strings.Index(whole, "null")]), iotest.ErrReader(broken)))
		Expect(r.Err()).To(MatchError(broken))
		Expect(r.Err()).To(MatchError(ContainSubstring("reading the answer, after 1 rows of result 1")))
	})

	It("reports the server's error, also after a part of the answer", func() {
		seen, r := read(strings.NewReader(partial))
		Expect(seen).To(Equal(`result: ["x"] ["y"] [{a TEXT}]`))
		var e *wire.Error
		Expect(errors.As(r.Err(), &e)).To(BeTrue())
		Expect(*e).To(Equal(wire.Error{Code: "IO", Message: "disk full", Outcome: wire.OutcomeUnknown}))
		Expect(r.Err()).To(MatchError("IO: disk full (nobody knows whether it was applied)"))

		_, r = read(strings.NewReader(partial[:len(partial)-1]))
		Expect(r.Err()).To(MatchError(e.Error()), "the reason is worth more than the missing end")
	})

	It("knows of the failure after the last row of the only result", func() {
		r := wire.NewReader(strings.NewReader(partial))
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next() && r.Next()).To(BeTrue())
		Expect(r.Err()).NotTo(HaveOccurred())
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).To(HaveOccurred())
	})

	DescribeTable("reports an error answer",
		func(answer, message string) {
			seen, r := read(strings.NewReader(answer))
			Expect(seen).To(BeEmpty())
			Expect(r.Err()).To(BeAssignableToTypeOf(&wire.Error{}))
			Expect(r.Err()).To(MatchError(message))
		},
		Entry("of our own", `{"status":"error","error":{"code":"SQL_ERROR","message":"no such table: t"}}`, "SQL_ERROR: no such table: t"),
		Entry("with results and details", `{"status":"error","results":[],"took":1,"error":{"code":"A","message":"b","details":{}}}`, "A: b"),
		Entry("with the error before rows that nobody should use", `{"error":{"message":"b"},"status":"error","results":[{"rows":[[1],[2]]},{"rows":[]}]}`, "b"),
		Entry("with the status before rows that nobody should use", `{"status":"error","results":[{"rows":[[1]]}],"error":{"message":"b"}}`, "b"),
		Entry("with an error right behind a result without rows", `{"results":[{"rows":[]}],"status":"error","error":{"message":"b"}}`, "b"),
		Entry("with an error that contradicts the status", `{"status":"success","error":{"code":"A","message":"b"}}`, "A: b"),
		Entry("without an error", `{"status":"error"}`, "the server reported an error and did not say which"),
		Entry("that a later status would take back", `{"status":"error","status":"success"}`, "the server reported an error and did not say which"),
		Entry("with a text as error", `{"status":"error","error":"too many requests"}`, "too many requests"),
		Entry("with a number as code", `{"status":"error","error":{"code":429,"message":null}}`, "429: the server reported an error and did not say which"),
		Entry("with another outcome", `{"status":"error","error":{"message":"b","outcome":"applied"}}`, "b (outcome: applied)"),
	)

	DescribeTable("refuses what is not an answer",
		func(answer, reason string) {
			_, r := read(strings.NewReader(answer))
			Expect(r.Err()).To(MatchError(wire.ErrMalformed))
			Expect(r.Err()).To(MatchError(ContainSubstring(reason)))
			Expect(r.NextResult()).To(BeFalse())
			Expect(r.Next()).To(BeFalse())
		},
		Entry("a page", `<html>502</html>`, `"<html>502</html>" where '{' was due`),
		Entry("an array", `[]`, "'{' was due"),
		Entry("no status", `{"results":[]}`, `its status is ""`),
		Entry("another status", `{"status":"maybe"}`, `its status is "maybe"`),
		Entry("too few rows", `{"results":[{"rows":[[1]],"row_count":2}],"status":"success"}`, "after 1 rows of result 1: malformed answer: row_count is 2"),
		Entry("too many rows", `{"results":[{"row_count":0,"rows":[[1]]}],"status":"success"}`, "row_count is 0"),
		Entry("a row_count that is no number", `{"results":[{"row_count":"2"}],"status":"success"}`, `"row_count": "\"2\"" is not a number of rows`),
		Entry("a negative rows_affected", `{"results":[{"rows_affected":-1}],"status":"success"}`, "is not a number of rows"),
		Entry("rows twice", `{"results":[{"rows":[],"rows":[[1]]}],"status":"success"}`, "rows twice"),
		Entry("results twice", `{"results":[],"results":[],"status":"success"}`, "results twice"),
		Entry("rows that are no arrays", `{"results":[{"rows":[{"a":1}]}],"status":"success"}`, "no array"),
		Entry("rows in an object", `{"results":[{"rows":{}}],"status":"success"}`, "no array"),
		Entry("results that are no objects", `{"results":[[1]],"status":"success"}`, "'{' was due"),
		Entry("results in a text", `{"results":"none","status":"success"}`, "no array"),
		Entry("a schema that is no array", `{"results":[{"schema":3}],"status":"success"}`, `"schema"`),
		Entry("a name that is no string", `{1:2}`, "is not a name"),
		Entry("a comma too many", `{"status":"success",}`, "malformed"),
		Entry("a row missing", `{"results":[{"rows":[[1],]}],"status":"success"}`, "no array"),
		Entry("a comma missing", `{"results":[{"rows":[[1][2]]}],"status":"success"}`, "',' was due"),
		Entry("a bracket closed by a brace", `{"results":[{"rows":[[1}]}],"status":"success"}`, "a bracket is closed that is not open"),
		Entry("brackets without end", `{"x":`+strings.Repeat("[", 100), "more than 64 brackets"),
		Entry("a value that is not valid", `{"status":"success","x":[1,,2]}`, `"x" is not valid JSON`),
		Entry("bytes that are not UTF-8", "{\"status\":\"success\",\"x\":\"\xff\"}", "not valid JSON"),
		Entry("something behind it", `{"status":"success"}{}`, "followed by"),
	)

	It("stops at a row over its limit, and takes one that reaches it", func() {
		answer := `{"results":[{"rows":[["12345"],["123456"]]}],"status":"success"}`
		r := wire.NewReader(strings.NewReader(answer))
		r.LimitRow(9)
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next()).To(BeTrue())
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).To(MatchError(wire.ErrTooLarge))
		Expect(r.Err()).To(MatchError("after 1 rows of result 1: over the limit of 9 bytes"))
	})

	It("does not store more of an endless row than its limit", func() {
		endless := &endlessText{}
		r := wire.NewReader(io.MultiReader(strings.NewReader(`{"results":[{"rows":[["`), endless))
		r.LimitRow(1 << 20)
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).To(MatchError(wire.ErrTooLarge))
		Expect(endless.read).To(BeNumerically("<", 3<<20))
	})

	It("reads rows of all sizes", func() {
		var answer bytes.Buffer
		w := wire.NewWriter(&answer, nil)
		Expect(w.Result(id)).To(Succeed())
		text := strings.Repeat(`\"x]`, 60_000)
		for n := 0; n < len(text); n += 1 + n/3 {
			Expect(w.Row([]any{text[:n]})).To(Succeed())
		}
		Expect(w.EndResult(wire.ReadOnly)).To(Succeed())
		Expect(w.Close(0)).To(Succeed())
		r := wire.NewReader(&answer)
		Expect(r.NextResult()).To(BeTrue())
		for n := 0; n < len(text); n += 1 + n/3 {
			Expect(r.Next()).To(BeTrue())
			values, err := r.Row()
			Expect(err).NotTo(HaveOccurred())
			Expect(values[0] == text[:n]).To(BeTrue())
		}
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).NotTo(HaveOccurred())
	})

	It("passes over the rows of a result that nobody reads", func() {
		r := wire.NewReader(strings.NewReader(whole))
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.NextResult()).To(BeTrue())
		n, ok := r.Affected()
		Expect(n).To(BeEquivalentTo(7))
		Expect(ok).To(BeTrue())
		Expect(r.Err()).NotTo(HaveOccurred())
	})

	It("gives the first row before the second is there", func() {
		in, out := io.Pipe()
		defer in.Close()
		go out.Write([]byte(`{"results":[{"rows":[[1]`))
		r := wire.NewReader(in)
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next()).To(BeTrue())
		Expect(string(r.Raw())).To(Equal("[1]"))
	})

	DescribeTable("names the row it cannot decode",
		func(rows, reason string) {
			r := wire.NewReader(strings.NewReader(`{"results":[{"schema":[{"name":"a"}],"rows":[` + rows + `]}],"status":"success"}`))
			Expect(r.NextResult()).To(BeTrue())
			Expect(r.Next()).To(BeTrue())
			_, err := r.Row()
			Expect(err).To(SatisfyAll(MatchError(wire.ErrMalformed), MatchError(ContainSubstring(reason))))
		},
		Entry("by its value", `[1x]`, "row 1 of result 1: value 1 is followed by"),
		Entry("by its width", `[1,2]`, "row 1 of result 1: 2 values for 1 columns"),
	)

	It("has no row where there is none", func() {
		r := wire.NewReader(strings.NewReader(whole))
		_, err := r.Row()
		Expect(err).To(MatchError("there is no row before the first result"))
		Expect(r.Raw()).To(BeNil())
	})

	It("allocates nothing for a raw row", func() {
		var answer bytes.Buffer
		Expect(writeRows(&answer, 20_000, benchRow)).To(Succeed())
		r := wire.NewReader(&answer)
		Expect(r.NextResult()).To(BeTrue())
		for range 5000 { // until the buffer has its size
			r.Next()
		}
		Expect(testing.AllocsPerRun(10_000, func() { r.Next() })).To(BeZero())
		Expect(r.Raw()).NotTo(BeNil())
	})
})

// endlessText is a string without end, and counts what was read of it.
type endlessText struct{ read int }

func (e *endlessText) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	e.read += len(b)
	return len(b), nil
}
