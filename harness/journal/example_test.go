package journal_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// A program that has no cluster of the harness can record what it did, for package check.
func ExampleJournal_Invoke() {
	j := journal.New(0)
	op := j.Invoke(journal.Op{Client: 1, Model: journal.Register, Level: journal.Strong, Steps: []journal.Step{{Do: journal.Read, Key: "x"}}})
	op.Asked(2, "request-1", "SELECT value FROM registers WHERE name = 'x'")
	op.End(journal.OK, []journal.Step{{Do: journal.Read, Key: "x", Got: []int64{7}}}, nil)
	for _, e := range j.Events() {
		fmt.Println(e.Node, e.Op.Outcome, e.Op)
	}
	// Output: 2 ok read x = [7]
}

// Fields say what happened, and String makes text of them.
func ExampleEvent_String() {
	crash := journal.FaultChange{Fault: fault.Fault{Kind: fault.KindCrash, Node: 2}, Phase: journal.Begins, ID: 1}
	fmt.Println(journal.Event{Kind: journal.Fault, Node: 2, Took: 3 * time.Millisecond, Fault: &crash})
	fmt.Println(journal.Event{Kind: journal.Flag, Node: 2, Flag: &journal.FlagChange{Mode: fault.Crash}})
	fmt.Println(journal.Event{Kind: journal.Role, Node: 0, State: &journal.State{Role: "leader", Term: 4, Leader: "n0"}})
	// Output:
	// fault node 2: crash (3ms)
	// flag node 2: take offline (crash)
	// role node 0: leader in term 4, leader n0
}

// A journal is saved with a header, and read back with it.
func ExampleSave() {
	j := journal.New(0)
	j.Record(journal.Event{Kind: journal.Note, Node: journal.None, Text: "here"})
	header := j.Header()
	header.Seed, header.Target = 7, "mine"
	var file bytes.Buffer
	if err := journal.Save(&file, header, j.Events()); err != nil {
		fmt.Println(err)
	}
	header, events, err := journal.Load(&file)
	fmt.Println(header.Version, header.Seed, header.Target, len(events), err)
	// Output: 2 7 mine 1 <nil>
}
