package journal_test

import (
	"bytes"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// everything has an event of each kind that says more than text, with all its fields.
var everything = []journal.Event{
	{At: at, Kind: journal.Boot, Node: journal.Nobody, Text: "3 nodes", Members: &journal.Members{Voters: []int{0, 1, 2}, NonVoters: []int{3}}},
	{At: at, Took: 3e6, Kind: journal.Operation, Node: 2, Text: "SELECT '<&>\x00\n'", Err: "cut off", Op: &journal.Op{
		Client: 4, ID: "a-1", Outcome: journal.Unknown, Model: journal.List, Level: journal.Strong, Final: true,
		Steps: []journal.Step{{Do: journal.Append, Key: "list/1", Value: 1<<53 + 1}, {Do: journal.Read, Key: "list/2", Got: []int64{}}, {Do: journal.Read, Key: "list/3"}},
	}},
	{At: at, Kind: journal.Operation, Node: 2, Op: &journal.Op{Client: journal.Nobody, Outcome: journal.OK, Model: journal.Register,
		Unread: true, Steps: []journal.Step{{Do: journal.CAS, Key: "r", Old: -1, Value: 7}}}},
	{At: at, Kind: journal.Operation, Node: 0, Text: "DROP TABLE t", Op: &journal.Op{Client: journal.Nobody, Outcome: journal.Failed, Mutates: true}},
	{At: at.Add(1), Kind: journal.Flag, Node: 0, Text: "take offline (crash)", Flag: &journal.FlagChange{Online: false, Mode: "crash"}},
	{At: at.Add(2), Kind: journal.Shown, Node: 1, State: &journal.State{Health: "online", Role: "leader", Leader: "n1", Term: 3, Commit: 9, Applied: 8, Digest: "ab"}},
	{At: at.Add(3), Kind: journal.Note, Node: journal.Nobody},
}

var _ = Describe("A saved journal", func() {
	It("is a header and one line an event, and reads back as it was", func() {
		var file bytes.Buffer
		header := journal.Header{Version: journal.Version, Seed: 7, Target: "virtual", Nodes: 3, Dropped: map[journal.Kind]int{journal.Note: 2}}
		Expect(journal.Save(&file, header, everything)).To(Succeed())
		Expect(strings.Count(file.String(), "\n")).To(Equal(1 + len(everything)))
		Expect(file.String()).To(HavePrefix(`{"rejoin_journal":1,`))
		read, events, err := journal.Load(&file)
		Expect(err).NotTo(HaveOccurred())
		Expect(read).To(Equal(header))
		Expect(events).To(Equal(everything))
	})

	It("tells a read of nothing from a read whose result is unknown", func() {
		var file bytes.Buffer
		Expect(journal.Encode(&file, everything)).To(Succeed())
		events, err := journal.Decode(&file)
		Expect(err).NotTo(HaveOccurred())
		Expect(events[1].Op.Steps[1].Got).NotTo(BeNil())
		Expect(events[1].Op.Steps[2].Got).To(BeNil())
	})

	It("says how many events of each kind the journal dropped", func() {
		j := journal.New(3)
		record(j, 1, 5)
		Expect(j.Header()).To(Equal(journal.Header{Version: journal.Version, Dropped: map[journal.Kind]int{journal.Note: 2}}))
	})

	op := func(op string) string {
		return `{"at":"2026-01-02T03:04:05Z","kind":"operation","op":` + op + `}`
	}
	DescribeTable("is refused with the line and what is allowed, and the events before it are kept", func(line, problem string) {
		good := `{"at":"2026-01-02T03:04:05Z","kind":"note","node":-1}`
		events, err := journal.Decode(strings.NewReader(good + "\n" + line + "\n"))
		Expect(err).To(MatchError(ContainSubstring("read journal: line 2: " + problem)))
		Expect(events).To(HaveLen(1))
	},
		Entry("no JSON", "{", "unexpected"),
		Entry("two values", `{"at":"2026-01-02T03:04:05Z","kind":"note"} {}`, "invalid character"),
		Entry("no kind", `{"at":"2026-01-02T03:04:05Z"}`, "the event has no kind"),
		Entry("unknown kind", `{"at":"2026-01-02T03:04:05Z","kind":"party"}`, `"party" is no kind of event: it is one of boot, operation`),
		Entry("no time", `{"kind":"note"}`, "the note has no time"),
		Entry("negative time", `{"at":"2026-01-02T03:04:05Z","kind":"note","took_ns":-1}`, "the note took -1ns"),
		Entry("unknown field", `{"at":"2026-01-02T03:04:05Z","kind":"note","color":"red"}`, `json: unknown field "color"`),
		Entry("unknown field of an operation", op(`{"outcome":"ok","moodel":"list"}`), `json: unknown field "moodel"`),
		Entry("operation without op", `{"at":"2026-01-02T03:04:05Z","kind":"operation"}`, `the operation has no "op"`),
		Entry("op of something else", `{"at":"2026-01-02T03:04:05Z","kind":"note","op":{"outcome":"ok"}}`, `the note has an "op"`),
		Entry("unknown outcome", op(`{"outcome":"fine"}`), `"fine" is no outcome: it is one of ok, failed, unknown`),
		Entry("unknown model", op(`{"outcome":"ok","model":"Register","steps":[{"do":"read","key":"x","got":[]}]}`), `"Register" is no model: it is one of register, rw-register, set`),
		Entry("steps without a model", op(`{"outcome":"ok","steps":[{"do":"read","key":"x","got":[]}]}`), `the operation has steps and no model`),
		Entry("model without steps", op(`{"outcome":"ok","model":"set"}`), `the operation on a set has no steps`),
		Entry("unknown level", op(`{"outcome":"ok","model":"register","level":"linearizable","steps":[{"do":"read","key":"x","got":[]}]}`), `"linearizable" is no level: it is one of local, leader, strong`),
		Entry("unknown step", op(`{"outcome":"ok","model":"register","steps":[{"do":"get","key":"x","got":[7]}]}`), `step 1: "get" is no step of a register: it is one of read, write, cas`),
		Entry("step of another model", op(`{"outcome":"ok","model":"list","steps":[{"do":"read","key":"x","got":[]},{"do":"write","key":"x","value":1}]}`), `step 2: "write" is no step of a list: it is one of read, append`),
		Entry("step without a key", op(`{"outcome":"ok","model":"set","steps":[{"do":"add","value":1}]}`), `step 1: the step has no key`),
		Entry("register operation over two keys", op(`{"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":1},{"do":"write","key":"y","value":1}]}`), `step 2: an operation on a register is about one key unless it is a final read`),
		Entry("register read over two keys", op(`{"outcome":"ok","model":"register","level":"strong","steps":[{"do":"read","key":"x","got":[]},{"do":"read","key":"y","got":[]}]}`), `step 2: an operation on a register is about one key unless it is a final read`),
		Entry("ok read without got", op(`{"outcome":"ok","model":"register","steps":[{"do":"read","key":"x"}]}`), `step 1: "got" is missing, and the read is ok`),
		Entry("got of a write", op(`{"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":1,"got":[1]}]}`), `step 1: "got" is given for write`),
		Entry("cas with an empty got", op(`{"outcome":"ok","model":"register","steps":[{"do":"cas","key":"x","old":1,"value":2,"got":[]}]}`), `step 1: "got" of a cas is [1] if it matched and [0] if not, and not []`),
		Entry("register with two values", op(`{"outcome":"ok","model":"register","steps":[{"do":"read","key":"x","got":[1,2]}]}`), `step 1: "got" of a register has one value or none`),
		Entry("balance of two numbers", op(`{"outcome":"ok","model":"bank","steps":[{"do":"read","key":"x","got":[1,2]}]}`), `step 1: "got" of a bank has one number or none`),
		Entry("value that is a string", op(`{"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":"abc"}]}`), `json: cannot unmarshal string`),
		Entry("unread that is unknown", op(`{"outcome":"unknown","model":"set","unread":true,"steps":[{"do":"add","key":"s","value":1}]}`), `the operation is unread and unknown`),
	)

	DescribeTable("of another version is refused", func(header, problem string) {
		_, _, err := journal.Load(strings.NewReader(header + "\n"))
		Expect(err).To(MatchError("read journal: line 1: " + problem))
	},
		Entry("newer", `{"rejoin_journal":2}`, "the journal has version 2: this program reads versions up to 1"),
		Entry("no version", `{"rejoin_journal":0}`, "the journal has version 0: this program reads versions up to 1"),
		Entry("unknown field", `{"rejoin_journal":1,"mood":1}`, `json: unknown field "mood"`),
	)

	It("has one header only, in its first line", func() {
		_, err := journal.Decode(strings.NewReader("{\"rejoin_journal\":1}\n{\"rejoin_journal\":1}\n"))
		Expect(err).To(MatchError(ContainSubstring(`line 2: json: unknown field "rejoin_journal"`)))
	})

	It("says what keeps it from being written", func() {
		Expect(journal.Encode(full{}, everything)).To(MatchError("write journal: no space"))
	})
})

var _ = Describe("A journal of version 0", func() {
	It("gets the fields that its texts stand for", func() {
		events, err := journal.Decode(strings.NewReader(`{"at":"2026-01-02T03:04:05Z","kind":"note","node":-1,"text":"boot 3 nodes, seed 1"}
{"at":"2026-01-02T03:04:06Z","kind":"flag","node":1,"text":"take offline (crash)"}
{"at":"2026-01-02T03:04:07Z","kind":"flag","node":1,"text":"bring online"}
{"at":"2026-01-02T03:04:08Z","kind":"member","node":3,"text":"add a node"}
{"at":"2026-01-02T03:04:09Z","kind":"member","node":0,"text":"remove the node"}
{"at":"2026-01-02T03:04:10Z","kind":"operation","node":1,"text":"INSERT INTO t","op":{"client":-1,"outcome":"ok"}}
{"at":"2026-01-02T03:04:11Z","kind":"operation","node":1,"error":"cut off","op":{"client":1,"outcome":"ok","model":"list","steps":[{"do":"read","key":"x"}]}}
`))
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(HaveExactElements(
			And(HaveField("Kind", journal.Boot), HaveField("Members.Voters", []int{0, 1, 2})),
			HaveField("Flag.Online", false), HaveField("Flag.Online", true),
			HaveField("Members.Voters", []int{0, 1, 2, 3}), HaveField("Members.Voters", []int{1, 2, 3}),
			HaveField("Op.Mutates", true), HaveField("Op.Unread", true)))
	})

	It("is readable from a real run", func() {
		file, err := os.Open("../../fixtures/journals/version-0.jsonl")
		Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		header, events, err := journal.Load(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(header.Version).To(BeZero())
		Expect(events).To(ContainElements(HaveField("Members", Not(BeNil())), HaveField("Flag", Not(BeNil())), HaveField("Op.Model", journal.List)))
	})
})
