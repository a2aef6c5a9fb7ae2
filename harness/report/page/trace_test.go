package page_test

import (
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/internal/made"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

func nanos(ns int64) time.Duration { return time.Duration(ns) }

// at is an event at a number of milliseconds.
func at(ms int, e journal.Event) journal.Event {
	e.At = made.Begin.Add(time.Duration(ms) * time.Millisecond)
	return e
}

func note(ms int) journal.Event { return at(ms, journal.Event{Kind: journal.Note, Node: journal.None}) }

func begins(ms int, id uint64, f fault.Fault, ended ...uint64) journal.Event {
	change := &journal.FaultChange{Fault: f, Phase: journal.Begins, ID: id, Ended: ended}
	return at(ms, journal.Event{Kind: journal.Fault, Node: f.Node, Fault: change})
}

func ends(ms int, f fault.Fault, ended ...uint64) journal.Event {
	return at(ms, journal.Event{Kind: journal.Fault, Node: f.Node, Fault: &journal.FaultChange{Fault: f, Phase: journal.Ends, Ended: ended}})
}

// lane is a lane in short: its name, and its spans in milliseconds.
type lane struct {
	name  string
	spans [][2]int64
}

func expect(t *testing.T, got []page.Lane, want ...lane) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d lanes, not %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].Name != w.name || len(got[i].Spans) != len(w.spans) {
			t.Fatalf("lane %+v, not %+v", got[i], w)
		}
		for k, s := range got[i].Spans {
			if s.From != w.spans[k][0]*1e6 || s.To != w.spans[k][1]*1e6 {
				t.Errorf("%s: span %d is %d to %d ns, not %v ms", w.name, k, s.From, s.To, w.spans[k])
			}
		}
	}
}

func TestFaults(t *testing.T) {
	both := []fault.Link{{From: 0, To: 1}, {From: 1, To: 0}}
	slow := fault.Fault{Kind: fault.KindDisk, Node: 1, Disk: &fault.Disk{Slow: time.Millisecond}}
	full := fault.Fault{Kind: fault.KindDisk, Node: 1, Disk: &fault.Disk{Full: true}}
	cut := fault.Fault{Kind: fault.KindCut, Node: fault.NoNode, Links: both, Rule: &fault.Rule{Action: fault.Drop}}
	ahead := fault.Fault{Kind: fault.KindClock, Node: 2, By: time.Second}
	crash := fault.Fault{Kind: fault.KindCrash, Node: 0}
	for _, c := range []struct {
		name   string
		events []journal.Event
		want   []lane
	}{
		{"ends by its ID", []journal.Event{note(0), begins(10, 1, cut), ends(20, cut, 1), note(30)}, []lane{{"link 0–1", [][2]int64{{10, 20}}}}},
		{"has no ID", []journal.Event{note(0), begins(10, 0, cut), ends(20, cut), note(30)}, []lane{{"link 0–1", [][2]int64{{10, 20}}}}},
		{"replaces another one", []journal.Event{note(0), begins(10, 1, slow), begins(20, 2, full, 1), note(30)},
			[]lane{{"disk 1", [][2]int64{{10, 20}, {20, 30}}}}},
		{"overlaps another one of its place", []journal.Event{note(0), begins(10, 1, cut), begins(15, 2, cut), ends(20, cut, 1, 2)},
			[]lane{{"link 0–1", [][2]int64{{10, 20}}}, {"link 0–1", [][2]int64{{15, 20}}}}},
		{"ends with its node", []journal.Event{note(0), begins(10, 1, ahead), at(20, journal.Event{Kind: journal.Member, Node: 2,
			Member: &journal.MemberChange{Ended: []uint64{1}}}), note(30)}, []lane{{"clock 2", [][2]int64{{10, 20}}}}},
		{"keeps a node away", []journal.Event{note(0), begins(10, 1, crash), ends(20, crash, 1)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, page.NewTrace(c.events).Faults, c.want...) })
	}
	t.Run("could not be made", func(t *testing.T) {
		failed := begins(10, 0, cut)
		failed.Err = "the link is gone"
		expect(t, page.NewTrace([]journal.Event{note(0), failed, note(20)}).Faults)
	})
}

func TestClients(t *testing.T) {
	operation := func(client, from, to int, outcome journal.Outcome) journal.Event {
		e := at(from, journal.Event{Kind: journal.Operation, Node: 0, Op: &journal.Op{Client: client, Outcome: outcome}})
		e.Took = time.Duration(to-from) * time.Millisecond
		return e
	}
	trace := page.NewTrace([]journal.Event{
		operation(0, 0, 5, journal.OK), operation(1, 1, 4, journal.Unknown), operation(journal.None, 2, 6, journal.OK),
		operation(journal.None, 3, 7, journal.Failed),
		operation(2, 5, 9, journal.OK), operation(0, 6, 8, journal.OK), operation(3, 8, 8, ""), note(20),
	})
	expect(t, trace.Clients,
		lane{"client 0", [][2]int64{{0, 5}, {6, 8}}}, lane{"client 1 … 2", [][2]int64{{1, 4}, {5, 9}}}, lane{"client 3", [][2]int64{{8, 20}}},
		lane{"other requests", [][2]int64{{2, 6}}}, lane{"other requests", [][2]int64{{3, 7}}})
}

