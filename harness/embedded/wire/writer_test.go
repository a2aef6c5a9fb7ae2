package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// network records what was flushed to it, and fails with err if set.
type network struct {
	bytes.Buffer
	flushed []int // bytes written before each flush
	err     error
}

func (n *network) Write(b []byte) (int, error) {
	if n.err != nil {
		return 0, n.err
	}
	return n.Buffer.Write(b)
}

func (n *network) flush() { n.flushed = append(n.flushed, n.Len()) }

var id = []wire.Column{{Name: "id", Type: "INTEGER"}}

// begin writes the beginning of an answer with the given number of rows.
func begin(w *wire.Writer, rows int) {
	GinkgoHelper()
	Expect(w.Result(id)).To(Succeed())
	for i := range rows {
		Expect(w.Row([]any{int64(i)})).To(Succeed())
	}
}

var _ = Describe("A writer", func() {
	var (
		out *network
		w   *wire.Writer
	)
	BeforeEach(func() {
		out = &network{}
		w = wire.NewWriter(out, out.flush)
	})

	It("writes one result for each statement", func() {
		begin(w, 2)
		Expect(w.EndResult(wire.ReadOnly)).To(Succeed())
		Expect(w.Result(nil)).To(Succeed())
		Expect(w.EndResult(3)).To(Succeed())
		Expect(w.Result([]wire.Column{{Name: "a\"b"}, {Name: "c", Type: "TEXT"}})).To(Succeed())
		Expect(w.Row([]any{nil, "x"})).To(Succeed())
		Expect(w.EndResult(0)).To(Succeed())
		Expect(w.Sent()).To(BeFalse())
		Expect(w.Close(1234567 * time.Nanosecond)).To(Succeed())
		Expect(w.Sent()).To(BeTrue())
		Expect(out.String()).To(Equal(`{"results":[` +
			`{"schema":[{"name":"id","data_type":"INTEGER"}],"rows":[[0],[1]],"row_count":2},` +
			`{"schema":[],"rows":[],"row_count":0,"rows_affected":3},` +
			`{"schema":[{"name":"a\"b","data_type":""},{"name":"c","data_type":"TEXT"}],"rows":[[null,"x"]],"row_count":1,"rows_affected":0}` +
			`],"status":"success","took":1.235}`))
		Expect(out.flushed).To(BeEmpty(), "a small answer is sent in one piece, with its length")
	})

	It("writes an answer without results", func() {
		Expect(w.Close(0)).To(Succeed())
		Expect(out.String()).To(Equal(`{"results":[],"status":"success","took":0.000}`))
	})

	When("it fails before anything was sent", func() {
		It("writes an error answer and nothing else", func() {
			begin(w, 3)
			Expect(w.Fail(&wire.Error{Code: "SQL_ERROR", Message: "no such \xff", Outcome: wire.OutcomeUnknown})).To(Succeed())
			Expect(out.String()).To(Equal(`{"status":"error","error":{"code":"SQL_ERROR","message":"no such ` + "\ufffd" +
				`","outcome":"unknown"}}`))
			Expect(out.flushed).To(BeEmpty())
		})
	})

	DescribeTable("that fails after part of the answer was sent ends it as a failure and requires a cut",
		func(more func()) {
			begin(w, 100)
			Expect(w.Sent()).To(BeTrue())
			more()
			Expect(w.Fail(&wire.Error{Code: "SQL_ERROR", Message: "disk full"})).To(MatchError(wire.ErrCut))

			// On a busy machine more parts may be sent, because rows are sent after a delay.
			Expect(len(out.flushed)).To(BeNumerically(">=", 2))
			Expect(out.flushed[0]).NotTo(BeZero())
			Expect(out.flushed[len(out.flushed)-1]).To(Equal(out.Len()), "the reason must be sent before the cut")
			Expect(out.String()).NotTo(ContainSubstring("success"))
			var answer struct {
				Status string
				Error  struct{ Code, Message string }
			}
			Expect(json.Unmarshal(out.Bytes(), &answer)).To(Succeed())
			Expect(answer.Status).To(Equal("error"))
			Expect(answer.Error.Message).To(Equal("disk full"))
		},
		Entry("among the rows", func() {}),
		Entry("between two results", func() { Expect(w.EndResult(1)).To(Succeed()) }),
		Entry("before the first row of a result", func() {
			Expect(w.EndResult(1)).To(Succeed())
			Expect(w.Result(id)).To(Succeed())
		}),
	)

	It("rejects calls in the wrong order and invalid values, and can still fail", func() {
		Expect(w.Row(nil)).To(MatchError("no result has begun"))
		Expect(w.EndResult(0)).To(MatchError("no result has begun"))
		Expect(w.Result([]wire.Column{{Name: "ok"}, {Name: "\xff"}})).To(MatchError("the name or type of column 2 is not valid UTF-8"))
		begin(w, 1)
		Expect(w.Result(id)).To(MatchError("the last result has not ended"))
		Expect(w.Close(0)).To(MatchError("the last result has not ended"))
		Expect(w.Row([]any{nil, nil})).To(MatchError("row 2 has 2 values for 1 columns"))
		Expect(w.Row([]any{time.Now()})).To(MatchError(ContainSubstring("row 2: value 1: the Go type time.Time is none of")))
		Expect(w.Fail(&wire.Error{Message: "enough"})).To(Succeed())
		Expect(out.String()).To(Equal(`{"status":"error","error":{"code":"","message":"enough"}}`))
		Expect(w.Result(id)).To(MatchError("the answer has ended"))
		Expect(w.Fail(&wire.Error{})).To(MatchError(ContainSubstring("the answer has already ended")))
	})

	It("omits a row that cannot be encoded", func() {
		begin(w, 1)
		Expect(w.Row([]any{1})).NotTo(Succeed())
		Expect(w.Row([]any{"two"})).To(Succeed())
		Expect(w.EndResult(wire.ReadOnly)).To(Succeed())
		Expect(w.Close(0)).To(Succeed())
		Expect(out.String()).To(ContainSubstring(`"rows":[[0],["two"]],"row_count":2}`))
	})

	It("stays failed after a write error", func() {
		out.err = errors.New("the client is gone")
		Expect(w.Result(id)).To(Succeed())
		Eventually(func() error { return w.Row([]any{nil}) }).Should(MatchError(out.err))
		Expect(w.Row([]any{nil})).To(MatchError(out.err))
		Expect(w.Sent()).To(BeTrue(), "part of it may have arrived")
		Expect(w.Fail(&wire.Error{})).To(SatisfyAll(MatchError(wire.ErrCut), MatchError(out.err)))
	})

	It("allocates nothing for a row", func() {
		begin(w, 10_000)
		row := []any{int64(1234567890)}
		Expect(testing.AllocsPerRun(1000, func() {
			out.Reset()
			_ = w.Row(row)
		})).To(BeZero())
	})
})

