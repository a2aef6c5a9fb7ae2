package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// transactions are the transactions of one model, with numbers for names: a
// transaction is its index in events, a key is its index in keys, a write is its index
// in writes.
type transactions struct {
	history
	model     journal.Model
	events    []*journal.Event // those that did not fail, by their beginnings; final ones last
	committed []bool           // by transaction: acknowledged, or one of its writes was read
	failed    []*journal.Event
	keys      []string
	key       map[string]int32

	writes     []write // in the order of transactions and their steps; failed ones last
	firstWrite []int32 // the writes of transaction t are writes[firstWrite[t]:firstWrite[t+1]]
	writeOf    map[version]int32
	reads      []look // in the order of transactions and their steps
	firstRead  []int32
}

// version is a value of a key. Values are unique, so a version identifies its write.
type version struct {
	key   int32
	value int64
}

type write struct {
	version
	by   int32 // the transaction; ^i for failed[i]
	last bool  // the last of its transaction to this key
	at   int32 // its place in the version order of the key; unplaced if it has none
}

const unplaced = int32(-1)

// look is one read of versions that other transactions wrote.
type look struct {
	by, key int32
	at      int32 // how many versions it saw, from the start of the version order
}

// readTransactions numbers transactions, keys and writes. It refuses a history in which a value is
// written to a key twice, because a read of it would be ambiguous.
func readTransactions(h history, model journal.Model, v *Verdict) (*transactions, error) {
	t := &transactions{history: h, model: model, key: make(map[string]int32)}
	count, final := 0, 0
	for _, e := range h.events {
		if e.Kind != journal.Operation || e.Op.Model != model {
			continue
		}
		switch {
		case e.Op.Outcome == journal.Failed:
			t.failed = append(t.failed, e)
			continue
		case e.Op.Unread:
			v.leaveOut("reads of transactions whose answers were lost")
		}
		if e.Op.Final {
			final++
		}
		t.events = append(t.events, e)
		count += len(e.Op.Steps)
	}
	if final > 0 {
		slices.SortStableFunc(t.events, func(a, b *journal.Event) int { return beginning(a).compare(beginning(b)) })
	}
	return t, t.number(count)
}

func (t *transactions) number(steps int) error {
	t.committed = make([]bool, len(t.events))
	t.firstWrite = make([]int32, 0, len(t.events)+1)
	t.writes = make([]write, 0, steps/2)
	t.writeOf = make(map[version]int32, steps/2)
	for i, e := range t.events {
		t.firstWrite = append(t.firstWrite, int32(len(t.writes)))
		t.committed[i] = e.Op.Outcome == journal.OK
		if err := t.numberWrites(int32(i), e); err != nil {
			return err
		}
	}
	t.firstWrite = append(t.firstWrite, int32(len(t.writes)))
	for i, e := range t.failed {
		if err := t.numberWrites(^int32(i), e); err != nil {
			return err
		}
	}
	t.markLast()
	return nil
}

func (t *transactions) numberWrites(by int32, e *journal.Event) error {
	for i := range e.Op.Steps {
		s := &e.Op.Steps[i]
		key := t.keyOf(s.Key)
		if s.Reads() {
			continue
		}
		what := version{key, s.Value}
		if _, again := t.writeOf[what]; again {
			return invalid("%d is written to %s twice, so a read of it has two explanations: every value of a key must be unique", s.Value, s.Key)
		}
		t.writeOf[what] = int32(len(t.writes))
		t.writes = append(t.writes, write{version: what, by: by, at: unplaced})
	}
	return nil
}

func (t *transactions) keyOf(name string) int32 {
	k, known := t.key[name]
	if !known {
		k = int32(len(t.keys))
		t.key[name] = k
		t.keys = append(t.keys, name)
	}
	return k
}

// markLast finds the last write of each transaction to each key.
func (t *transactions) markLast() {
	seen := newPerKey[struct{}](t)
	for i := len(t.writes) - 1; i >= 0; i-- {
		w := &t.writes[i]
		_, again := seen.get(w.by, w.key)
		w.last = !again
		seen.set(w.by, w.key, struct{}{})
	}
}

func (t *transactions) writesOf(transaction int32) []write {
	return t.writes[t.firstWrite[transaction]:t.firstWrite[transaction+1]]
}

func (t *transactions) readsOf(transaction int32) []look {
	return t.reads[t.firstRead[transaction]:t.firstRead[transaction+1]]
}

// answered tells whether the results of the operation's reads are known.
func answered(e *journal.Event) bool { return e.Op.Outcome == journal.OK && !e.Op.Unread }

// answers calls f for each read with a known result, in order, with the number of its key. Other
// reads count as left out.
func (t *transactions) answers(f func(by, key int32, step int)) (known int) {
	for i, e := range t.events {
		if !answered(e) {
			continue
		}
		for j := range e.Op.Steps {
			if s := &e.Op.Steps[j]; s.Reads() && s.Got != nil {
				known++
				f(int32(i), t.key[s.Key], j)
			}
		}
	}
	return known
}

func (t *transactions) step(by int32, step int) *journal.Step { return &t.events[by].Op.Steps[step] }

// witness returns the event of a transaction, also of a failed one.
func (t *transactions) witness(by int32) *journal.Event {
	if by < 0 {
		return t.failed[^by]
	}
	return t.events[by]
}

// count sets the number of judged transactions. Without a read with a known result it is 0.
func (t *transactions) count(v *Verdict, known int) {
	for range t.failed {
		v.leaveOut("failed transactions, whose writes must not be read")
	}
	for i := range t.events {
		switch {
		case !t.committed[i]:
			v.leaveOut("transactions of unknown outcome, whose writes were not read")
		case known == 0:
			v.leaveOut("transactions in a history without a read of known result")
		default:
			v.Judged++
		}
	}
}

// perKey has a value for each key within one transaction. It needs no clearing between transactions.
type perKey[T any] struct {
	by    []int32
	value []T
}

func newPerKey[T any](t *transactions) perKey[T] {
	p := perKey[T]{make([]int32, len(t.keys)), make([]T, len(t.keys))}
	for i := range p.by {
		p.by[i] = 1<<31 - 1 // no transaction
	}
	return p
}

func (p *perKey[T]) get(by, key int32) (value T, set bool) {
	if p.by[key] != by {
		return value, false
	}
	return p.value[key], true
}

func (p *perKey[T]) set(by, key int32, value T) {
	p.by[key], p.value[key] = by, value
}
