package report_test

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
	"github.com/rejoin-db/rejoin/harness/report"
)

var _ = Describe("Timeline", func() {
	var events []journal.Event
	begun := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int, e journal.Event) {
		e.At = begun.Add(time.Duration(ms) * time.Millisecond)
		events = append(events, e)
	}
	state := func(ms, node int, health, role string) {
		at(ms, journal.Event{Kind: journal.Shown, Node: node, State: &journal.State{Health: health, Role: role}})
	}
	flag := func(ms, node, took int, online bool, mode fault.Mode) {
		at(ms, journal.Event{Kind: journal.Flag, Node: node, Took: time.Duration(took) * time.Millisecond,
			Flag: &journal.FlagChange{Online: online, Mode: mode}})
	}
	made := func(ms int, id uint64, kind fault.Kind) {
		at(ms, journal.Event{Kind: journal.Fault, Node: journal.None,
			Fault: &journal.FaultChange{Fault: fault.Fault{Kind: kind}, Phase: journal.Begins, ID: id}})
	}
	over := func(ms int, ids ...uint64) {
		at(ms, journal.Event{Kind: journal.Fault, Node: journal.None, Fault: &journal.FaultChange{Phase: journal.Ends, Ended: ids}})
	}
	boot := func(size int) {
		at(0, journal.Event{Kind: journal.Boot, Node: journal.None, Boot: &journal.BootInfo{Size: size}})
	}
	BeforeEach(func() { events = nil })

	It("shows every failure mode, leaders, and what catches up", func() {
		boot(5)
		for node := range 5 {
			state(0, node, "connecting", "")
			state(20, node, "online", "follower")
		}
		state(30, 0, "online", "leader")
		for node, mode := range []fault.Mode{fault.Isolate, fault.Stop, fault.Crash, fault.Pause} {
			flag(100+10*node, node, 500, false, mode) // away from the beginning
			flag(300, node, 20, true, mode)           // back from the end
		}
		at(100, journal.Event{Kind: journal.Flag, Node: 4, Flag: &journal.FlagChange{}, Err: "it could not be made"})
		state(120, 4, "online", "leader")
		state(330, 2, "syncing", "follower")
		state(360, 2, "online", "follower")
		state(340, 1, "failed", "")
		state(310, 0, "online", "follower")
		at(400, journal.Event{Kind: journal.Role, Node: 0, State: &journal.State{Role: "candidate", Term: 3}})
		at(430, journal.Event{Kind: journal.Role, Node: 0, State: &journal.State{Role: "follower", Leader: "n4", Term: 3}})
		made(200, 1, fault.KindCut)
		over(250, 1)
		made(150, 2, fault.KindIsolate) // it is in the row of the node
		at(500, journal.Event{Kind: journal.Note, Node: journal.None, Took: 100 * time.Millisecond})
		Expect(report.Timeline(events)).To(Equal(`timeline, a column is 10ms of the cluster's time:
         |0s       |100ms    |200ms    |300ms    |400ms    |500ms    |
  node 0 ::.LLLLLLLiiiiiiiiiiiiiiiiiiiiii........:::....................
  node 1 ::.........sssssssssssssssssssss::!!!!!!!!!!!!!!!!!!!!!!!!!!!!!
  node 2 ::..........cccccccccccccccccccc:~~~...........................
  node 3 ::...........ppppppppppppppppppp...............................
  node 4 ::..........LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL
  faults                     #####
         . online  : connecting  ~ catching up  L leader  ! failed  i isolated  p paused
         s stopped  c crashed  # other faults
`))
	})

	It("shows a fault that is shorter than a column", func() {
		boot(1)
		state(0, 0, "online", "leader")
		flag(60_000, 0, 0, false, fault.Pause)
		flag(60_001, 0, 0, true, fault.Pause)
		made(90_000, 1, fault.KindClock)
		over(90_001, 1)
		at(180_000, journal.Event{Kind: journal.Note, Node: journal.None})
		text := report.Timeline(events)
		Expect(text).To(ContainSubstring("\n  node 0 " + strings.Repeat("L", 30) + "p" + strings.Repeat("L", 59) + "\n"))
		Expect(text).To(ContainSubstring("\n  faults " + strings.Repeat(" ", 45) + "#\n"))
	})

	It("shows members from when they join until they leave", func() {
		boot(1)
		state(0, 0, "online", "leader")
		at(100, journal.Event{Kind: journal.Member, Node: 1, Took: 50 * time.Millisecond, Member: &journal.MemberChange{Added: true}})
		state(160, 1, "online", "follower")
		at(200, journal.Event{Kind: journal.Member, Node: 1, Took: 50 * time.Millisecond, Member: &journal.MemberChange{}})
		at(300, journal.Event{Kind: journal.Note, Node: journal.None})
		Expect(report.Timeline(events)).To(ContainSubstring("\n  node 1 " + strings.Repeat(" ", 32) + strings.Repeat(".", 18) + "\n"))
	})

	DescribeTable("is 100 columns wide at most", func(length time.Duration) {
		boot(101)
		for node := range 101 {
			state(0, node, "online", "follower")
		}
		at(0, journal.Event{Kind: journal.Note, Node: journal.None, Took: length})
		text := report.Timeline(events)
		rows := 0
		for line := range strings.Lines(text) {
			Expect(len(line)).To(BeNumerically("<=", 101), line)
			if strings.HasPrefix(line, "  node ") {
				rows++
			}
		}
		Expect(rows).To(Equal(30))
		Expect(text).To(ContainSubstring("and 71 more nodes"))
	},
		func(length time.Duration) string { return fmt.Sprint(length) },
		Entry(nil, time.Duration(0)), Entry(nil, time.Microsecond), Entry(nil, 92*time.Millisecond), Entry(nil, 93*time.Millisecond),
		Entry(nil, 999*time.Millisecond), Entry(nil, time.Second), Entry(nil, 77*time.Minute), Entry(nil, 1000*time.Hour),
	)

	It("is empty without nodes", func() {
		Expect(report.Timeline(nil)).To(BeEmpty())
		at(0, journal.Event{Kind: journal.Note, Node: journal.None})
		Expect(report.Timeline(events)).To(BeEmpty())
	})

	It("is made of saved journals", func() {
		file, err := os.Open(filepath.Join("..", "..", "fixtures", "journals", "version-2.jsonl"))
		Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		_, events, err = journal.Load(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(report.Timeline(events)).To(Equal(`timeline, a column is 20ms of the cluster's time:
         |0s       |200ms    |400ms    |600ms    |800ms    |1s       |
  node 0 LLLLLLLLLLLLLLLLiiiiiiiiiiicccccccc.....:LLLLLLLLLLLLLLLLLLLL
  node 1 ~~........iiiiii~.::::.................:::...................
  node 2 :~..................:LLLLLLLLLLLLLcccccccccccccc~............
  faults                                                 ###########
         . online  : connecting  ~ catching up  L leader  i isolated  c crashed  # other faults
`))
	})
})