func TestNodes(t *testing.T) {
	crash := fault.Fault{Kind: fault.KindCrash, Node: 0}
	flag := func(ms int, took time.Duration, online bool, err string) journal.Event {
		e := at(ms, journal.Event{Kind: journal.Flag, Node: 0, Err: err, Flag: &journal.FlagChange{Online: online, Mode: fault.Crash}})
		e.Took = took
		return e
	}
	sample := func(ms int, applied, log uint64) journal.Event {
		return at(ms, journal.Event{Kind: journal.Resource, Node: 0, Sample: &journal.Sample{Applied: applied, LogEntries: log}})
	}
	leads := func(ms int) journal.Event {
		return at(ms, journal.Event{Kind: journal.Role, Node: 0, State: &journal.State{Role: "leader", Term: 2}})
	}
	trace := page.NewTrace([]journal.Event{
		note(0), leads(1), sample(1, 10, 10), sample(2, 20, 5), flag(5, time.Millisecond, false, "no"),
		flag(10, time.Millisecond, false, ""), begins(10, 1, crash),
		ends(20, crash, 1), flag(20, 2*time.Millisecond, true, ""), leads(23), flag(25, 0, false, ""), note(40),
	})
	n := trace.Nodes[0]
	expect(t, []page.Lane{{Name: "roles", Spans: n.Roles}, {Name: "away", Spans: n.Away}, {Name: "marks", Spans: n.Marks}},
		lane{"roles", [][2]int64{{1, 10}, {23, 25}}}, lane{"away", [][2]int64{{10, 22}, {25, 40}}}, lane{"marks", [][2]int64{{2, 2}, {20, 20}}})
	if n.Marks[0].Is != "compacted" || n.Marks[1].Is != "restart" {
		t.Errorf("marks %+v", n.Marks)
	}
}

func TestVerdicts(t *testing.T) {
	leader := func(ms, node int) journal.Event {
		return at(ms, journal.Event{Kind: journal.Role, Node: node, State: &journal.State{Role: "leader", Term: 2}})
	}
	events := []journal.Event{leader(0, 0), note(1), leader(2, 1)}
	trace := page.NewTrace(events)
	trace.Judge(journal.Header{}, events)
	first := trace.Verdicts[0]
	if first.Result != "broken" || first.Rule != "one leader a term" || first.Judged != 2 || len(first.Violations) != 1 {
		t.Fatalf("%+v", first)
	}
	if e := first.Violations[0].Events; len(e) != 2 || e[0] != 0 || e[1] != 2 {
		t.Errorf("the witnesses are %v", e)
	}
	trace = page.NewTrace(events)
	trace.Judge(journal.Header{Dropped: map[journal.Kind]int{journal.Operation: 3}}, events)
	if first := trace.Verdicts[0]; first.Result != "refused" || first.Refused == "" {
		t.Errorf("a journal with a gap: %+v", first)
	}
}

// skewed are two transactions that did not see each other's write, and one that read both.
func skewed() []journal.Event {
	txn := func(ms, client int, steps ...journal.Step) journal.Event {
		return at(ms, journal.Event{Kind: journal.Operation, Node: 0, Took: 9 * time.Millisecond, Op: &journal.Op{
			Client: client, Outcome: journal.OK, Model: journal.List, Level: journal.Strong, Steps: steps}})
	}
	read := func(key string, got ...int64) journal.Step {
		return journal.Step{Do: journal.Read, Key: key, Got: append([]int64{}, got...)}
	}
	add := func(key string, v int64) journal.Step { return journal.Step{Do: journal.Append, Key: key, Value: v} }
	return []journal.Event{note(0), txn(1, 1, read("x"), add("y", 1)), txn(2, 2, read("y"), add("x", 2)),
		txn(20, 3, read("x", 2), read("y", 1))}
}

func TestCycles(t *testing.T) {
	events := skewed()
	trace := page.NewTrace(events)
	trace.Judge(journal.Header{}, events)
	for _, v := range trace.Verdicts {
		if v.Rule != "strictly serializable" {
			continue
		}
		cycle := v.Violations[0].Cycle
		if len(cycle) != 2 || cycle[0].Event != 1 || cycle[1].Event != 2 || cycle[0].Kind != "rw" ||
			cycle[0].Name != "T1" || cycle[0].Text == "" {
			t.Errorf("the cycle is %+v", cycle)
		}
		return
	}
	t.Error("no verdict about transactions")
}

func TestDiffers(t *testing.T) {
	differs := &journal.Difference{Query: "SELECT 1", Column: "v", Nodes: []journal.Answer{{Node: 0, Row: []string{"1"}},
		{Node: 2, Applied: 7}}}
	events := []journal.Event{note(0)}
	for i := range 30 {
		events = append(events, at(i+1, journal.Event{Kind: journal.Check, Node: journal.None, Err: "they differ", Differs: differs}))
	}
	trace := page.NewTrace(events)
	if n := len(trace.Differs); n != 20 || trace.Differs[0].Event != 11 || trace.Differs[19].Event != 30 ||
		trace.Differs[19].Nodes[1].Applied != 7 {
		t.Errorf("%d differences: %+v", n, trace.Differs)
	}
}

func TestTraceOfJournalThatGoesOn(t *testing.T) {
	full := fault.Fault{Kind: fault.KindDisk, Node: 0, Disk: &fault.Disk{Full: true}}
	events := []journal.Event{note(0), begins(2, 1, full), note(5)}
	for until, want := range map[int]int64{0: 5, 3: 5, 9: 9} { // a moment before the last event changes nothing
		trace := page.NewTraceUntil(events, made.Begin.Add(time.Duration(until)*time.Millisecond))
		if trace.Length != want*int64(time.Millisecond) {
			t.Errorf("until %d ms it is %d ns long", until, trace.Length)
		}
		expect(t, trace.Faults, lane{"disk 0", [][2]int64{{2, want}}})
	}
}
