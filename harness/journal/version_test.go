package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("A journal of version 1", func() {
	// upgraded are events of version 1, each with kind, node and text, as they are read today.
	upgraded := func(lines ...string) []journal.Event {
		GinkgoHelper()
		text := `{"rejoin_journal":1}` + "\n"
		for _, line := range lines {
			text += fmt.Sprintf(`{"at":"2026-01-02T03:04:05Z",%s}`, line) + "\n"
		}
		events, err := journal.Decode(strings.NewReader(text))
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(HaveLen(len(lines)))
		return events
	}

	DescribeTable("gets the fields that a text stands for", func(line string, field string, value any) {
		e := upgraded(line)[0]
		Expect(e).To(And(HaveField(field, value), HaveField("Text", BeEmpty())))
	},
		Entry(nil, `"kind":"boot","text":"5 nodes, seed 20"`, "Boot", &journal.BootInfo{Size: 5, Seed: 20}),
		Entry(nil, `"kind":"flag","node":1,"text":"take offline (pause)","flag":{"online":false,"mode":"pause"}`, "Flag",
			&journal.FlagChange{Mode: fault.Pause}),
		Entry(nil, `"kind":"flag","node":1,"text":"bring online (wiped)","flag":{"online":true,"mode":"wiped"}`, "Flag",
			&journal.FlagChange{Online: true, Wiped: true}),
		Entry(nil, `"kind":"member","node":3,"text":"add a node","members":{"voters":[0],"non_voters":[3]}`, "Member",
			&journal.MemberChange{Added: true}),
		Entry(nil, `"kind":"resource","node":1,"text":"applied 7, 2 behind, log of 9 entries, memory 1.5 KiB"`, "Sample",
			&journal.Sample{Applied: 7, Behind: 2, LogEntries: 9, Memory: 1536}),
		Entry(nil, `"kind":"spec","text":"begin it works"`, "Spec", &journal.SpecBoundary{Name: "it works"}),
		Entry(nil, `"kind":"spec","text":"end passed"`, "Spec", &journal.SpecBoundary{State: journal.Passed}),
	)

	ends := func(kind fault.Kind) journal.FaultChange {
		return journal.FaultChange{Phase: journal.Ends, Fault: fault.Fault{Kind: kind, Node: 1}}
	}
	begins := func(f fault.Fault) journal.FaultChange { return journal.FaultChange{Phase: journal.Begins, Fault: f} }
	DescribeTable("gets the fault that a text stands for", func(node int, text string, want journal.FaultChange) {
		e := upgraded(fmt.Sprintf(`"kind":"fault","node":%d,"text":%q`, node, text))[0]
		Expect(e).To(And(HaveField("Fault", &want), HaveField("Text", BeEmpty())))
	},
		Entry(nil, 1, "crash", begins(fault.Fault{Kind: fault.KindCrash, Node: 1})),
		Entry(nil, 1, "rejoin", ends(fault.KindIsolate)),
		Entry(nil, 1, "start", ends(fault.KindStop)),
		Entry(nil, 1, "resume", ends(fault.KindPause)),
		Entry(nil, 1, "replace the disk", ends(fault.KindWipe)),
		Entry(nil, 1, "disk: sound", ends(fault.KindDisk)),
		Entry(nil, 1, "clock: right", ends(fault.KindClock)),
		Entry(nil, 1, "clock: 2s behind", begins(fault.Fault{Kind: fault.KindClock, Node: 1, By: -2 * time.Second})),
		Entry(nil, 1, "disk: full, 30ms slower, about to tear a write", begins(fault.Fault{Kind: fault.KindDisk, Node: 1,
			Disk: &fault.Disk{Full: true, Slow: 30 * time.Millisecond, Torn: true}})),
		Entry(nil, -1, "isolate the leader 2", begins(fault.Fault{Kind: fault.KindIsolateLeader, Node: 2})),
		Entry(nil, 1, "damage the log", begins(fault.Fault{Kind: fault.KindDamage, Node: 1, Part: fault.Log})),
		Entry(nil, -1, "cut (refuse) 0->1 clients->2", begins(fault.Fault{Kind: fault.KindCut, Node: fault.NoNode,
			Links: []fault.Link{{From: 0, To: 1}, {From: fault.Clients, To: 2}}, Rule: &fault.Rule{Action: fault.Refuse}})),
		Entry(nil, -1, "mend 0->1", journal.FaultChange{Phase: journal.Ends,
			Fault: fault.Fault{Kind: fault.KindCut, Node: fault.NoNode, Links: []fault.Link{{From: 0, To: 1}}}}),
	)

	It("says of a start what it ends", func() {
		events := upgraded(`"kind":"flag","node":1,"text":"take offline (crash)","flag":{"online":false,"mode":"crash"}`,
			`"kind":"fault","node":1,"text":"start"`)
		Expect(events[1].Fault.Kind).To(Equal(fault.KindCrash))
	})

	It("keeps a text that it does not understand", func() {
		for _, text := range []string{"partition [[0] [1 2]]", "mend all links", "cut (drop) 0-1", "disk: odd", "clock: soon"} {
			e := upgraded(fmt.Sprintf(`"kind":"fault","node":-1,"text":%q`, text))[0]
			Expect(e).To(And(HaveField("Fault", BeNil()), HaveField("Text", text)))
		}
	})
})

var _ = Describe("A journal of each version", func() {
	files, err := filepath.Glob("../../fixtures/journals/version-*.jsonl")
	It("is in fixtures", func() {
		Expect(err).NotTo(HaveOccurred())
		Expect(files).To(HaveLen(1 + journal.Version))
	})

	for version := range 1 + journal.Version {
		It(fmt.Sprintf("is read: version %d", version), func() {
			file, err := os.Open(fmt.Sprintf("../../fixtures/journals/version-%d.jsonl", version))
			Expect(err).NotTo(HaveOccurred())
			defer file.Close()
			header, events, err := journal.Load(file)
			Expect(err).NotTo(HaveOccurred())
			Expect(header.Version).To(Equal(version))
			Expect(events).To(ContainElements(
				And(HaveField("Boot", Not(BeNil())), HaveField("Members", Not(BeNil()))), HaveField("Flag", Not(BeNil())),
				HaveField("Fault", Not(BeNil())), HaveField("Op.Model", journal.List)))
			if version == journal.Version {
				Expect(header).To(And(HaveField("Module", Not(BeEmpty())), HaveField("Abilities", Not(BeEmpty())),
					HaveField("Settings", Not(BeEmpty()))))
				Expect(events).To(ContainElements(HaveField("Sample", Not(BeNil())), HaveField("Kind", journal.Role),
					HaveField("Spec.State", journal.Passed),
					HaveField("Fault.ID", Not(BeZero())), HaveField("Fault.Ended", Not(BeEmpty()))))
				Expect(events).To(ContainElement(HaveField("Place.Line", Not(BeZero()))))
			}
			for _, e := range events {
				switch e.Kind {
				case journal.Flag, journal.Boot, journal.Resource, journal.Shown, journal.Spec:
					Expect(e.Text).To(BeEmpty(), "%v", e)
				}
			}
		})
	}
})
