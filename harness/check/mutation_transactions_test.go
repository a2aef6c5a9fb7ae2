package check_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// mutation changes a sound history in one place. It tells whether it found a place.
type mutation struct {
	name   string
	change func(*rand.Rand, history) bool
}

// breaking are changes after which a history of lists with a final read cannot be
// strictly serializable.
var breaking = []mutation{
	{"an acknowledged value is in no read", func(r *rand.Rand, h history) bool {
		key, value, found := someAppend(r, h, func(e journal.Event) bool { return e.Op.Outcome == ok })
		for i := range h {
			forget(h[i].Op, key, value)
		}
		return found
	}},
	{"half of an unknown transaction is in no read", func(r *rand.Rand, h history) bool {
		key, value, found := someAppend(r, h, func(e journal.Event) bool {
			keys := map[string]bool{}
			for _, s := range e.Op.Steps {
				if s.Do == journal.Append {
					keys[s.Key] = true
				}
			}
			return e.Op.Outcome == unknown && len(keys) > 1
		})
		for i := range h {
			forget(h[i].Op, key, value)
		}
		return found
	}},
	{"a read of one node's final state lacks the last value", func(r *rand.Rand, h history) bool {
		return someRead(r, h, func(e journal.Event, s *journal.Step) bool { return e.Op.Final && len(s.Got) > 0 },
			func(s *journal.Step) { s.Got = s.Got[:len(s.Got)-1] })
	}},
	{"two values of a read are swapped", func(r *rand.Rand, h history) bool {
		return someRead(r, h, func(_ journal.Event, s *journal.Step) bool { return len(s.Got) > 1 },
			func(s *journal.Step) { s.Got[0], s.Got[1] = s.Got[1], s.Got[0] })
	}},
	{"a value is there twice", func(r *rand.Rand, h history) bool {
		return someRead(r, h, func(_ journal.Event, s *journal.Step) bool { return len(s.Got) > 0 },
			func(s *journal.Step) { s.Got = append(s.Got, s.Got[0]) })
	}},
	{"a value is there that was never appended", func(r *rand.Rand, h history) bool {
		return someRead(r, h, func(_ journal.Event, s *journal.Step) bool { return true },
			func(s *journal.Step) { s.Got = append(s.Got, 1<<40) })
	}},
	{"a transaction of which something was read had failed", func(r *rand.Rand, h history) bool {
		key, value, _ := someAppend(r, h, func(e journal.Event) bool { return e.Op.Outcome == ok })
		for _, e := range h {
			if slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool { return s.Do == journal.Append && s.Key == key && s.Value == value }) {
				e.Op.Outcome, e.Op.Unread = failed, false
				return true
			}
		}
		return false
	}},
	{"a strong read ended before anything began, and saw something", func(r *rand.Rand, h history) bool {
		for i := range h {
			if s := h[i].Op.Steps[0]; !h[i].Op.Final && h[i].Op.Outcome == ok && h[i].Op.Level == strong && s.Do == journal.Read && len(s.Got) > 0 {
				h[i].At, h[i].Took = begun.Add(-time.Second), 1
				return true
			}
		}
		return false
	}},
}

// someAppend picks an append that a final read shows.
func someAppend(r *rand.Rand, h history, of func(journal.Event) bool) (key string, value int64, found bool) {
	shown := map[string]bool{}
	for _, e := range h {
		for _, s := range e.Op.Steps {
			for _, v := range s.Got {
				if e.Op.Final {
					shown[fmt.Sprint(s.Key, "=", v)] = true
				}
			}
		}
	}
	for _, i := range r.Perm(len(h)) {
		for _, s := range h[i].Op.Steps {
			if s.Do == journal.Append && of(h[i]) && shown[fmt.Sprint(s.Key, "=", s.Value)] {
				return s.Key, s.Value, true
			}
		}
	}
	return "", 0, false
}

