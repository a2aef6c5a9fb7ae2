package harness

import (
	"fmt"
	"math"
	"strings"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Alarm is a line in the log of a node that tells of a bug.
type Alarm struct {
	Node int // index
	ID   string
	Line string
}

func (a Alarm) String() string { return fmt.Sprintf("node %d (%s) said: %s", a.Node, a.ID, a.Line) }

// AlarmError is the error of VerifyLogs.
type AlarmError struct{ Alarms []Alarm }

func (e *AlarmError) Error() string {
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "the logs of the nodes have %d lines that tell of a bug:", len(e.Alarms))
	for i, a := range e.Alarms {
		if i == most {
			fmt.Fprintf(&b, "\nand %d more", len(e.Alarms)-most)
			break
		}
		b.WriteString("\n" + a.String())
	}
	return b.String()
}

// VerifyLogs reads the whole logs of all nodes, also of those that were removed, and returns an *AlarmError if a line tells of
// a bug: see target.Alarms. Lines that contain one of the expected words do not count, nor, if a disk fault was made, those
// about storage. Each alarm is noted in the journal. It returns nil if the target keeps no logs.
func (c *Cluster) VerifyLogs(expected ...string) error {
	if c.isClosed() {
		return ErrClosed
	}
	logs, can := target.As[target.LogReader](c.cluster)
	if !can {
		return nil
	}
	alarms := target.AlarmsOf(c.cluster).WithExpected(expected...)
	if c.hadDiskFault() {
		alarms = alarms.WithDiskFaults()
	}
	var found []Alarm
	for i, node := range c.cluster.Nodes() {
		text, err := logs.Log(i, wholeLog)
		if err != nil {
			return fmt.Errorf("read the log of node %d (%s): %w", i, node.ID(), err)
		}
		for _, line := range alarms.In(text) {
			found = append(found, Alarm{i, node.ID(), line})
			c.journal.Record(journal.Event{Kind: journal.Note, Node: i, Text: "alarm: " + line})
		}
	}
	if len(found) > 0 {
		return &AlarmError{found}
	}
	return nil
}

// wholeLog is more than a node ever says.
const wholeLog = math.MaxInt32

// hadDiskFault tells whether a disk was made faulty or damaged, as far as the journal goes back.
func (c *Cluster) hadDiskFault() bool {
	for _, e := range c.journal.Events() {
		if e.Fault != nil && (e.Fault.Kind == fault.KindDisk || e.Fault.Kind == fault.KindDamage) {
			return true
		}
	}
	return false
}