// In virtual time a busy machine does not delay rows.
func TestFastRowsAreSentInChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		out := &network{}
		w := wire.NewWriter(out, out.flush)
		g.Expect(w.Result([]wire.Column{{Name: "text"}})).To(Succeed())
		row := []any{strings.Repeat("x", 1000)}
		for range 200 {
			g.Expect(w.Row(row)).To(Succeed())
		}
		g.Expect(out.flushed[0]).To(BeNumerically("<", 6<<10))
		for i := range len(out.flushed) - 1 {
			g.Expect(out.flushed[i+1] - out.flushed[i]).To(BeNumerically("~", 33<<10, 1<<10))
		}
	})
}

// In virtual time rows arrive at exact intervals.
func TestSlowRowsAreSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &network{}
		w := wire.NewWriter(out, out.flush)
		row := []any{int64(1)}
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(w.Result(id))
		time.Sleep(time.Second)
		must(w.Row(row))
		if len(out.flushed) != 1 {
			t.Fatal("the late first row was held back")
		}
		for range 1000 {
			must(w.Row(row))
		}
		for i := range 100 {
			before := len(out.flushed)
			time.Sleep(10 * time.Millisecond)
			must(w.Row(row))
			if i >= 16 && len(out.flushed) == before {
				t.Fatalf("slow row %d was held back", i)
			}
		}
	})
}
