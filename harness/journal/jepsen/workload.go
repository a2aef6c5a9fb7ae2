package jepsen

import (
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/edn"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// workload is the meaning of the operations of a history.
type workload struct {
	model       journal.Model
	independent bool // values are [key value], as in jepsen.independent
}

// single is the key of a history without keys.
const single = "x"

// workloadOf infers the workload from the operations.
func workloadOf(pairs []operation) (workload, error) {
	fs := make(map[string]bool)
	for _, o := range pairs {
		if !o.invoked.nemesis() {
			fs[o.invoked.f] = true
		}
	}
	switch {
	case len(fs) == 0:
		return workload{}, fmt.Errorf("the history has no operation of a client")
	case only(fs, "txn"):
		return transactions(pairs)
	case only(fs, "read", "write", "cas") && (fs["write"] || fs["cas"]):
		return workload{journal.Register, independent(pairs, "write", "cas")}, nil
	case only(fs, "add", "read") && fs["add"]:
		w := workload{journal.Set, independent(pairs, "add")}
		if w.readsNumbers(pairs) {
			w.model = journal.Counter
		}
		return w, nil
	case only(fs, "transfer", "read"):
		return workload{journal.Bank, false}, nil
	}
	var names []string
	for f := range fs {
		names = append(names, ":"+f)
	}
	slices.Sort(names)
	return workload{}, fmt.Errorf(
		"no known workload has the operations %v: known are txn; read, write, cas; add, read; transfer, read", names)
}

func only(fs map[string]bool, allowed ...string) bool {
	for f := range fs {
		if !slices.Contains(allowed, f) {
			return false
		}
	}
	return true
}

// transactions distinguishes appends from writes.
func transactions(pairs []operation) (workload, error) {
	w := workload{model: journal.List}
	for _, o := range pairs {
		steps, is := o.invoked.value.(edn.Vector)
		if o.invoked.nemesis() || !is {
			continue
		}
		for _, s := range steps {
			if step, is := s.(edn.Vector); is && len(step) > 0 && step[0] == edn.Keyword("w") {
				w.model = journal.Registers
			}
		}
	}
	return w, nil
}

// independent tells whether the values of all changes are [key value]. A cas without a
// key is a pair of numbers too: its second part tells.
func independent(pairs []operation, changes ...string) bool {
	found := false
	for _, o := range pairs {
		if o.invoked.nemesis() || !slices.Contains(changes, o.invoked.f) {
			continue
		}
		pair, is := asPair(o.invoked.value)
		if !is {
			return false
		}
		if o.invoked.f == "cas" {
			if _, is := asPair(pair[1]); !is {
				return false
			}
		}
		found = true
	}
	return found
}

func asPair(value any) (edn.Vector, bool) {
	if tagged, is := value.(edn.Tagged); is {
		value = tagged.Value
	}
	pair, is := value.(edn.Vector)
	return pair, is && len(pair) == 2
}

// readsNumbers distinguishes a counter from a set by the first value that was read.
func (w workload) readsNumbers(pairs []operation) bool {
	for _, o := range pairs {
		if o.invoked.f != "read" || o.ended.kind != "ok" {
			continue
		}
		_, value, err := w.keyed(o.ended)
		if err != nil {
			continue
		}
		_, is := value.(int64)
		return is
	}
	return false
}

// keyed returns the key and the value of an operation.
func (w workload) keyed(o op) (key string, value any, err error) {
	if !w.independent {
		return single, o.value, nil
	}
	pair, is := asPair(o.value)
	if !is {
		return "", nil, o.errorf("the other operations have a key and a value, and this has %s", short(o.value))
	}
	return edn.Text(pair[0]), pair[1], nil
}

func (w workload) events(pairs []operation, o Options) ([]journal.Event, error) {
	var events []journal.Event
	accounts := make(map[string]bool)
	for _, p := range pairs {
		if p.invoked.nemesis() {
			events = append(events, journal.Event{At: p.invoked.at, Kind: journal.Fault, Node: journal.None,
				Text: fmt.Sprintf(":%s %s :%s %s", p.invoked.kind, edn.Text(p.invoked.process), p.invoked.f, short(p.invoked.value))})
			continue
		}
		steps, err := w.steps(p)
		if err != nil {
			return nil, err
		}
		if len(steps) == 0 {
			continue // an empty transaction
		}
		for _, s := range steps {
			accounts[s.Key] = true
		}
		events = append(events, event(p, journal.Op{Model: w.model, Level: o.Level, Steps: steps}))
	}
	if w.model == journal.Bank && o.Balance != nil && len(events) > 0 {
		events = append([]journal.Event{opening(events[0].At, accounts, *o.Balance)}, events...)
	}
	return events, nil
}

// event returns the operation as an event. An operation without an end never ends.
func event(p operation, o journal.Op) journal.Event {
	client, _ := p.invoked.process.(int64)
	o.Client, o.Outcome = int(client), p.outcome()
	e := journal.Event{At: p.invoked.at, Kind: journal.Operation, Node: journal.None, Op: &o}
	if p.ended.kind != "" {
		e.Took = p.ended.at.Sub(p.invoked.at)
	}
	if p.ended.error != nil {
		e.Err = short(p.ended.error)
	}
	return e
}

// opening returns the operation that opened all accounts, before all others.
func opening(first time.Time, accounts map[string]bool, balance int64) journal.Event {
	o := &journal.Op{Client: journal.None, Outcome: journal.OK, Model: journal.Bank}
	for _, key := range sorted(accounts) {
		o.Steps = append(o.Steps, journal.Step{Do: journal.Write, Key: key, Value: balance})
	}
	return journal.Event{At: first.Add(-2), Took: 1, Kind: journal.Operation, Node: journal.None, Op: o}
}

func sorted(keys map[string]bool) []string {
	var all []string
	for key := range keys {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}
