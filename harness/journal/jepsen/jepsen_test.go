package jepsen_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/journal/jepsen"
)

func TestJepsen(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Jepsen")
}

// line is an operation of a history.
func line(kind string, process int, f, value string) string {
	return `{:type :` + kind + `, :process ` + string(rune('0'+process)) + `, :f :` + f + `, :value ` + value + "}\n"
}

// did is an operation that was invoked and ended at once.
func did(kind string, process int, f, invoked, ended string) string {
	return line("invoke", process, f, invoked) + line(kind, process, f, ended)
}

func read(text string) []journal.Event {
	GinkgoHelper()
	events, err := jepsen.Read(strings.NewReader(text), jepsen.Options{})
	Expect(err).NotTo(HaveOccurred())
	for _, e := range events {
		Expect(e.Validate()).To(Succeed())
	}
	return events
}

var _ = Describe("A history of Jepsen", func() {
	DescribeTable("gives operations of a model", func(text string, model journal.Model, op string, outcome journal.Outcome) {
		events := read(text)
		last := events[len(events)-1]
		Expect(last.Op.Model).To(Equal(model))
		Expect(last.Op.String()).To(Equal(op))
		Expect(last.Op.Outcome).To(Equal(outcome))
		Expect(last.Op.Level).To(Equal(journal.Strong))
	},
		Entry("list-append", did("ok", 1, "txn", "[[:append 8 1] [:r 9 nil]]", "[[:append 8 1] [:r 9 [4 5]]]"), journal.List,
			"append 8 1; read 9 = [4 5]", journal.OK),
		Entry("list-append, an empty list", did("ok", 1, "txn", "[[:r 9 nil]]", "[[:r 9 nil]]"), journal.List, "read 9 = []", journal.OK),
		Entry("list-append, unknown", did("info", 1, "txn", "[[:append 8 1] [:r 9 nil]]", "[[:append 8 1] [:r 9 nil]]"),
			journal.List, "append 8 1; read 9", journal.Unknown),
		Entry("list-append, failed", did("fail", 1, "txn", "[[:append 8 1]]", "[[:append 8 1]]"), journal.List, "append 8 1", journal.Failed),
		Entry("rw-register", did("ok", 1, "txn", "[[:w :a 1] [:r 9 nil]]", "[[:w :a 1] [:r 9 4]]"), journal.Registers,
			"write :a 1; read 9 = [4]", journal.OK),
		Entry("a register", did("ok", 0, "write", "1", "1")+did("ok", 1, "read", "nil", "3"), journal.Register, "read x = [3]", journal.OK),
		Entry("a register that holds nothing", did("ok", 0, "write", "1", "1")+did("ok", 1, "read", "nil", "nil"), journal.Register,
			"read x = []", journal.OK),
		Entry("a compare-and-set", did("ok", 1, "cas", "[1 2]", "[1 2]"), journal.Register, "cas x from 1 to 2 = [1]", journal.OK),
		Entry("a compare-and-set that failed", did("fail", 1, "cas", "[1 2]", "[1 2]"), journal.Register, "cas x from 1 to 2", journal.Failed),
		Entry("independent registers", did("ok", 1, "cas", "[7 [1 2]]", "[7 [1 2]]")+did("ok", 1, "read", "[7 nil]", "[7 2]"),
			journal.Register, "read 7 = [2]", journal.OK),
		Entry("independent registers with tags", did("ok", 1, "write", "#jepsen.independent/tuple [7 1]",
			"#jepsen.independent/tuple [7 1]"), journal.Register, "write 7 1", journal.OK),
		Entry("a set", did("ok", 1, "add", "4", "4")+did("ok", 1, "read", "nil", "#{4 5}"), journal.Set, "read x = [4 5]", journal.OK),
		Entry("a set as a vector", did("ok", 1, "add", "4", "4")+did("ok", 1, "read", "nil", "[4 5]"), journal.Set, "read x = [4 5]",
			journal.OK),
		Entry("a counter", did("ok", 1, "read", "nil", "5")+did("ok", 1, "add", "4", "4"), journal.Counter, "increment x 4", journal.OK),
		Entry("a transfer", did("ok", 1, "transfer", "{:from 0, :to 1, :amount 5}", "{:from 0, :to 1, :amount 5}"), journal.Bank,
			"increment 0 -5; increment 1 5", journal.OK),
		Entry("a read of a bank", did("ok", 1, "read", "nil", "{0 10, 1 20}"), journal.Bank, "read 0 = [10]; read 1 = [20]", journal.OK),
		Entry("one that has no end", line("invoke", 1, "write", "1"), journal.Register, "write x 1", journal.Unknown),
		Entry("one vector of operations", "["+did("ok", 1, "write", "1", "1")+"]", journal.Register, "write x 1", journal.OK),
		Entry("tagged operations", `#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 1, :f :write, :value 1}`,
			journal.Register, "write x 1", journal.Unknown),
	)

	DescribeTable("is refused with the line and the reason", func(text, problem string) {
		_, err := jepsen.Read(strings.NewReader(text), jepsen.Options{})
		Expect(err).To(MatchError("read history: " + problem))
	},
		Entry("nothing", "", "the history has no operation of a client"),
		Entry("no EDN", "{", "line 1: unexpected end of input within a value"),
		Entry("no map", "[1]", "line 1: an operation is a map, and this is 1"),
		Entry("no type", "{:f :read}", "line 1: an operation has a :type, an :f and a :process, and this is {:f :read}"),
		Entry("an unknown type", "{:type :done, :f :read, :process 1}", "line 1: the :type is :invoke, :ok, :fail or :info, and this is :done"),
		Entry("an unknown workload", line("invoke", 1, "enqueue", "1"),
			"no known workload has the operations [:enqueue]: known are txn; read, write, cas; add, read; transfer, read"),
		Entry("two at a time", line("invoke", 1, "write", "1")+line("invoke", 1, "write", "2"),
			"line 2: process 1 invokes an operation and has one under way since line 1"),
		Entry("an end without a beginning", line("ok", 1, "write", "1"), "line 1: process 1 ends an operation that it did not invoke"),
		Entry("another end", line("invoke", 1, "write", "1")+line("ok", 1, "read", "1"),
			"line 2: process 1 ends :read, and what it invoked is :write"),
		Entry("a value that is no integer", did("ok", 1, "write", `"a"`, `"a"`), `line 1: values are integers of 64 bits, and this is "a"`),
		Entry("a step that is none", did("ok", 1, "txn", "[[:inc 1 2]]", "[[:inc 1 2]]"), "line 2: a :txn over a list has no step [:inc 1 2]"),
		Entry("appends beside writes", did("ok", 1, "txn", "[[:append 1 2] [:w 1 2]]", "[[:append 1 2] [:w 1 2]]"),
			"line 2: a :txn over a rw-register has no step [:append 1 2]"),
		Entry("a transfer without an end", did("ok", 1, "transfer", "{:from 1 :amount 5}", "nil"),
			"line 1: a :transfer is {:from a, :to b, :amount n}, and this is {:from 1, :amount 5}"),
	)

	It("keeps the order of its operations, whatever their times", func() {
		events := read(`{:type :invoke, :process 1, :f :write, :value 1, :time 10}
{:type :ok, :process 1, :f :write, :value 1, :time 10}
{:type :invoke, :process 1, :f :read, :value nil, :time 10}
{:type :ok, :process 1, :f :read, :value 1}`)
		Expect(events[0].At).To(Equal(time.Unix(0, 10).UTC()))
		Expect(events[0].End()).To(BeTemporally("<", events[1].At))
		Expect(events[1].Took).To(Equal(time.Nanosecond))
	})

	It("keeps what the nemesis did as faults", func() {
		events := read(`{:type :info, :process :nemesis, :f :start-partition, :value :majority}` + did("ok", 1, "write", "1", "1"))
		Expect(events[0].Kind).To(Equal(journal.Fault))
		Expect(events[0].Text).To(Equal(":info :nemesis :start-partition :majority"))
	})

	It("opens a bank with the balance that it is given", func() {
		balance := int64(10)
		text := did("ok", 1, "read", "nil", "{0 10, 1 10}")
		events, err := jepsen.Read(strings.NewReader(text), jepsen.Options{Balance: &balance, Level: journal.Local})
		Expect(err).NotTo(HaveOccurred())
		Expect(events[0].Op.String()).To(Equal("write 0 10; write 1 10"))
		Expect(events[0].End()).To(BeTemporally("<", events[1].At))
		Expect(events[1].Op.Level).To(Equal(journal.Local))
	})

	It("can be judged", func() {
		Expect(check.Linearizable(read(did("ok", 0, "write", "1", "1") + did("ok", 1, "read", "nil", "1")))).To(Succeed())
		Expect(check.Linearizable(read(did("ok", 0, "write", "1", "1") + did("ok", 1, "read", "nil", "2")))).NotTo(Succeed())
	})
})

func FuzzRead(f *testing.F) {
	f.Add(did("ok", 1, "txn", "[[:append 8 1] [:r 9 nil]]", "[[:append 8 1] [:r 9 [4 5]]]"))
	f.Add(did("ok", 1, "cas", "[7 [1 2]]", "[7 [1 2]]") + did("info", 2, "read", "[7 nil]", "[7 2]"))
	f.Add(did("ok", 1, "read", "nil", "{0 10, 1 20}") + did("fail", 1, "transfer", "{:from 0, :to 1, :amount 5}", "nil"))
	f.Add(did("ok", 1, "add", "4", "4") + did("ok", 1, "read", "nil", "#{4 5}"))
	f.Fuzz(func(t *testing.T, text string) {
		events, err := jepsen.Read(strings.NewReader(text), jepsen.Options{})
		if err != nil {
			return
		}
		for _, e := range events {
			_ = e.String()
		}
	})
}
