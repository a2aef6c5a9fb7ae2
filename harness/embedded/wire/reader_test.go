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

// read reads a whole answer and returns its content as text.
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
	DescribeTable("returns the same for any fragmentation of the input",
		func(slow func(io.Reader) io.Reader) {
			seen, r := read(slow(strings.NewReader(whole)))
			Expect(r.Err()).NotTo(HaveOccurred())
			Expect(seen).To(Equal(wholeSeen))
			Expect(r.Took()).To(Equal(1500 * time.Microsecond))
		},
		Entry("at once", func(r io.Reader) io.Reader { return r }),
		Entry("one by one", iotest.OneByteReader),
		Entry("by halves", iotest.HalfReader),
		Entry("the last bytes together with EOF", iotest.DataErrReader),
		Entry("followed by an error", func(r io.Reader) io.Reader {
			return io.MultiReader(r, iotest.ErrReader(errors.New("connection reset")))
		}),
	)

	It("never reports a truncated answer as a success", func() {
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

	It("reports after how many rows an answer was truncated", func() {
		_, r := read(strings.NewReader(whole[:strings.Index(whole, "null")]))
		Expect(r.Err()).To(MatchError("the answer ends early, after 1 rows of result 1: unexpected EOF"))
		_, r = read(strings.NewReader(""))
		Expect(r.Err()).To(MatchError("the answer ends early, before the first result: unexpected EOF"))
	})

	It("returns the read error", func() {
		broken := errors.New("connection reset")
		_, r := read(io.MultiReader(strings.NewReader(whole[:strings.Index(whole, "null")]), iotest.ErrReader(broken)))
		Expect(r.Err()).To(MatchError(broken))
		Expect(r.Err()).To(MatchError(ContainSubstring("reading the answer, after 1 rows of result 1")))
	})

	It("reports the server's error, also after part of the answer", func() {
		seen, r := read(strings.NewReader(partial))
		Expect(seen).To(Equal(`result: ["x"] ["y"] [{a TEXT}]`))
		var e *wire.Error
		Expect(errors.As(r.Err(), &e)).To(BeTrue())
		Expect(*e).To(Equal(wire.Error{Code: "IO", Message: "disk full", Outcome: wire.OutcomeUnknown}))
		Expect(r.Err()).To(MatchError("IO: disk full (outcome unknown: it may have been applied)"))

		_, r = read(strings.NewReader(partial[:len(partial)-1]))
		Expect(r.Err()).To(MatchError(e.Error()), "the reason has priority over the missing end")
	})

	It("reports the failure after the last row of a single result", func() {
		r := wire.NewReader(strings.NewReader(partial))
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next()).To(BeTrue())
		Expect(r.Next()).To(BeTrue())
		Expect(r.Err()).NotTo(HaveOccurred())
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).To(HaveOccurred())
	})

	It("rejects a row over its limit, and accepts one at the limit", func() {
		answer := `{"results":[{"rows":[["12345"],["123456"]]}],"status":"success"}`
		r := wire.NewReader(strings.NewReader(answer))
		r.LimitRow(9)
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next()).To(BeTrue())
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).To(MatchError(wire.ErrTooLarge))
		Expect(r.Err()).To(MatchError("after 1 rows of result 1: over the limit of 9 bytes"))
	})

	It("does not buffer more of an endless row than its limit", func() {
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
			Expect(values[0]).To(BeIdenticalTo(text[:n]))
		}
		Expect(r.Next()).To(BeFalse())
		Expect(r.Err()).NotTo(HaveOccurred())
	})

	It("skips unread rows of a result", func() {
		r := wire.NewReader(strings.NewReader(whole))
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.NextResult()).To(BeTrue())
		n, ok := r.Affected()
		Expect(n).To(BeEquivalentTo(7))
		Expect(ok).To(BeTrue())
		Expect(r.Err()).NotTo(HaveOccurred())
	})

	It("returns the first row before the second arrives", func() {
		in, out := io.Pipe()
		defer in.Close()
		go out.Write([]byte(`{"results":[{"rows":[[1]`))
		r := wire.NewReader(in)
		Expect(r.NextResult()).To(BeTrue())
		Expect(r.Next()).To(BeTrue())
		Expect(string(r.Raw())).To(Equal("[1]"))
	})

	DescribeTable("names the row that it cannot decode",
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

	It("returns an error without a row", func() {
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
		for range 5000 { // until the buffer has its final size
			r.Next()
		}
		Expect(testing.AllocsPerRun(10_000, func() { r.Next() })).To(BeZero())
		Expect(r.Raw()).NotTo(BeNil())
	})
})

// endlessText is an endless string. It counts the bytes read.
type endlessText struct{ read int }

func (e *endlessText) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	e.read += len(b)
	return len(b), nil
}
