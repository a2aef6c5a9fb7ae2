package check

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// mostFound limits how many violations of one name a verdict lists.
const mostFound = 100

// findings collects the anomalies of a history, each once.
type findings struct {
	history
	verdict *Verdict
	once    map[string]bool
	named   map[string]int
	total   int
}

func newFindings(h history, v *Verdict) *findings {
	return &findings{h, v, make(map[string]bool), make(map[string]int), 0}
}

// add adds a violation unless one with the same name and subject is there.
func (f *findings) add(rule string, about []int32, witnesses []*journal.Event, format string, args ...any) {
	f.addCycle(nil, rule, about, witnesses, format, args...)
}

// addCycle is add for a violation that is a cycle of transactions.
func (f *findings) addCycle(
	cycle []Dependency, rule string, about []int32, witnesses []*journal.Event, format string, args ...any,
) {
	f.total++
	id := fmt.Sprint(rule, about)
	if f.once[id] {
		return
	}
	f.named[rule]++
	if f.named[rule] == mostFound+1 {
		f.verdict.note("There are more than %d violations named %q. Only these are listed.", mostFound, rule)
	}
	if f.named[rule] > mostFound {
		return
	}
	f.once[id] = true
	found := f.violation(rule, witnesses, format, args...)
	found.Cycle = cycle
	f.verdict.violate(found)
}

func (f *findings) outOfNothing(t *transactions, key int32, value int64, reader int32) {
	f.add("out of nothing", []int32{key, int32(value), int32(value >> 32)}, []*journal.Event{t.events[reader]},
		"%s read %d from %s, and no transaction wrote that", name(reader), value, t.keys[key])
}

func (f *findings) aborted(t *transactions, w, reader int32) {
	what := t.writes[w]
	f.add("G1a, aborted read", []int32{w}, []*journal.Event{t.witness(what.by), t.events[reader]},
		"%s read %d from %s, and the transaction that wrote it had failed", name(reader), what.value, t.keys[what.key])
}

func name(transaction int32) string { return fmt.Sprintf("T%d", transaction+1) }
