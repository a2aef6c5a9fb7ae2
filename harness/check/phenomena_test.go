package check_test

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// avoidsPhenomena tries all sets of committed transactions and all version orders, and
// tells whether one of them has none of Adya's phenomena G0 and G1, nor G2-item if the
// reads are to be repeatable ("Weak Consistency", PhD thesis, MIT 1999).
func avoidsPhenomena(h history, repeatable bool) bool {
	for set := range 1 << len(h) {
		var committed []int
		fits := true
		for i, e := range h {
			in := set>>i&1 == 1
			fits = fits && (e.Op.Outcome == ok) == in || fits && e.Op.Outcome == unknown
			if in {
				committed = append(committed, i)
			}
		}
		if fits && (&adya{h: h, committed: committed, repeatable: repeatable}).avoids() {
			return true
		}
	}
	return false
}

// adya looks for version orders of one set of committed transactions.
type adya struct {
	h          history
	committed  []int
	repeatable bool
	keys       []string
}

// arcs are dependencies of one key in one version order.
type arcs struct{ depends, anti [][2]int }

func (a *adya) avoids() bool {
	for _, i := range a.committed {
		for _, s := range a.h[i].Op.Steps {
			if !slices.Contains(a.keys, s.Key) {
				a.keys = append(a.keys, s.Key)
			}
		}
	}
	return a.choose(0, arcs{})
}

// choose tries the version orders of the keys from the kth on.
func (a *adya) choose(k int, so arcs) bool {
	if k == len(a.keys) {
		edges := so.depends
		if a.repeatable {
			edges = slices.Concat(edges, so.anti)
		}
		return !cyclic(len(a.h), edges)
	}
	var writers []int
	for _, i := range a.committed {
		if len(a.installs(i, a.keys[k])) > 0 {
			writers = append(writers, i)
		}
	}
	for order := range permutations(writers) {
		more, explained := a.dependencies(a.keys[k], order)
		if !explained {
			continue
		}
		if a.choose(k+1, arcs{slices.Concat(so.depends, more.depends), slices.Concat(so.anti, more.anti)}) {
			return true
		}
	}
	return false
}

// installs are the values that a transaction writes to a key.
func (a *adya) installs(i int, key string) (values []int64) {
	for _, s := range a.h[i].Op.Steps {
		if s.Do != journal.Read && s.Key == key {
			values = append(values, s.Value)
		}
	}
	return values
}

// dependencies are those of one key, if every read of it is explained.
func (a *adya) dependencies(key string, order []int) (found arcs, explained bool) {
	versions := [][]int64{{}} // versions[n] is what the first n writers left
	for _, w := range order {
		versions = append(versions, a.after(versions[len(versions)-1], a.installs(w, key)))
	}
	for n := 1; n < len(order); n++ {
		found.depends = append(found.depends, [2]int{order[n-1], order[n]})
	}
	for _, i := range a.committed {
		if op := a.h[i].Op; op.Outcome != ok || op.Unread {
			continue
		}
		place := slices.Index(order, i)
		var own []int64
		for _, s := range a.h[i].Op.Steps {
			switch {
			case s.Key != key:
			case s.Do != journal.Read:
				own = append(own, s.Value)
			case len(own) > 0:
				if !slices.Equal(s.Got, a.after(versions[place], own)) {
					return found, false
				}
			default:
				n := slices.IndexFunc(versions, func(v []int64) bool { return slices.Equal(v, s.Got) })
				if n < 0 || n > 0 && order[n-1] == i {
					return found, false
				}
				if n > 0 {
					found.depends = append(found.depends, [2]int{order[n-1], i})
				}
				if n < len(order) && order[n] != i {
					found.anti = append(found.anti, [2]int{i, order[n]})
				}
			}
		}
	}
	return found, true
}

// after is a version with values written to it.
func (a *adya) after(version, values []int64) []int64 {
	if a.h[0].Op.Model == journal.List {
		return slices.Concat(version, values)
	}
	return values[len(values)-1:]
}

func permutations(of []int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		var from func(n int) bool
		from = func(n int) bool {
			if n == len(of) {
				return yield(slices.Clone(of))
			}
			for i := n; i < len(of); i++ {
				of[n], of[i] = of[i], of[n]
				goOn := from(n + 1)
				of[n], of[i] = of[i], of[n]
				if !goOn {
					return false
				}
			}
			return true
		}
		from(0)
	}
}

// cyclic takes away nodes that no edge leads to until none is left.
func cyclic(nodes int, edges [][2]int) bool {
	gone := make([]bool, nodes)
	for range nodes {
		for v := range nodes {
			gone[v] = gone[v] || !slices.ContainsFunc(edges, func(e [2]int) bool { return e[1] == v && !gone[e[0]] })
		}
	}
	return slices.Contains(gone, false)
}