func someRead(r *rand.Rand, h history, of func(journal.Event, *journal.Step) bool, change func(*journal.Step)) bool {
	for _, i := range r.Perm(len(h)) {
		for j := range h[i].Op.Steps {
			if s := &h[i].Op.Steps[j]; s.Got != nil && of(h[i], s) {
				change(s)
				return true
			}
		}
	}
	return false
}

func forget(op *journal.Op, key string, value int64) {
	for i, s := range op.Steps {
		if s.Do == journal.Read && s.Key == key {
			op.Steps[i].Got = slices.DeleteFunc(s.Got, func(v int64) bool { return v == value })
		}
	}
}

// withUnknowns makes some transactions of a history unknown, and adds a final read of two nodes.
func withUnknowns(r *rand.Rand, h history) history {
	lists := map[string][]int64{}
	var keys []string
	for i := range h {
		for _, s := range h[i].Op.Steps {
			if _, known := lists[s.Key]; !known {
				keys = append(keys, s.Key)
			}
			lists[s.Key] = append(lists[s.Key], appended(s)...)
		}
		if r.IntN(4) == 0 {
			h[i].Op.Outcome = unknown
			for j := range h[i].Op.Steps {
				h[i].Op.Steps[j].Got = nil
			}
		}
	}
	for node := range 2 {
		var steps []journal.Step
		for _, key := range keys {
			slices.Sort(lists[key]) // values count from 1 in the order in which they take effect
			steps = append(steps, read(key, slices.Clone(lists[key])...))
		}
		h = append(h, final(node, journal.List, steps...))
	}
	return h
}

func appended(s journal.Step) []int64 {
	if s.Do == journal.Append {
		return []int64{s.Value}
	}
	return nil
}

var _ = Describe("A sound history of transactions", func() {
	for _, m := range breaking {
		It("is no longer sound when "+m.name, func() {
			changed := 0
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 3))
				h := withUnknowns(r, clientsAtWork(r, journal.List, 150))
				sound(check.StrictlySerializable, h)
				if m.change(r, h) {
					changed++
					Expect(check.StrictlySerializable(h)).NotTo(Succeed(), "seed %d", seed)
				}
			}
			Expect(changed).To(BeNumerically(">", 20))
		})
	}

	It("with one stale read has one violation", func() {
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 4))
			h := clientsAtWork(r, journal.List, 1000)
			for i := 500; ; i++ {
				if s := &h[i].Op.Steps[0]; s.Do == journal.Read && len(s.Got) > 8 {
					s.Got = s.Got[:0]
					break
				}
			}
			err := check.StrictlySerializable(h)
			var v *check.Violation
			Expect(errors.As(err, &v)).To(BeTrue(), "%v", err)
			Expect(strings.Count(err.Error(), "G-single")).To(Equal(1), err.Error())
		}
	})

	It("is judged as exhaustive search judges it after any change of a small one", func() {
		r := rand.New(rand.NewPCG(2, 3))
		counts := map[string]map[bool]int{}
		for range number("CHECK_HISTORIES", 500) {
			h := randomTransactions(r, journal.List)
			for _, m := range breaking {
				changed := deepCopy(h)
				if !m.change(r, changed) {
					continue
				}
				if counts[m.name] == nil {
					counts[m.name] = map[bool]int{}
				}
				holds := hasSerialOrder(changed, true)
				counts[m.name][holds]++
				if disagrees(check.StrictlySerializable, holds, changed) {
					Fail(fmt.Sprintf("%s: it holds: %v, and the judge says %v\n%s", m.name, holds, check.StrictlySerializable(changed), told(changed)))
				}
			}
		}
		for _, m := range breaking {
			Expect(counts[m.name][false]).To(BeNumerically(">", 0), m.name)
		}
	})
})

func deepCopy(h history) history {
	c := slices.Clone(h)
	for i, e := range h {
		op := *e.Op
		op.Steps = slices.Clone(op.Steps)
		for j := range op.Steps {
			op.Steps[j].Got = slices.Clone(op.Steps[j].Got)
		}
		c[i].Op = &op
	}
	return c
}
