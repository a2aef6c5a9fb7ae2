package journal_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("The text of a fault", func() {
	links := []fault.Link{{From: 0, To: 1}, {From: fault.Clients, To: 2}}
	DescribeTable("comes from its fields", func(f fault.Fault, begins, ends string) {
		Expect(journal.FaultChange{Fault: f, Phase: journal.Begins}.String()).To(Equal(begins))
		Expect(journal.FaultChange{Fault: f, Phase: journal.Ends}.String()).To(Equal(ends))
	},
		Entry(nil, fault.Fault{Kind: fault.KindIsolate}, "isolate", "rejoin"),
		Entry(nil, fault.Fault{Kind: fault.KindStop}, "stop", "start"),
		Entry(nil, fault.Fault{Kind: fault.KindCrash}, "crash", "start"),
		Entry(nil, fault.Fault{Kind: fault.KindPause}, "pause", "resume"),
		Entry(nil, fault.Fault{Kind: fault.KindWipe}, "wipe", "replace the disk"),
		Entry(nil, fault.Fault{Kind: fault.KindCut, Links: links, Rule: &fault.Rule{Action: fault.Refuse}},
			"cut (refuse) 0->1 clients->2", "mend 0->1 clients->2"),
		Entry(nil, fault.Fault{Kind: fault.KindPartition, Groups: [][]int{{0}, {1, 2}}}, "partition [[0] [1 2]]", "end partition"),
		Entry(nil, fault.Fault{Kind: fault.KindRing, Groups: [][]int{{0, 1, 2, 3}}}, "ring [0 1 2 3]", "end ring"),
		Entry(nil, fault.Fault{Kind: fault.KindBridge, Groups: [][]int{{0}, {1}, {2}}}, "bridge [0] [1] [2]", "end bridge"),
		Entry(nil, fault.Fault{Kind: fault.KindIsolateLeader}, "isolate the leader", "end isolate the leader"),
		Entry(nil, fault.Fault{Kind: fault.KindLink, Links: links[:1], Rule: &fault.Rule{Bandwidth: 9}},
			"link 0->1: 9 bytes a second", "link 0->1: sound"),
		Entry(nil, fault.Fault{Kind: fault.KindReset, Links: links[:1]}, "reset 0->1", "end reset link"),
		Entry(nil, fault.Fault{Kind: fault.KindFlap, Links: links[:1], By: time.Second}, "flap every 1s 0->1",
			"mend after flapping every 1s 0->1"),
		Entry(nil, fault.Fault{Kind: fault.KindDisk, Disk: &fault.Disk{Full: true}}, "disk: full", "disk: sound"),
		Entry(nil, fault.Fault{Kind: fault.KindDamage, Part: fault.LogLast}, "damage the last entry of the log", "end damage"),
		Entry(nil, fault.Fault{Kind: fault.KindClock, By: -time.Second}, "clock: 1s behind", "clock: right"),
		Entry(nil, fault.Fault{Kind: "a new kind"}, "a new kind", "end a new kind"),
	)

	It("has further words after it", func() {
		e := journal.Event{Kind: journal.Fault, Node: 1, Text: "DELETE FROM t",
			Fault: &journal.FaultChange{Phase: journal.Once, Fault: fault.Fault{Kind: fault.KindDiverge}}}
		Expect(e.String()).To(Equal("fault node 1: diverge: DELETE FROM t"))
	})
})

var _ = DescribeTable("The text of an event comes from its fields", func(e journal.Event, text string) {
	e.Node = journal.None
	Expect(e.Words()).To(Equal(text))
},
	Entry(nil, journal.Event{Boot: &journal.BootInfo{Size: 3, Seed: 7, Target: "local"}}, "3 nodes, seed 7, target local"),
	Entry(nil, journal.Event{Flag: &journal.FlagChange{Mode: fault.Pause}}, "take offline (pause)"),
	Entry(nil, journal.Event{Flag: &journal.FlagChange{Online: true, Mode: fault.Pause}}, "bring online"),
	Entry(nil, journal.Event{Flag: &journal.FlagChange{Online: true, Wiped: true}}, "bring online (wiped)"),
	Entry(nil, journal.Event{Member: &journal.MemberChange{Added: true}}, "add a non-voter"),
	Entry(nil, journal.Event{Member: &journal.MemberChange{Voter: true}}, "remove a voter"),
	Entry(nil, journal.Event{Kind: journal.Check, Text: "digest", State: &journal.State{Digest: "ab"}}, "digest"),
	Entry(nil, journal.Event{Sample: &journal.Sample{Applied: 1, Behind: 2, LogEntries: 3, Memory: 3 << 19}},
		"applied 1, 2 behind, log of 3 entries, memory 1.5 MiB"),
	Entry(nil, journal.Event{State: &journal.State{Health: "online", Role: "follower", Leader: "n1", Term: 2, Commit: 5, Applied: 4}},
		"online, follower in term 2, leader n1, commit 5, applied 4"),
)
