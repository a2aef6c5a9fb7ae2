package journal_test

import (
	"bytes"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// everything has an event of each kind with all its fields.
var everything = []journal.Event{
	{At: at, Kind: journal.Boot, Node: journal.None, Boot: &journal.BootInfo{Size: 3, Seed: 7, Target: "virtual",
		Abilities: []string{"crash nodes"}},
		Members: &journal.Members{Voters: []int{0, 1, 2}, NonVoters: []int{3}}},
	{At: at, Took: 3e6, Kind: journal.Operation, Node: 2, Text: "SELECT '<&>\x00\n'", Err: "cut off", Op: &journal.Op{
		Client: 4, ID: "a-1", Outcome: journal.Unknown, Model: journal.List, Level: journal.Strong, Final: true,
		Steps: []journal.Step{{Do: journal.Append, Key: "list/1", Value: 1<<53 + 1},
			{Do: journal.Read, Key: "list/2", Got: []int64{}}, {Do: journal.Read, Key: "list/3"}},
	}},
	{At: at, Kind: journal.Operation, Node: 2, Op: &journal.Op{Client: journal.None, Outcome: journal.OK, Model: journal.Register,
		Unread: true, Steps: []journal.Step{{Do: journal.CAS, Key: "r", Old: -1, Value: 7}}}},
	{At: at, Kind: journal.Operation, Node: 0, Text: "DROP TABLE t", Op: &journal.Op{Client: journal.None,
		Outcome: journal.Failed, Mutates: true}},
	{At: at.Add(1), Kind: journal.Flag, Node: 0, Flag: &journal.FlagChange{Online: false, Mode: "crash"}},
	{At: at.Add(1), Kind: journal.Flag, Node: 0, Flag: &journal.FlagChange{Online: true, Mode: "pause", Wiped: true}},
	{At: at.Add(2), Kind: journal.Fault, Node: fault.NoNode, Fault: &journal.FaultChange{Phase: journal.Begins, ID: 7,
		Ended: []uint64{3, 4}, Fault: fault.Fault{
			Kind: fault.KindLink, Node: fault.NoNode, Links: []fault.Link{{From: 0, To: fault.Clients}}, Groups: [][]int{{0}, {1}},
			Rule: &fault.Rule{Action: fault.Drop, Latency: 1, Jitter: 2, Loss: 0.5, Bandwidth: 3},
		}}},
	{At: at.Add(2), Kind: journal.Fault, Node: 1, Text: "words", Fault: &journal.FaultChange{Phase: journal.Once, Fault: fault.Fault{
		Kind: fault.KindDisk, Node: 1, Disk: &fault.Disk{Full: true, Failing: true, Slow: 4, Lying: true, Torn: true}, Part: fault.Log, By: -5,
	}}},
	{At: at.Add(2), Kind: journal.Member, Node: 3, Member: &journal.MemberChange{Added: true, Voter: true, Ended: []uint64{1}},
		Members: &journal.Members{Voters: []int{3}}},
	{At: at.Add(2), Kind: journal.Role, Node: 1, State: &journal.State{Role: "candidate", Term: 4}},
	{At: at.Add(2), Kind: journal.Resource, Node: 1, Sample: &journal.Sample{Applied: 1, Behind: 2, LogEntries: 3, Memory: 4}},
	{At: at.Add(2), Kind: journal.Spec, Node: journal.None, Spec: &journal.SpecBoundary{Name: "it works", State: "failed"},
		Place: &journal.Place{File: "a_test.go", Line: 8}},
	{At: at.Add(2), Kind: journal.By, Node: journal.None, Text: "doing it", Place: &journal.Place{File: "a_test.go", Line: 9}},
	{At: at.Add(2), Took: 1, Kind: journal.Polls, Node: 2, Poll: &journal.Poll{Condition: "be online", Count: 2, First: "a",
		Last: "b", Held: true}},
	{At: at.Add(2), Kind: journal.Shown, Node: 1, State: &journal.State{Health: "online", Role: "leader", Leader: "n1", Term: 3,
		Commit: 9, Applied: 8, Digest: "ab"}},
	{At: at.Add(3), Kind: journal.Note, Node: journal.None},
}

var _ = Describe("A saved journal", func() {
	It("is a header and one line an event, and reads back as it was", func() {
		var file bytes.Buffer
		header := journal.Header{
			Version: journal.Version, Module: "rejoin v1", Seed: 7, Target: "virtual", Abilities: []string{"crash nodes"}, Nodes: 3,
			Settings: map[string]string{"cluster.nodes": "3"}, Dropped: map[journal.Kind]int{journal.Note: 2},
		}
		Expect(journal.Save(&file, header, everything)).To(Succeed())
		Expect(strings.Count(file.String(), "\n")).To(Equal(1 + len(everything)))
		Expect(file.String()).To(HavePrefix(`{"rejoin_journal":2,`))
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

	It("names the build that wrote it", func() {
		var file bytes.Buffer
		Expect(journal.Save(&file, journal.Header{}, nil)).To(Succeed())
		header, _, err := journal.Load(&file)
		Expect(err).NotTo(HaveOccurred())
		Expect(header.Module).To(And(HavePrefix("github.com/rejoin-db/rejoin "), ContainSubstring(" go1.")))
	})

	It("says which cluster was booted first, also when that event is lost", func() {
		j := journal.New(1)
		boot := journal.BootInfo{Size: 5, Seed: 9, Target: "local", Abilities: []string{"crash nodes"}}
		j.Record(journal.Event{Kind: journal.Boot, Node: journal.None, Err: "no port", Boot: &journal.BootInfo{Size: 1}})
		j.Record(journal.Event{Kind: journal.Boot, Node: journal.None, Boot: &boot})
		j.Record(journal.Event{Kind: journal.Boot, Node: journal.None, Boot: &journal.BootInfo{Size: 7}})
		record(j, 1, 1)
		Expect(j.Header()).To(And(HaveField("Nodes", 5), HaveField("Seed", uint64(9)), HaveField("Target", "local"),
			HaveField("Abilities", boot.Abilities)))
	})

	It("has the first boot of its events, without a journal", func() {
		boot := journal.BootInfo{Size: 5, Seed: 9, Target: "local", Abilities: []string{"crash nodes"}}
		Expect(journal.HeaderOf([]journal.Event{{Kind: journal.Note}, {Kind: journal.Boot, Boot: &boot}})).To(Equal(journal.Header{
			Version: journal.Version, Nodes: 5, Seed: 9, Target: "local", Abilities: boot.Abilities}))
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
		Entry("fault without a phase", `{"at":"2026-01-02T03:04:05Z","kind":"fault","fault":{"kind":"crash","node":1}}`,
			`"" is no phase of a fault: it is one of begins, ends, once`),
		Entry("fault of something else", `{"at":"2026-01-02T03:04:05Z","kind":"note","fault":{"kind":"crash","node":1,"phase":"begins"}}`,
			`the note has a "fault"`),
		Entry("unknown action of a link",
			`{"at":"2026-01-02T03:04:05Z","kind":"fault","fault":{"kind":"cut","node":-1,"rule":{"action":"eat"},"phase":"begins"}}`,
			`unknown action "eat": it is pass, drop or refuse`),
		Entry("unknown outcome", op(`{"outcome":"fine"}`), `"fine" is no outcome: it is one of ok, failed, unknown`),
		Entry("unknown model", op(`{"outcome":"ok","model":"Register","steps":[{"do":"read","key":"x","got":[]}]}`),
			`"Register" is no model: it is one of register, rw-register, set`),
		Entry("steps without a model", op(`{"outcome":"ok","steps":[{"do":"read","key":"x","got":[]}]}`),
			`the operation has steps and no model`),
		Entry("model without steps", op(`{"outcome":"ok","model":"set"}`), `the operation on a set has no steps`),
		Entry("unknown level", op(`{"outcome":"ok","model":"register","level":"linearizable","steps":[{"do":"read","key":"x","got":[]}]}`),
			`"linearizable" is no level: it is one of local, leader, strong`),
		Entry("unknown step", op(`{"outcome":"ok","model":"register","steps":[{"do":"get","key":"x","got":[7]}]}`),
			`step 1: "get" is no step of a register: it is one of read, write, cas`),
		Entry("step of another model",
			op(`{"outcome":"ok","model":"list","steps":[{"do":"read","key":"x","got":[]},{"do":"write","key":"x","value":1}]}`),
			`step 2: "write" is no step of a list: it is one of read, append`),
		Entry("step without a key", op(`{"outcome":"ok","model":"set","steps":[{"do":"add","value":1}]}`), `step 1: the step has no key`),
		Entry("register operation over two keys",
			op(`{"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":1},{"do":"write","key":"y","value":1}]}`),
			`step 2: an operation on a register is about one key unless it is a final read`),
		Entry("register read over two keys",
			op(`{"outcome":"ok","model":"register","level":"strong","steps":[{"do":"read","key":"x","got":[]},{"do":"read","key":"y","got":[]}]}`),
			`step 2: an operation on a register is about one key unless it is a final read`),
		Entry("ok read without got", op(`{"outcome":"ok","model":"register","steps":[{"do":"read","key":"x"}]}`),
			`step 1: "got" is missing, and the read is ok`),
		Entry("got of a write", op(`{"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":1,"got":[1]}]}`),
			`step 1: "got" is given for write`),
		Entry("cas with an empty got", op(`{"outcome":"ok","model":"register","steps":[{"do":"cas","key":"x","old":1,"value":2,"got":[]}]}`),
			`step 1: "got" of a cas is [1] if it matched and [0] if not, and not []`),
		Entry("register with two values", op(`{"outcome":"ok","model":"register","steps":[{"do":"read","key":"x","got":[1,2]}]}`),
			`step 1: "got" of a register has one value or none`),
		Entry("balance of two numbers", op(`{"outcome":"ok","model":"bank","steps":[{"do":"read","key":"x","got":[1,2]}]}`),
			`step 1: "got" of a bank has one number or none`),
		Entry("value that is a string", op(`{"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":"abc"}]}`),
			`json: cannot unmarshal string`),
		Entry("unread that is unknown", op(`{"outcome":"unknown","model":"set","unread":true,"steps":[{"do":"add","key":"s","value":1}]}`),
			`the operation is unread and unknown`),
	)

	DescribeTable("of another version is refused", func(header, problem string) {
		_, _, err := journal.Load(strings.NewReader(header + "\n"))
		Expect(err).To(MatchError("read journal: line 1: " + problem))
	},
		Entry("newer", `{"rejoin_journal":3}`, "the journal has version 3: this program reads versions up to 2"),
		Entry("no version", `{"rejoin_journal":0}`, "the journal has version 0: this program reads versions up to 2"),
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
			And(HaveField("Kind", journal.Boot), HaveField("Boot", &journal.BootInfo{Size: 3, Seed: 1}),
				HaveField("Members.Voters", []int{0, 1, 2})),
			HaveField("Flag", &journal.FlagChange{Mode: "crash"}), HaveField("Flag", &journal.FlagChange{Online: true, Mode: "crash"}),
			HaveField("Members.Voters", []int{0, 1, 2, 3}), HaveField("Members.Voters", []int{1, 2, 3}),
			HaveField("Op.Mutates", true), HaveField("Op.Unread", true)))
	})
})
