// Package made makes journals for the tests of reports.
package made

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Begin is when the cluster of a made journal is booted.
var Begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Journal returns about as many events as wanted, at least 50: of three nodes and six clients, with steps, faults, roles and samples.
// The same seed makes the same events.
func Journal(name string, seed uint64, wanted int) []journal.Event {
	m := maker{random: rand.New(rand.NewPCG(seed, 1)), at: Begin}
	m.add(journal.Event{Kind: journal.Boot, Node: journal.None, Took: 20 * time.Millisecond,
		Boot: &journal.BootInfo{Size: 3, Seed: seed, Target: "virtual"}, Members: &journal.Members{Voters: []int{0, 1, 2}}})
	for node := range 3 {
		m.state(node, "online", 2, 0)
	}
	m.add(journal.Event{Kind: journal.Spec, Node: journal.None, Spec: &journal.SpecBoundary{Name: name},
		Place: &journal.Place{File: "made.go", Line: 7}})
	for round := 0; len(m.events) < wanted-2; round++ {
		m.round(round, wanted)
	}
	m.add(journal.Event{Kind: journal.Spec, Node: journal.None, Spec: &journal.SpecBoundary{Name: name, State: journal.Passed},
		Place: &journal.Place{File: "made.go", Line: 7}})
	return m.events
}

type maker struct {
	random  *rand.Rand
	at      time.Time
	events  []journal.Event
	faults  uint64
	applied uint64
	value   int64
}

func (m *maker) add(e journal.Event) {
	e.At = m.at
	m.events = append(m.events, e)
}

func (m *maker) state(node int, health string, term uint64, leader int) {
	role := "follower"
	if node == leader {
		role = "leader"
	}
	m.add(journal.Event{Kind: journal.Shown, Node: node, State: &journal.State{
		Health: health, Role: role, Leader: fmt.Sprintf("n%d", leader), Term: term, Commit: m.applied, Applied: m.applied,
	}})
}

// round is a step in which a node is lost, or a disk is slow, and comes back.
func (m *maker) round(n, wanted int) {
	node, term := n%3, uint64(3+n)
	m.add(journal.Event{Kind: journal.By, Node: journal.None, Text: fmt.Sprintf("losing node %d", node),
		Place: &journal.Place{File: "made.go", Line: 20 + n%7}})
	m.faults++
	id := m.faults
	lost := fault.Fault{Kind: fault.KindCrash, Node: node}
	if n%3 == 2 {
		lost = fault.Fault{Kind: fault.KindDisk, Node: node, Disk: &fault.Disk{Slow: 5 * time.Millisecond}}
	} else {
		m.add(journal.Event{Kind: journal.Flag, Node: node, Flag: &journal.FlagChange{Mode: fault.Crash}})
	}
	m.add(journal.Event{Kind: journal.Fault, Node: node, Fault: &journal.FaultChange{Fault: lost, Phase: journal.Begins, ID: id}})
	m.state((node+1)%3, "online", term, (node+1)%3)
	m.operations(min(400, max(20, wanted-len(m.events)-20)))
	m.add(journal.Event{Kind: journal.Fault, Node: node, Fault: &journal.FaultChange{Fault: lost, Phase: journal.Ends, Ended: []uint64{id}}})
	if n%3 != 2 {
		m.add(journal.Event{Kind: journal.Flag, Node: node, Flag: &journal.FlagChange{Online: true, Mode: fault.Crash}})
		m.state(node, "syncing", term, (node+1)%3)
		m.at = m.at.Add(30 * time.Millisecond)
	}
	m.state(node, "online", term, (node+1)%3)
	for i := range 3 {
		m.add(journal.Event{Kind: journal.Resource, Node: i, Sample: &journal.Sample{
			Applied: m.applied, Behind: uint64(m.random.IntN(4)), LogEntries: m.applied % 256,
		}})
	}
}

// operations are those of six clients at the same time, each with one under way.
func (m *maker) operations(n int) {
	var free [6]time.Time
	for range n {
		m.at = m.at.Add(time.Duration(300+m.random.IntN(1500)) * time.Microsecond)
		client := m.random.IntN(len(free))
		if free[client].After(m.at) {
			m.at = free[client].Add(time.Microsecond)
		}
		took := time.Duration(500_000 + m.random.ExpFloat64()*4e6)
		free[client] = m.at.Add(took)
		m.value++
		m.applied++
		e := journal.Event{
			Kind: journal.Operation, Node: m.random.IntN(3), Took: took,
			Text: fmt.Sprintf("INSERT INTO spec_made.members (id) VALUES (%d)", m.value),
			Op: &journal.Op{Client: client, ID: fmt.Sprintf("made-%d", m.value), Outcome: journal.OK, Model: journal.Set,
				Steps: []journal.Step{{Do: journal.Add, Key: fmt.Sprint("set ", client), Value: m.value}}},
		}
		if m.random.IntN(40) == 0 {
			e.Op.Outcome, e.Err = journal.Failed, "no quorum: the node knows no leader"
		}
		m.add(e)
	}
	for _, last := range free {
		if last.After(m.at) {
			m.at = last
		}
	}
}
