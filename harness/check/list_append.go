package check

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// lists infers the version order of each list from reads, and the dependencies from that
// (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
// Observations", VLDB 2020).
type lists struct {
	*transactions
	found   *findings
	longest [][]int64 // by key, the longest read: lists only grow, so every other read is a prefix
	reader  []int32   // by key, the transaction of that read; -1 if the key was not read
}

func judgeLists(h history, l level, v *Verdict) {
	t, err := readTransactions(h, journal.List, v)
	if err != nil {
		v.refuse(err)
		return
	}
	ls := &lists{t, newFindings(h, v), make([][]int64, len(t.keys)), make([]int32, len(t.keys))}
	for k := range ls.reader {
		ls.reader[k] = -1
	}
	external := ls.readOwn()
	known := len(external)
	order := ls.place()
	ls.seen(external)
	ls.judgeOwnOrder()
	ls.reads, ls.firstRead = ls.looks(external, order)
	t.count(v, known)
	d := &dependencies{transactions: t, order: order, tail: ls.tail(order)}
	d.judge(l, ls.found)
}

// seenList is what one read saw of other transactions.
type seenList struct {
	by, key int32
	values  []int64
	own     int32 // how many values of its own transaction followed
}

// readOwn checks that each read ends with what its own transaction had appended before, and keeps
// the rest of the read. It finds the longest read of each key.
func (ls *lists) readOwn() []seenList {
	reads := make([]seenList, 0, len(ls.events))
	own := newPerKey[[]int64](ls.transactions)
	upTo := make([]int, len(ls.events)) // steps whose appends are in own
	ls.answers(func(by, key int32, step int) {
		for ; upTo[by] < step; upTo[by]++ {
			if s := ls.step(by, upTo[by]); !s.Reads() {
				k := ls.key[s.Key]
				mine, _ := own.get(by, k)
				if mine == nil {
					mine = own.value[k][:0]
				}
				own.set(by, k, append(mine, s.Value))
			}
		}
		mine, _ := own.get(by, key)
		got := ls.step(by, step).Got
		others := len(got) - len(mine)
		if others < 0 || !slices.Equal(got[others:], mine) {
			ls.found.add("internal", []int32{by, key}, []*journal.Event{ls.events[by]},
				"%s read %s as %s, and had itself appended %s before", name(by), ls.keys[key], abridged(got), abridged(mine))
			reads = append(reads, seenList{by, key, nil, -1})
			return
		}
		if len(got) > len(ls.longest[key]) {
			ls.longest[key], ls.reader[key] = got, by
		}
		reads = append(reads, seenList{by, key, got[:others], int32(len(mine))})
	})
	return reads
}

// place assigns places in the version order to the writes in the longest reads.
func (ls *lists) place() (order [][]int32) {
	order = make([][]int32, len(ls.keys))
	places := 0
	for _, values := range ls.longest {
		places += len(values)
	}
	all := make([]int32, 0, places)
	for k, values := range ls.longest {
		start := len(all)
		for _, value := range values {
			w := ls.element(int32(k), value, ls.reader[k])
			if w >= 0 && ls.writes[w].at != unplaced {
				ls.duplicate(int32(k), value, ls.reader[k])
				w = -1
			}
			if w >= 0 {
				ls.writes[w].at = int32(len(all) - start)
			}
			all = append(all, w)
		}
		order[k] = all[start:len(all):len(all)]
	}
	return order
}

// element returns the write of a value that was read; -1 if no transaction that may have committed
// wrote it.
func (ls *lists) element(key int32, value int64, reader int32) int32 {
	w, written := ls.writeOf[version{key, value}]
	if !written {
		ls.found.outOfNothing(ls.transactions, key, value, reader)
		return -1
	}
	if by := ls.writes[w].by; by < 0 {
		ls.found.aborted(ls.transactions, w, reader)
		return -1
	}
	ls.committed[ls.writes[w].by] = true
	return w
}

func (ls *lists) duplicate(key int32, value int64, reader int32) {
	ls.found.add("duplicate", []int32{reader, key}, []*journal.Event{ls.events[reader]},
		"%s read %s as %s, which holds %d twice", name(reader), ls.keys[key], abridged(ls.longest[key]), value)
}

// seen checks that every read is a prefix of the longest read of its key, and drops the others.
func (ls *lists) seen(reads []seenList) {
	for i := range reads {
		r := &reads[i]
		if r.own < 0 {
			continue
		}
		whole := r.values[:len(r.values)+int(r.own)]
		if slices.Equal(ls.longest[r.key][:len(whole)], whole) {
			continue
		}
		ls.offTheOrder(r)
		r.own = -1
	}
}

