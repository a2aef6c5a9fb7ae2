package journal_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// record records the events numbered from to to.
func record(j *journal.Journal, from, to int) {
	for i := from; i <= to; i++ {
		j.Record(journal.Event{Kind: journal.Note, Node: journal.None, Text: fmt.Sprint(i)})
	}
}

// texts are the texts of the latest events.
func texts(j *journal.Journal, most int) []string {
	out := []string{}
	for _, e := range j.Last(most) {
		out = append(out, e.Text)
	}
	return out
}

var _ = Describe("Journal", func() {
	DescribeTable("keeps the latest events, in order",
		func(size, recorded, most int, kept ...string) {
			j := journal.New(size)
			record(j, 1, recorded)
			Expect(texts(j, most)).To(HaveExactElements(kept))
			Expect(j.Total()).To(Equal(recorded))
		},
		Entry("none", 3, 0, -1),
		Entry("fewer than it has room for", 3, 2, -1, "1", "2"),
		Entry("just as many", 3, 3, -1, "1", "2", "3"),
		Entry("one more", 3, 4, -1, "2", "3", "4"),
		Entry("once around", 3, 6, -1, "4", "5", "6"),
		Entry("many times around", 3, 100, -1, "98", "99", "100"),
		Entry("in a journal of one", 1, 5, -1, "5"),
		Entry("the last of them", 3, 4, 1, "4"),
		Entry("the last two", 3, 4, 2, "3", "4"),
		Entry("no more than there are", 3, 4, 10, "2", "3", "4"),
		Entry("none of them", 3, 4, 0),
	)

	It("is followed, operations as they end", func() {
		j := journal.New(1)
		var seen []string
		j.Follow(func(e journal.Event) { seen = append(seen, e.Text) })
		record(j, 1, 2)
		open := j.Invoke(journal.Op{})
		open.Asked(0, "", "asked")
		record(j, 3, 3)
		open.End(journal.OK, nil, nil)
		Expect(seen).To(Equal([]string{"1", "2", "3", "asked"}))
	})

	It("leaves kinds out, and then goes further back", func() {
		j := journal.New(5)
		record(j, 1, 3)
		j.Record(journal.Event{Kind: journal.Resource, Text: "much"})
		record(j, 4, 5)
		j.Record(journal.Event{Kind: journal.Resource, Text: "more"})
		shown := func(most int, without ...journal.Kind) (out []string) {
			for _, e := range j.Last(most, without...) {
				out = append(out, e.Text)
			}
			return out
		}
		Expect(shown(3, journal.Resource)).To(HaveExactElements("3", "4", "5"))
		Expect(shown(2, journal.Resource, journal.Fault)).To(HaveExactElements("4", "5"))
		Expect(shown(-1, journal.Note)).To(HaveExactElements("much", "more"))
		Expect(shown(-1)).To(HaveExactElements("3", "much", "4", "5", "more"))
		Expect(shown(0, journal.Resource)).To(BeEmpty())
		Expect([]int{j.Total(), j.Total(journal.Resource), j.Total(journal.Note, journal.Resource)}).To(Equal([]int{7, 5, 0}))
	})

	DescribeTable("has a bound of its own", func(size int) {
		j := journal.New(size)
		record(j, 1, journal.DefaultSize+1)
		Expect(j.Last(-1)).To(HaveLen(journal.DefaultSize))
		Expect(texts(j, -1)[0]).To(Equal("2"))
	}, Entry(nil, 0), Entry(nil, -1))

	It("is followed by a reader at its own pace", func() {
		j := journal.New(5)
		seen := 0
		since := func() (out []string) {
			events, recorded := j.Since(seen)
			for _, e := range events {
				out = append(out, e.Text)
			}
			seen = recorded
			return out
		}
		Expect(since()).To(BeEmpty())
		record(j, 1, 3)
		Expect(since()).To(HaveExactElements("1", "2", "3"))
		Expect(since()).To(BeEmpty())
		record(j, 4, 5)
		Expect(since()).To(HaveExactElements("4", "5"))
		record(j, 6, 20)
		Expect(since()).To(HaveExactElements("16", "17", "18", "19", "20"), "of those that were dropped meanwhile nothing is left")
		seen = 1000
		Expect(since()).To(BeEmpty())
		Expect(seen).To(Equal(20))
	})

	It("hands out copies", func() {
		j := journal.New(2)
		record(j, 1, 2)
		j.Last(-1)[0].Text = "changed"
		Expect(texts(j, -1)).To(Equal([]string{"1", "2"}))
	})

	It("knows when an event happened that does not say so", func() {
		j := journal.New(1)
		record(j, 1, 1)
		Expect(j.Last(1)[0].At).To(BeTemporally("~", time.Now(), time.Minute))
		at := time.Unix(1, 2)
		j.Record(journal.Event{At: at})
		Expect(j.Last(1)[0].At).To(Equal(at))
	})

	It("is safe for many", func() {
		j := journal.New(100)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 500 {
					j.Begin(journal.Operation, i, "%d", i)(nil)
					if len(j.Last(50)) > 50 {
						panic("too many")
					}
				}
			})
		}
		wg.Wait()
		Expect(j.Total()).To(Equal(4000))
		Expect(j.Last(-1)).To(And(HaveLen(100), HaveEach(HaveField("Kind", journal.Operation))))
	})

	Describe("Begin", func() {
		It("records nothing before the end", func() {
			j := journal.New(2)
			end := j.Begin(journal.Wait, 1, "for %s", "good")
			Expect(j.Total()).To(BeZero())
			time.Sleep(time.Millisecond) // what is measured, not what is waited for
			end(errors.New("never"))
			e := j.Last(1)[0]
			Expect(e.Took).To(BeNumerically(">=", time.Millisecond))
			Expect(e.At).To(BeTemporally("<=", time.Now().Add(-e.Took)))
			e.At, e.Took = time.Time{}, 0
			Expect(e).To(Equal(journal.Event{Kind: journal.Wait, Node: 1, Text: "for good", Err: "never"}))
		})

		It("records in the order of the ends", func() {
			j := journal.New(2)
			first, second := j.Begin(journal.Note, journal.None, "first"), j.Begin(journal.Note, journal.None, "second")
			second(nil)
			first(nil)
			Expect(texts(j, -1)).To(Equal([]string{"second", "first"}))
		})

		It("takes a text as it is, if it is an argument", func() {
			j := journal.New(1)
			j.Begin(journal.Operation, 0, "%s", "LIKE '%d'")(nil)
			Expect(texts(j, 1)).To(Equal([]string{"LIKE '%d'"}))
		})
	})

	DescribeTable("shows an event as one line", func(e journal.Event, line string) {
		Expect(e.String()).To(Equal(line))
	},
		Entry("of no single node", journal.Event{Kind: journal.Note, Node: journal.None, Text: "boot"}, "note: boot"),
		Entry("of the first node", journal.Event{Kind: journal.Flag, Node: 0, Text: "take offline"}, "flag node 0: take offline"),
		Entry("that took time", journal.Event{Kind: journal.Operation, Node: 2, Text: "SELECT 1", Took: 1234567 * time.Nanosecond},
			"operation node 2: SELECT 1 (1.23ms)"),
		Entry("that took hardly any", journal.Event{Kind: journal.Operation, Node: 2, Text: "SELECT 1", Took: time.Microsecond},
			"operation node 2: SELECT 1 (0s)"),
		Entry("that failed", journal.Event{Kind: journal.Fault, Node: 1, Text: "pause", Err: "no such process"},
			"fault node 1: pause -> no such process"),
		Entry("that failed in many ways", journal.Event{Kind: journal.Check, Node: journal.None, Text: "compare",
			Took: time.Second, Err: "one\ntwo\r\nthree\n"},
			"check: compare (1s) -> one; two; three"),
	)
})

// A harness that is slow would hide what it looks for. The bound is 2 µs.
func BenchmarkRecord(b *testing.B) {
	j := journal.New(0)
	e := journal.Event{At: time.Now(), Kind: journal.Operation, Node: 1, Text: "INSERT INTO t VALUES (1)"}
	b.ReportAllocs()
	for b.Loop() {
		j.Record(e)
	}
}

func BenchmarkRecordByAll(b *testing.B) {
	j := journal.New(0)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j.Begin(journal.Operation, 1, "%s", "INSERT INTO t VALUES (1)")(nil)
		}
	})
}
