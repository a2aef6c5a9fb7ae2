package journal_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

var _ = Describe("An operation", func() {
	read := []journal.Step{{Do: journal.Read, Key: "x"}}

	It("is unknown while it is under way, and then what became of it", func() {
		j := journal.New(0)
		op := j.Invoke(journal.Op{Client: 3, Model: journal.Register, Steps: read})
		op.Asked(2, "id", "SELECT 1")
		Expect(j.Total()).To(BeZero())
		Expect(j.Events()).To(HaveExactElements(And(HaveField("Err", "it has not ended"), HaveField("Op.Outcome", journal.Unknown),
			HaveField("Op.ID", "id"))))
		op.End(journal.OK, []journal.Step{{Do: journal.Read, Key: "x", Got: []int64{7}}}, nil)
		op.End(journal.Failed, nil, errors.New("twice"))
		Expect(j.Events()).To(HaveLen(1))
		e := j.Events()[0]
		Expect(e.End()).To(BeTemporally("~", time.Now(), time.Minute))
		e.At, e.Took = time.Time{}, 0
		Expect(e).To(Equal(journal.Event{Kind: journal.Operation, Node: 2, Text: "SELECT 1", Op: &journal.Op{
			Client: 3, ID: "id", Outcome: journal.OK, Model: journal.Register, Steps: []journal.Step{{Do: journal.Read, Key: "x",
				Got: []int64{7}}}}}))
		Expect(e.String()).To(Equal("operation node 2 client 3: SELECT 1 | read x = [7]"))
	})

	It("is plain SQL if it has no steps in the end, so that the journal can be read", func() {
		j := journal.New(0)
		all := journal.Op{Client: journal.None, Model: journal.Counter, Final: true}
		j.Invoke(all).End(journal.Failed, nil, errors.New("no such table"))
		j.Invoke(all) // and it does not end
		for _, e := range j.Events() {
			Expect(e.Validate()).To(Succeed())
			Expect(e.Op).To(And(HaveField("Model", BeEmpty()), HaveField("Final", true)))
		}
		Expect(j.Events()).To(HaveLen(2))
	})

	It("travels with the context of its request", func() {
		j := journal.New(0)
		op := j.Invoke(journal.Op{Client: 1})
		Expect(journal.FromContext(op.Context(context.Background()))).To(BeIdenticalTo(op))
		Expect(journal.FromContext(context.Background())).To(BeNil())
	})

	It("keeps the steps it was invoked with if End has none", func() {
		j := journal.New(0)
		j.Invoke(journal.Op{Steps: read}).End(journal.Unknown, nil, context.Canceled)
		Expect(j.Events()).To(HaveExactElements(And(HaveField("Op.Steps", read), HaveField("Err", "context canceled"))))
	})

	DescribeTable("tells whether it changes anything", func(changes bool, steps ...journal.Step) {
		Expect(journal.Op{Steps: steps}.Changes()).To(Equal(changes))
	},
		Entry("nothing", false), Entry("a read", false, read[0]),
		Entry("a read and a write", true, read[0], journal.Step{Do: journal.Write, Key: "x", Value: 1}),
	)
})

var _ = Describe("A journal's bound", func() {
	It("counts what it lost, by kind", func() {
		j := journal.New(3)
		record(j, 1, 4)
		j.Record(journal.Event{Kind: journal.Fault})
		Expect([]int{j.Dropped(), j.Dropped(journal.Note), j.Total()}).To(Equal([]int{2, 0, 5}))
	})

	It("is one of bytes, too", func() {
		j := journal.New(1 << 30)
		large := &journal.Op{Steps: []journal.Step{{Do: journal.Read, Key: "x", Got: make([]int64, 1<<20)}}} // 8 MiB
		for range 20 {
			j.Record(journal.Event{Kind: journal.Operation, Op: large})
		}
		Expect(j.Events()).To(HaveLen(7), "of %d MiB", journal.Limit>>20)
		Expect(j.Dropped()).To(Equal(13))
	})

	It("keeps an event that is larger than all of it", func() {
		j := journal.New(0)
		j.Record(journal.Event{Kind: journal.Note, Text: strings.Repeat("x", journal.Limit+1)})
		Expect(j.Events()).To(HaveLen(1))
	})
})

func FuzzDecode(f *testing.F) {
	var file bytes.Buffer
	if err := journal.Encode(&file, everything); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","kind":"note","node":-1,"text":"boot 3 nodes, seed 1"}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := journal.Decode(bytes.NewReader(data))
		for _, e := range events {
			_ = e.String()
		}
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := journal.Encode(&again, events); err != nil {
			return // a year that JSON has no digits for
		}
		if read, err := journal.Decode(&again); err != nil || len(read) != len(events) {
			t.Fatalf("%d events, read back as %d: %v", len(events), len(read), err)
		}
	})
}

func BenchmarkOperation(b *testing.B) {
	j := journal.New(0)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		op := j.Invoke(journal.Op{Client: 1, Model: journal.Register, Level: journal.Strong,
			Steps: []journal.Step{{Do: journal.Read, Key: "x"}}})
		journal.FromContext(op.Context(ctx)).Asked(1, "harness-1-1", "SELECT v FROM t WHERE k = ?")
		op.End(journal.OK, []journal.Step{{Do: journal.Read, Key: "x", Got: []int64{7}}}, nil)
	}
}
