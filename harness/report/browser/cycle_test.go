//go:build browser

package browser

import (
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/internal/made"
)

// TestCycle draws two transactions that did not see each other's write, and marks one of them in the timeline.
func TestCycle(t *testing.T) {
	events := made.Journal("Transactions are skewed", 5, 60)
	from := events[len(events)-1].At.Add(10 * time.Millisecond)
	txn := func(ms, client int, steps ...journal.Step) journal.Event {
		return journal.Event{At: from.Add(time.Duration(ms) * time.Millisecond), Took: 9 * time.Millisecond, Kind: journal.Operation, Node: 0,
			Text: "a transaction",
			Op:   &journal.Op{Client: client, Outcome: journal.OK, Model: journal.List, Level: journal.Strong, Steps: steps}}
	}
	read := func(key string, got ...int64) journal.Step {
		return journal.Step{Do: journal.Read, Key: key, Got: append([]int64{}, got...)}
	}
	add := func(key string, v int64) journal.Step { return journal.Step{Do: journal.Append, Key: key, Value: v} }
	events = append(events, txn(1, 101, read("x"), add("y", 1)), txn(2, 102, read("y"), add("x", 2)),
		txn(20, 103, read("x", 2), read("y", 1)))

	w := opened(t, collected(t, events), 1280, 1000, "")
	w.until(`document.querySelector('svg.cycle')`)
	if n := value[int](w, `document.querySelectorAll('svg.cycle .transaction').length`); n != 2 {
		t.Errorf("%d transactions are drawn", n)
	}
	if n := value[int](w, `document.querySelectorAll('svg.cycle .edge.rw').length`); n != 2 {
		t.Errorf("%d dependencies are drawn", n)
	}
	w.pointAt("svg.cycle")
	w.picture("cycle")
	value[bool](w, `document.querySelector('svg.cycle .transaction').dispatchEvent(new MouseEvent('click', {bubbles: true}))`)
	w.until(`document.querySelector('#chosen')?.textContent.includes('a transaction')`)
}
