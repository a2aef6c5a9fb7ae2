package check_test

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// pairs calls with every two operations of one session on one key, of which one lies
// wholly before the other.
func pairs(all []at, with func(a, b at) bool) bool {
	for _, a := range all {
		for _, b := range all {
			if a.session() && b.session() && a.e.Op.Client == b.e.Op.Client && wholly(a.e, b.e) && !with(a, b) {
				return false
			}
		}
	}
	return true
}

// removable tells whether a removal may have taken effect by the end of an operation.
func removable(all []at, value int64, by journal.Event) bool {
	return slices.ContainsFunc(all, func(a at) bool { return a.Do == journal.Remove && a.Value == value && !wholly(by, a.e) })
}

// addedBefore tells whether a value was added before an operation began, as far as shown.
func addedBefore(all []at, value int64, before journal.Event) bool {
	return slices.ContainsFunc(all, func(a at) bool {
		adds := (a.Do == journal.Add || a.Do == journal.Append) && a.Value == value && a.e.Op.Outcome == ok
		showsIt := a.looks() && a.e.Op.Outcome == ok && !a.e.Op.Unread && slices.Contains(a.Got, value)
		return (adds || showsIt) && wholly(a.e, before)
	})
}

// monotonicMembers tries all phases that a value may have been in: not yet added, there,
// and removed.
func monotonicMembers(all []at) bool {
	values := make(map[int64]bool)
	for _, a := range all {
		for _, v := range a.Got {
			values[v] = true
		}
	}
	for client := range 3 {
		var reads []at
		for _, a := range all {
			if a.trusted() && a.session() && a.e.Op.Client == client {
				reads = append(reads, a)
			}
		}
		for value := range values {
			if !somePhases(all, reads, value, make([]int, len(reads)), 0) {
				return false
			}
		}
	}
	return true
}

func somePhases(all, reads []at, value int64, phases []int, n int) bool {
	if n == len(reads) {
		for i, a := range reads {
			for j, b := range reads {
				if wholly(a.e, b.e) && phases[i] > phases[j] {
					return false
				}
			}
		}
		return true
	}
	if slices.Contains(reads[n].Got, value) {
		phases[n] = 1
		return somePhases(all, reads, value, phases, n+1)
	}
	phases[n] = 0
	if somePhases(all, reads, value, phases, n+1) {
		return true
	}
	phases[n] = 2
	return removable(all, value, reads[n].e) && somePhases(all, reads, value, phases, n+1)
}

func keepsMember(all []at, w, read at) bool {
	there := slices.Contains(read.Got, w.Value)
	if w.Do == journal.Remove {
		return !there || !addedBefore(all, w.Value, w.e)
	}
	return there || removable(all, w.Value, read.e)
}

// someOrder tries all orders of the values of a register that only one operation may have
// written, and that fit real time.
func someOrder(all []at, fits func(older func(a, b int64) bool) bool) bool {
	writers := make(map[int64][]at)
	for _, a := range all {
		if !a.looks() && !(a.Do == journal.CAS && a.e.Op.Outcome == ok && slices.Equal(a.Got, []int64{0})) {
			writers[a.Value] = append(writers[a.Value], a)
		}
	}
	var values []int64
	for v, by := range writers {
		if len(by) == 1 {
			values = append(values, v)
		}
	}
	var try func(order []int64) bool
	try = func(order []int64) bool {
		if len(order) < len(values) {
			for _, v := range values {
				if !slices.Contains(order, v) && try(append(slices.Clone(order), v)) {
					return true
				}
			}
			return false
		}
		place := func(v int64) int { return slices.Index(order, v) }
		for i, v := range order {
			for _, later := range order[i+1:] {
				if w := writers[later][0]; w.e.Op.Outcome == ok && wholly(w.e, writers[v][0].e) {
					return false
				}
			}
			w := writers[v][0]
			if w.Do == journal.CAS && w.e.Op.Outcome == ok && slices.Equal(w.Got, []int64{1}) && place(w.Old) > i {
				return false
			}
		}
		return fits(func(a, b int64) bool { return place(a) >= 0 && place(b) >= 0 && place(a) < place(b) })
	}
	return try(nil)
}

func single(all []at, value int64) bool {
	n := 0
	for _, a := range all {
		if !a.looks() && a.Value == value && !(a.Do == journal.CAS && a.e.Op.Outcome == ok && slices.Equal(a.Got, []int64{0})) {
			n++
		}
	}
	return n == 1
}

// eachClient asks for an order for each session that read something, by itself. It is not
// asked if there is none without it.
func eachClient(all []at, ask func(mine []at) bool) bool {
	if !someOrder(all, func(func(a, b int64) bool) bool { return true }) {
		return true
	}
	for client := range 3 {
		var mine []at
		for _, a := range all {
			if a.session() && a.e.Op.Client == client {
				mine = append(mine, a)
			}
		}
		if !ask(mine) {
			return false
		}
	}
	return true
}
