package machine_test

import (
	"fmt"
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("A key", func() {
	const insert = "INSERT INTO t (v) VALUES (?) RETURNING id, v"
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
	})
	keyed := func(key, sql string, params ...any) machine.Entry {
		return machine.Entry{ID: key, SQL: sql, Params: params, Time: noon}
	}
	reused := func(r machine.Response) {
		GinkgoHelper()
		Expect(r.Results).To(BeEmpty())
		Expect(r.Err).To(Equal(&machine.ReusedError{ID: "key"}))
		Expect(r.Err).To(MatchError(`the key "key" names another request, which was applied with different SQL or parameters; ` +
			`this request was not applied`))
	}

	DescribeTable("is refused for a different request, in the same batch, later, and after a restore", func(first, other []any) {
		one := keyed("key", first[0].(string), first[1:]...)
		two := keyed("key", other[0].(string), other[1:]...)
		batch := n.batch(one, two, one)
		Expect(batch[0].Err).NotTo(HaveOccurred())
		reused(batch[1])
		Expect(batch[2]).To(Equal(batch[0]))
		reused(n.entry(two))
		restored := open(machine.Options{})
		restored.restore(n.snapshot())
		reused(restored.entry(two))
		Expect(restored.entry(one)).To(Equal(batch[0]))
		Expect(restored.read("SELECT count(*) FROM t")).To(Equal([][]any{{int64(1)}}))
	},
		Entry("with different SQL", []any{insert, "a"}, []any{insert + " ", "a"}),
		Entry("with a different effect", []any{insert, "a"}, []any{"DROP TABLE t"}),
		Entry("with a different value", []any{insert, "a"}, []any{insert, "b"}),
		Entry("with text instead of bytes", []any{insert, "a"}, []any{insert, []byte("a")}),
		Entry("with an integer instead of a float", []any{insert, int64(1)}, []any{insert, 1.0}),
		Entry("with a float of the same bits", []any{insert, int64(4607182418800017408)}, []any{insert, 1.0}),
		Entry("with negative zero", []any{insert, 0.0}, []any{insert, math.Copysign(0, -1)}),
		Entry("with NULL", []any{insert, ""}, []any{insert, nil}),
		Entry("with the same bytes split differently", []any{"INSERT INTO t (v) VALUES (? || ?)", "ab", "c"},
			[]any{"INSERT INTO t (v) VALUES (? || ?)", "a", "bc"}),
		Entry("that fails", []any{insert, "a"}, []any{"INSERT INTO nowhere VALUES (1)"}),
	)

	It("can be used again after its request has failed", func() {
		Expect(n.entry(keyed("key", "INSERT INTO nowhere VALUES (1)")).Err).To(HaveOccurred())
		Expect(n.entry(keyed("key", insert, "a")).Err).NotTo(HaveOccurred())
	})

	It("does not collide with a ticket of the same bytes", func() {
		id := "0123456789abcdef"
		Expect(n.entry(keyed(id, insert, "by key")).Err).NotTo(HaveOccurred())
		ticket := machine.Entry{Ticket: []byte(id), SQL: insert, Params: []any{"by ticket"}, Time: noon}
		first := n.entry(ticket)
		Expect(first.Err).NotTo(HaveOccurred())
		Expect(n.entry(ticket)).To(Equal(first))
		Expect(n.read("SELECT v FROM t")).To(Equal([][]any{{"by key"}, {"by ticket"}}))
		Expect(n.read("SELECT id FROM rejoin_requests")).To(Equal([][]any{{id}}))
	})

	Describe("is remembered", func() {
		// at is the time of the following entries, after noon.
		var at time.Duration
		BeforeEach(func() { at = 0 })
		write := func(key, value string) machine.Response {
			e := keyed(key, insert, value)
			e.Time += at.Milliseconds()
			return n.entry(e)
		}
		// pass advances the log by a number of entries, most of them not applied.
		pass := func(entries uint64) { n.index += entries - 2; n.must("SELECT 1"); n.must("SELECT 1") }
		// tidy advances the log to the next index at which nodes forget.
		tidy := func() {
			n.index += 64 - n.index%64 - 1
			e := machine.Entry{SQL: "SELECT 1", Time: noon + at.Milliseconds()}
			Expect(n.entry(e).Err).NotTo(HaveOccurred())
		}
		keys := func() [][]any { return n.read("SELECT id FROM rejoin_requests ORDER BY log_index") }

		It("for a minute, for any number of entries up to RememberedMost", func() {
			write("old", "a")
			at = machine.RememberedFor
			pass(machine.RememberedMost - 1000)
			tidy()
			Expect(keys()).To(Equal([][]any{{"old"}}))
			at += time.Millisecond
			tidy()
			Expect(keys()).To(BeEmpty())
			Expect(write("old", "b").Err).NotTo(HaveOccurred())
			Expect(n.read("SELECT v FROM t")).To(Equal([][]any{{"a"}, {"b"}}))
		})

		It("for 10,000 entries, however long they take", func() {
			write("old", "a")
			at = 1000 * time.Hour
			pass(machine.Remembered - 100)
			tidy()
			Expect(write("old", "a").Err).NotTo(HaveOccurred())
			Expect(n.read("SELECT v FROM t")).To(Equal([][]any{{"a"}}))
			pass(200)
			tidy()
			Expect(keys()).To(BeEmpty())
		})

		It("for at most RememberedMost entries, even if time stands still", func() {
			write("old", "a")
			pass(machine.RememberedMost - 100)
			write("young", "b")
			tidy()
			Expect(keys()).To(Equal([][]any{{"old"}, {"young"}}))
			pass(200)
			tidy()
			Expect(keys()).To(Equal([][]any{{"young"}}))
		})

		It("for as long on a restored node, and with other batches", func() {
			var entries []machine.Entry
			for i := range 300 {
				e := keyed(fmt.Sprint("key-", i), insert, fmt.Sprint(i))
				e.Time += int64(i) * 500
				entries = append(entries, e)
			}
			n.batch(entries[:100]...)
			restored := open(machine.Options{})
			restored.restore(n.snapshot())
			restored.index = n.index + 20_000
			n.index += 20_000
			n.batch(entries[100:]...)
			for _, e := range entries[100:] {
				restored.entry(e)
			}
			Expect(restored.read("SELECT * FROM rejoin_requests")).To(Equal(n.read("SELECT * FROM rejoin_requests")))
			Expect(len(keys())).To(And(BeNumerically(">=", 120), BeNumerically("<", 300)))
		})
	})

	It("keeps a large answer while there is room, and is still known as applied afterwards", func() {
		write := func(key string, size int) machine.Response {
			return n.entry(keyed(key, "INSERT INTO t (v) VALUES (1) RETURNING hex(zeroblob(?))", int64(size/2)))
		}
		first, tiny := write("first", 60<<10), write("tiny", 2)
		Expect(write("first", 60<<10)).To(Equal(first))
		for i := range 16 << 20 / (60 << 10) {
			write(fmt.Sprint("key-", i), 60<<10)
		}
		var applied *machine.AppliedError
		Expect(write("first", 60<<10).Err).To(BeAssignableToTypeOf(applied))
		Expect(write("tiny", 2)).To(Equal(tiny))
		size := n.read("SELECT sum(length(answer)) FROM rejoin_answers")[0][0]
		Expect(size).To(BeNumerically("<=", 16<<20))
		Expect(n.read("SELECT count(*) FROM t")).To(Equal([][]any{{int64(2 + 16<<20/(60<<10))}}))
	})

	It("takes at most 500 bytes", func() {
		const keys = 1000
		n.must("INSERT INTO t (v) VALUES (0)")
		before := len(n.snapshot())
		for i := range keys {
			Expect(n.entry(keyed(fmt.Sprintf("%0128d", i),
				"UPDATE t SET v = 1 RETURNING 123456789 AS an_answer_of_some_hundred_bytes")).Err).NotTo(HaveOccurred())
		}
		Expect(n.read("SELECT count(*) FROM rejoin_requests WHERE length(answer) > 60")).To(Equal([][]any{{int64(keys)}}))
		Expect(len(n.snapshot()) - before).To(BeNumerically("<", 500*keys))
	})
})
