package check_test

import (
	"math/rand/v2"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// at is one step and its operation.
type at struct {
	journal.Step
	e journal.Event
}

func (a at) looks() bool { return a.Do == journal.Read }

// trusted tells whether what it read is known.
func (a at) trusted() bool {
	return a.looks() && a.e.Op.Outcome == ok && !a.e.Op.Unread && a.e.Op.Level != ""
}

func (a at) session() bool { return a.e.Op.Client != journal.Nobody && !a.e.Op.Final }

func stepsOn(h history, key string) []at {
	var all []at
	for _, e := range h {
		for _, s := range e.Op.Steps {
			if s.Key == key && e.Op.Outcome != failed {
				all = append(all, at{s, e})
			}
		}
	}
	return all
}

var sessionKeys = []string{"x", "y"}

// drawSession draws what three clients do to one or two objects of a model. Times of a
// client may overlap.
func drawSession(r *rand.Rand, model journal.Model) history {
	n := 3 + r.IntN(6)
	keys := sessionKeys[:1+r.IntN(2)]
	last := int64(0)
	apply := map[journal.Model]semantics{journal.List: setSemantics, journal.Set: setSemantics,
		journal.Counter: counterSemantics, journal.Register: registerSemantics}[model]
	step := func(key string) journal.Step {
		last++
		switch {
		case r.IntN(5) < 3:
			return journal.Step{Do: journal.Read, Key: key}
		case model == journal.List:
			return do(journal.Append, key, last)
		case model == journal.Set && r.IntN(3) == 0:
			return do(journal.Remove, key, 1+r.Int64N(last))
		case model == journal.Set:
			return do(journal.Add, key, last)
		case model == journal.Counter:
			return do(journal.Increment, key, 1+r.Int64N(3))
		case r.IntN(4) == 0:
			return journal.Step{Do: journal.CAS, Key: key, Old: 1 + r.Int64N(last), Value: last}
		case r.IntN(10) == 0:
			return do(journal.Write, key, 1+r.Int64N(last))
		}
		return do(journal.Write, key, last)
	}
	var h history
	for range n {
		steps := []journal.Step{step(keys[r.IntN(len(keys))])}
		if model == journal.List && r.IntN(2) == 0 {
			steps = append(steps, step(keys[r.IntN(len(keys))]))
		}
		e := drawOperation(r, n, model, steps...)
		if !e.Op.Final && e.Op.Client != journal.Nobody && r.IntN(8) > 0 {
			e.Op.Level, e.Op.Client = local, r.IntN(2)
			e.Took /= 4
		}
		h = append(h, e)
	}
	carryOut(r, h, map[bool]state{true: {"x": {0}, "y": {0}}, false: {}}[model == journal.Counter], apply)
	for range r.IntN(6) {
		spoil(r, h, func(got []int64) []int64 {
			switch {
			case model == journal.Counter && len(got) > 0:
				return []int64{max(0, got[0]+r.Int64N(5)-2)}
			case model == journal.Register || model == journal.Counter:
				return []int64{1 + r.Int64N(max(last, 1))}
			case len(got) == 0:
				return got
			}
			i := r.IntN(len(got))
			return slices.Delete(got, i, i+1)
		})
	}
	return h
}

func referenceMonotonicReads(h history) bool {
	for _, key := range sessionKeys {
		all := stepsOn(h, key)
		var sound bool
		switch h[0].Op.Model {
		case journal.Counter:
			sound = pairs(all, func(a, b at) bool {
				return !a.trusted() || !b.trusted() || len(a.Got) == 0 || len(b.Got) == 0 || a.Got[0] <= b.Got[0]
			})
		case journal.Register:
			sound = eachClient(all, func(mine []at) bool {
				return someOrder(all, func(older func(a, b int64) bool) bool {
					return pairs(mine, func(a, b at) bool {
						if !a.trusted() || !b.trusted() || len(a.Got) == 0 || !single(all, a.Got[0]) {
							return true
						}
						return len(b.Got) > 0 && !older(b.Got[0], a.Got[0])
					})
				})
			})
		default:
			sound = monotonicMembers(all)
		}
		if !sound {
			return false
		}
	}
	return true
}

func referenceOwnWrites(h history) bool {
	for _, key := range sessionKeys {
		all := stepsOn(h, key)
		sound := true
		switch h[0].Op.Model {
		case journal.Counter:
			for _, read := range all {
				own := int64(0)
				for _, a := range all {
					if a.session() && a.e.Op.Client == read.e.Op.Client && !a.looks() && a.e.Op.Outcome == ok && wholly(a.e, read.e) {
						own += a.Value
					}
				}
				if read.trusted() && read.session() && len(read.Got) == 1 && read.Got[0] < own {
					sound = false
				}
			}
		case journal.Register:
			sound = eachClient(all, func(mine []at) bool {
				return someOrder(all, func(older func(a, b int64) bool) bool {
					return pairs(mine, func(a, b at) bool {
						wrote := a.Do == journal.Write || a.Do == journal.CAS && slices.Equal(a.Got, []int64{1})
						if !wrote || a.e.Op.Outcome != ok || !b.trusted() || !single(all, a.Value) {
							return true
						}
						return len(b.Got) > 0 && !older(b.Got[0], a.Value)
					})
				})
			})
		default:
			sound = pairs(all, func(a, b at) bool {
				return a.looks() || a.e.Op.Outcome != ok || !b.trusted() || keepsMember(all, a, b)
			})
		}
		if !sound {
			return false
		}
	}
	return true
}

// closedReads judges every read that shows a write: whatever the writer knew before, as
// knew tells of two operations of a session, is shown as well.
func closedReads(h history, knew func(known, write at) []at) bool {
	var all []at
	for _, key := range sessionKeys {
		all = append(all, stepsOn(h, key)...)
	}
	for _, e := range h {
		for _, show := range e.Op.Steps {
			if s := (at{show, e}); !s.trusted() || e.Op.Outcome == failed {
				continue
			}
			for _, write := range all {
				adds := write.Do == journal.Add || write.Do == journal.Append
				if !adds || !write.session() || write.Key != show.Key || !slices.Contains(show.Got, write.Value) || same(write.e, e) {
					continue
				}
				for _, known := range all {
					if !known.session() || known.e.Op.Client != write.e.Op.Client {
						continue
					}
					for _, fact := range knew(known, write) {
						for _, look := range e.Op.Steps {
							if look.Do == journal.Read && look.Key == fact.Key && !keepsMember(stepsOn(h, fact.Key), fact, at{look, e}) {
								return false
							}
						}
					}
				}
			}
		}
	}
	return true
}

func same(a, b journal.Event) bool { return a.Op == b.Op }

func referenceMonotonicWrites(h history) bool {
	if h[0].Op.Model == journal.Counter {
		return countersAddUp(h, func(part, all []at) bool {
			for _, in := range part {
				for _, before := range all {
					if in.session() && before.session() && before.e.Op.Client == in.e.Op.Client && before.e.Op.Outcome == ok &&
						wholly(before.e, in.e) && !slices.ContainsFunc(part, func(p at) bool { return same(p.e, before.e) }) {
						return false
					}
				}
			}
			return true
		})
	}
	return h[0].Op.Model == journal.Register || closedReads(h, func(known, write at) []at {
		if known.looks() || known.e.Op.Outcome != ok || !wholly(known.e, write.e) {
			return nil
		}
		return []at{known}
	})
}

// countersAddUp tries all parts of the increments that had begun when a read ended.
func countersAddUp(h history, holds func(part, all []at) bool) bool {
	for _, key := range sessionKeys {
		all := stepsOn(h, key)
		var increments []at
		for _, a := range all {
			if !a.looks() {
				increments = append(increments, a)
			}
		}
		for _, read := range all {
			if !read.trusted() || len(read.Got) != 1 {
				continue
			}
			found := false
			for set := range 1 << len(increments) {
				var part []at
				sum := int64(0)
				begun := true
				for i, a := range increments {
					if set&(1<<i) != 0 {
						part, sum = append(part, a), sum+a.Value
						begun = begun && !wholly(read.e, a.e)
					}
				}
				found = found || begun && sum == read.Got[0] && holds(part, increments)
			}
			if !found {
				return false
			}
		}
	}
	return true
}

func referenceWritesFollowReads(h history) bool {
	switch h[0].Op.Model {
	case journal.Counter:
		for _, key := range sessionKeys {
			all := stepsOn(h, key)
			one := slices.DeleteFunc(slices.Clone(h), func(e journal.Event) bool { return e.Op.Steps[0].Key != key })
			if !countersAddUp(one, func(part, _ []at) bool {
				sum := int64(0)
				for _, a := range part {
					sum += a.Value
				}
				for _, a := range part {
					for _, read := range all {
						if read.trusted() && read.session() && a.session() && read.e.Op.Client == a.e.Op.Client && wholly(read.e, a.e) &&
							len(read.Got) == 1 && sum < read.Got[0]+a.Value {
							return false
						}
					}
				}
				return true
			}) {
				return false
			}
		}
		return true
	case journal.Register:
		for _, key := range sessionKeys {
			all := stepsOn(h, key)
			if someOrder(all, func(func(a, b int64) bool) bool { return true }) && !someOrder(all, func(older func(a, b int64) bool) bool {
				return pairs(all, func(a, b at) bool {
					return !a.trusted() || b.looks() || len(a.Got) == 0 || !older(b.Value, a.Got[0])
				})
			}) {
				return false
			}
		}
		return true
	}
	return closedReads(h, func(known, write at) []at {
		if !known.trusted() || !wholly(known.e, write.e) && !same(known.e, write.e) {
			return nil
		}
		var facts []at
		for _, v := range known.Got {
			facts = append(facts, at{do(journal.Add, known.Key, v), known.e})
		}
		return facts
	})
}
