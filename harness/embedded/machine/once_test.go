package machine_test

import (
	"fmt"
	"strings"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("A request with an ID", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
	})

	request := func(id, sql string, params ...any) machine.Entry {
		return machine.Entry{ID: id, SQL: sql, Params: params, Time: noon}
	}
	const insert = "INSERT INTO t (v) VALUES (?) RETURNING id, v, random(), 9007199254740993, -0.0, x'', x'00', NULL, ''; " +
		"SELECT 1 WHERE 0; CREATE TABLE IF NOT EXISTS u (v)"

	It("is applied once and gets the same answer, in one batch, in several, and after a restore", func() {
		twice := n.batch(request("one", insert, "a\x00\xff"), request("one", insert, "a\x00\xff"))
		Expect(twice[0].Err).NotTo(HaveOccurred())
		Expect(twice[1]).To(Equal(twice[0]))
		Expect(n.entry(request("one", insert, "a\x00\xff"))).To(Equal(twice[0]))

		other := open(machine.Options{})
		other.restore(n.snapshot())
		Expect(other.entry(request("one", insert, "a\x00\xff"))).To(Equal(twice[0]))
		Expect(other.read("SELECT v FROM t")).To(Equal([][]any{{"a\x00\xff"}}))
	})

	It("is not remembered if it failed", func() {
		Expect(n.entry(request("one", "INSERT INTO t VALUES (1, 1), (1, 1)")).Err).To(HaveOccurred())
		Expect(n.entry(request("one", "INSERT OR ROLLBACK INTO t VALUES (1, 1), (1, 1)")).Err).To(HaveOccurred())
		Expect(n.read("SELECT count(*) FROM rejoin_requests")).To(Equal([][]any{{int64(0)}}))
		Expect(n.entry(request("one", "INSERT INTO t VALUES (1, 1)")).Err).NotTo(HaveOccurred())
		Expect(n.entry(request("one", "INSERT INTO t VALUES (1, 1)")).Err).NotTo(HaveOccurred())
	})

	It("is applied once when an entry after it undoes the batch", func() {
		responses := n.batch(request("one", insert, "a"), request("two", "INSERT OR ROLLBACK INTO t VALUES (1, 1)"), request("one", insert, "a"))
		Expect(responses[1].Err).To(HaveOccurred())
		Expect(responses[2]).To(Equal(responses[0]))
		Expect(n.read("SELECT count(*) FROM t")).To(Equal([][]any{{int64(1)}}))
	})

	It("is known as applied when its answer is too large to be stored", func() {
		large := request("large", "INSERT INTO t (v) VALUES (1); SELECT hex(zeroblob(40000))")
		Expect(n.entry(large).Err).NotTo(HaveOccurred())
		var applied *machine.AppliedError
		Expect(n.entry(large).Err).To(BeAssignableToTypeOf(applied))
		Expect(n.read("SELECT count(*) FROM t")).To(Equal([][]any{{int64(1)}}))
	})

	It("does not see bookkeeping writes in changes() and last_insert_rowid()", func() {
		answer := n.batch(request("one", insert, "a"), machine.Entry{SQL: "SELECT changes(), last_insert_rowid()"})[1]
		Expect(answer.Results[0].Rows).To(Equal(n.must("SELECT changes(), last_insert_rowid()").Rows))
	})

	DescribeTable("can have any ID", func(id string) {
		first := n.entry(request(id, insert, "a"))
		Expect(first.Err).NotTo(HaveOccurred())
		Expect(n.entry(request(id, insert, "a"))).To(Equal(first))
	},
		Entry("with a NUL byte", "a\x00b"),
		Entry("that is not UTF-8", "\xff\xfe"),
		Entry("that is long", strings.Repeat("x", 1<<20)),
	)

	It("fails with an ID that is too large to be stored, and the machine keeps running", func() {
		Expect(n.entry(request(strings.Repeat("x", 64<<20+1), insert, "a")).Err).To(MatchError(ContainSubstring("too big")))
		Expect(n.Failed()).NotTo(HaveOccurred())
		Expect(n.read("SELECT * FROM t")).To(BeEmpty())
	})

	It("is distinct from other requests if its ID is empty", func() {
		n.batch(request("", "INSERT INTO t (v) VALUES (1)"), request("", "INSERT INTO t (v) VALUES (1)"))
		Expect(n.read("SELECT * FROM t")).To(HaveLen(2))
	})
})

var _ = Describe("Marks and Raft's own entries", func() {
	It("move the index and change nothing", func() {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (v)")
		log := logs(n.index, machine.Entry{}, machine.Entry{Time: 5}, machine.Entry{SQL: "SELECT 1"})
		log[2].Type, log[2].Data = raft.LogNoop, []byte("anything")
		Expect(n.apply(log)).To(HaveEach(machine.Response{}))
		Expect(n.Applied()).To(Equal(uint64(4)))
		Expect(n.read("SELECT log_index FROM rejoin_applied")).To(Equal([][]any{{int64(4)}}))
		Expect(fmt.Sprint(n.Apply(&raft.Log{Index: 5, Type: raft.LogNoop}))).To(Equal(fmt.Sprint(machine.Response{})))
	})
})
