package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/check/internal/digraph"
	"github.com/rejoin-db/rejoin/harness/check/internal/polygraph"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// registers are transactions that read and write registers. A read identifies the version that it
// saw, but not the order of versions. The order is searched for.
type registers struct {
	*transactions
	found     *findings
	seen      []seenVersion
	installed [][]int32            // by key, the transactions that installed a version
	final     map[[2]int32]int32   // by key and transaction, the write that did
	readersOf map[[2]int32][]int32 // by key and transaction, the readers of that version
}

// seenVersion is a read of a version that another transaction wrote.
type seenVersion struct {
	by, key int32
	write   int32 // -1 for the initial, empty version
}

func judgeRegisters(h history, l level, v *Verdict) {
	t, err := readTransactions(h, journal.Registers, v)
	if err != nil {
		v.refuse(err)
		return
	}
	r := &registers{
		transactions: t, found: newFindings(h, v), installed: make([][]int32, len(t.keys)),
		final: make(map[[2]int32]int32), readersOf: make(map[[2]int32][]int32),
	}
	known := r.read()
	t.count(v, known)
	r.install()
	d, fits := settle(r, l)
	switch fits {
	case polygraph.Undecided:
		v.undecided("the order of versions of %d transactions on %s", len(t.events), journal.Registers)
	default:
		d.judge(l, r.found)
	}
}

// read judges each read by itself, and keeps the reads of other transactions' versions.
func (r *registers) read() (known int) {
	own := newPerKey[int32](r.transactions) // the last write before the read
	at := make([]int32, len(r.events))
	upTo := make([]int, len(r.events))
	return r.answers(func(by, key int32, step int) {
		for ; upTo[by] < step; upTo[by]++ {
			if s := r.step(by, upTo[by]); !s.Reads() {
				own.set(by, r.key[s.Key], r.firstWrite[by]+at[by])
				at[by]++
			}
		}
		got := r.step(by, step).Got
		mine, wrote := own.get(by, key)
		switch {
		case wrote && (len(got) == 0 || got[0] != r.writes[mine].value):
			r.found.add("internal", []int32{by, key}, []*journal.Event{r.events[by]},
				"%s read %s as %s, and had itself written %d before", name(by), r.keys[key], abridged(got), r.writes[mine].value)
		case wrote:
		case len(got) == 0:
			r.seen = append(r.seen, seenVersion{by, key, -1})
		default:
			r.readOther(by, key, got[0])
		}
	})
}

func (r *registers) readOther(by, key int32, value int64) {
	i, written := r.writeOf[version{key, value}]
	if !written {
		r.found.outOfNothing(r.transactions, key, value, by)
		return
	}
	events := r.events
	switch w := r.writes[i]; {
	case w.by < 0:
		r.found.aborted(r.transactions, i, by)
	case w.by == by:
		r.found.add("internal", []int32{by, key}, []*journal.Event{events[by]},
			"%s read %d from %s before it wrote that itself", name(by), value, r.keys[key])
	case !w.last:
		r.committed[w.by] = true
		r.found.add("G1b, intermediate read", []int32{by, key}, []*journal.Event{events[w.by], events[by]},
			"%s wrote %s again after %d, and %s saw %d", name(w.by), r.keys[key], value, name(by), value)
	default:
		r.committed[w.by] = true
		r.seen = append(r.seen, seenVersion{by, key, i})
	}
}

// install collects the versions of committed transactions and their readers.
func (r *registers) install() {
	for t, committed := range r.committed {
		if !committed {
			continue
		}
		for i := r.firstWrite[t]; i < r.firstWrite[t+1]; i++ {
			if w := r.writes[i]; w.last {
				r.installed[w.key] = append(r.installed[w.key], w.by)
				r.final[[2]int32{w.key, w.by}] = i
			}
		}
	}
	for _, s := range r.seen {
		if s.write >= 0 {
			version := [2]int32{s.key, r.writes[s.write].by}
			r.readersOf[version] = append(r.readersOf[version], s.by)
		}
	}
}

// known returns the dependencies that need no order: a version comes before its readers, and the
// readers of the initial version come before all writers.
func (r *registers) known(l level) *digraph.Graph {
	s := digraph.NewSketch(len(r.events), 4*len(r.seen)+len(r.writes))
	fans := make([]digraph.Fan, len(r.keys))
	for k, writers := range r.installed {
		fans[k] = s.Fan(writers)
	}
	for _, see := range r.seen {
		if see.write >= 0 {
			s.Edge(r.writes[see.write].by, see.by, digraph.WR)
		} else {
			s.Spread(see.by, fans[see.key], digraph.RW)
		}
	}
	if l.realTime {
		inTime(s, r.events, r.committed)
	}
	return s.Graph()
}

func (r *registers) writers() [][]int32                { return r.installed }
func (r *registers) readers(key, writer int32) []int32 { return r.readersOf[[2]int32{key, writer}] }
func (r *registers) all() []*journal.Event             { return r.events }

// settled returns the dependencies for the order of the writers' ranks.
func (r *registers) settled(rank ranking) *dependencies {
	d := &dependencies{transactions: r.transactions, order: make([][]int32, len(r.keys)), tail: make([][]int32, len(r.keys))}
	for k, writers := range r.installed {
		order := slices.Clone(writers)
		slices.SortFunc(order, func(a, b int32) int { return int(rank(a) - rank(b)) })
		for i, t := range order {
			order[i] = r.final[[2]int32{int32(k), t}]
			r.writes[order[i]].at = int32(i)
		}
		d.order[k] = order
	}
	r.reads, r.firstRead = r.reads[:0], r.firstRead[:0]
	next := 0
	for t := range int32(len(r.events)) {
		r.firstRead = append(r.firstRead, int32(len(r.reads)))
		for ; next < len(r.seen) && r.seen[next].by == t; next++ {
			s := r.seen[next]
			at := int32(0)
			if s.write >= 0 {
				at = r.writes[s.write].at + 1
			}
			r.reads = append(r.reads, look{t, s.key, at})
		}
	}
	r.firstRead = append(r.firstRead, int32(len(r.reads)))
	return d
}