// offTheOrder explains a read that is no prefix of the longest one.
func (ls *lists) offTheOrder(r *seenList) {
	before := ls.found.total
	there := make(map[int64]bool, len(r.values))
	for _, value := range r.values {
		if there[value] {
			ls.found.add("duplicate", []int32{r.by, r.key}, []*journal.Event{ls.events[r.by]},
				"%s read %s as %s, which holds %d twice", name(r.by), ls.keys[r.key], abridged(r.values), value)
		}
		there[value] = true
		ls.element(r.key, value, r.by)
	}
	if ls.found.total > before {
		return
	}
	first := ls.reader[r.key]
	ls.found.add("incompatible orders", []int32{r.key}, []*journal.Event{ls.events[first], ls.events[r.by]},
		"%s was read in two orders that contradict each other, by %s as %s and by %s as %s", ls.keys[r.key],
		name(first), abridged(ls.longest[r.key]), name(r.by), abridged(r.values[:len(r.values)+int(r.own)]))
}

// judgeOwnOrder checks that the appends of a transaction to one list are in order there. Other
// values between them show as a cycle of ww dependencies.
func (ls *lists) judgeOwnOrder() {
	before := newPerKey[int32](ls.transactions)
	for t := range int32(len(ls.events)) {
		if !ls.committed[t] {
			continue
		}
		for i := ls.firstWrite[t]; i < ls.firstWrite[t+1]; i++ {
			w := ls.writes[i]
			if p, again := before.get(t, w.key); again && w.at != unplaced {
				ls.judgePair(ls.writes[p], w)
			}
			before.set(t, w.key, i)
		}
	}
}

func (ls *lists) judgePair(a, b write) {
	switch {
	case a.at == unplaced:
		reader := ls.reader[a.key]
		ls.found.add("G1b, intermediate read", []int32{a.by, a.key}, []*journal.Event{ls.events[a.by], ls.events[reader]},
			"%s appended %d and then %d to %s, and %s saw only the second", name(a.by), a.value, b.value, ls.keys[a.key], name(reader))
	case a.at > b.at:
		ls.found.add("incompatible orders", []int32{a.by, a.key}, []*journal.Event{ls.events[a.by]},
			"%s appended %d and then %d to %s, which holds %s", name(a.by), a.value, b.value, ls.keys[a.key], abridged(ls.longest[a.key]))
	}
}

// looks returns the reads that fit the version order. It checks that none of them saw an
// intermediate version, or a later append of its own transaction.
func (ls *lists) looks(reads []seenList, order [][]int32) (looks []look, first []int32) {
	looks, first = make([]look, 0, len(reads)), make([]int32, 0, len(ls.events)+1)
	ownFirst := newPerKey[int32](ls.transactions)
	next := 0
	for t := range int32(len(ls.events)) {
		first = append(first, int32(len(looks)))
		if next == len(reads) || reads[next].by != t {
			continue
		}
		for _, w := range ls.writesOf(t) {
			if at, set := ownFirst.get(t, w.key); w.at != unplaced && (!set || w.at < at) {
				ownFirst.set(t, w.key, w.at)
			}
		}
		for ; next < len(reads) && reads[next].by == t; next++ {
			r := reads[next]
			if r.own < 0 {
				continue
			}
			saw := look{t, r.key, int32(len(r.values))}
			if at, set := ownFirst.get(t, r.key); set && at < saw.at {
				ls.found.add("internal", []int32{t, r.key}, []*journal.Event{ls.events[t]},
					"%s read %s as %s before it appended %d itself", name(t), ls.keys[r.key], abridged(r.values), ls.longest[r.key][at])
				continue
			}
			ls.judgeWhole(saw, order[r.key])
			looks = append(looks, saw)
		}
	}
	return looks, append(first, int32(len(looks)))
}

func (ls *lists) judgeWhole(r look, order []int32) {
	if r.at == 0 || order[r.at-1] < 0 {
		return
	}
	w := ls.writes[order[r.at-1]]
	if w.last {
		return
	}
	ls.found.add("G1b, intermediate read", []int32{r.by, r.key}, []*journal.Event{ls.events[w.by], ls.events[r.by]},
		"%s appended more to %s after %d, and %s saw %s only up to that", name(w.by), ls.keys[r.key], w.value, name(r.by), ls.keys[r.key])
}

// tail returns, by key, the transactions whose appends were never read: their versions come last.
func (ls *lists) tail(order [][]int32) [][]int32 {
	tail := make([][]int32, len(ls.keys))
	for t, committed := range ls.committed {
		if !committed {
			continue
		}
		for _, w := range ls.writesOf(int32(t)) {
			if w.at != unplaced {
				continue
			}
			if n := len(tail[w.key]); n > 0 && tail[w.key][n-1] == w.by {
				continue
			}
			if n := len(order[w.key]); n > 0 && order[w.key][n-1] >= 0 && ls.writes[order[w.key][n-1]].by == w.by {
				continue // its place is known from a read
			}
			tail[w.key] = append(tail[w.key], w.by)
		}
	}
	return tail
}

func abridged(values []int64) string {
	const most = 12
	if len(values) <= most {
		return fmt.Sprint(values)
	}
	text := fmt.Sprint(values[:most/2])
	rest := fmt.Sprint(values[len(values)-most/2:])
	return fmt.Sprintf("%s … %s (%d values)", text[:len(text)-1], rest[1:], len(values))
}
