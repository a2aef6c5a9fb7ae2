package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// tale is an invented history.
type tale []journal.Event

var onceUpon = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// op is an operation of a client, from one millisecond to another.
func op(client, from, to int, outcome journal.Outcome, model journal.Model, level journal.Level, steps ...journal.Step) journal.Event {
	return journal.Event{At: onceUpon.Add(time.Duration(from) * time.Millisecond), Took: time.Duration(to-from) * time.Millisecond,
		Kind: journal.Operation, Node: journal.None, Op: &journal.Op{Client: client, Outcome: outcome, Model: model, Level: level,
			Steps: steps}}
}

// did is an operation that succeeded.
func did(client, from, to int, model journal.Model, steps ...journal.Step) journal.Event {
	return op(client, from, to, journal.OK, model, journal.Strong, steps...)
}

// inTheEnd is the final state of a node.
func inTheEnd(node int, model journal.Model, key string, got ...int64) journal.Event {
	e := op(journal.None, 1000+node, 1001+node, journal.OK, model, journal.Local, saw(key, got...))
	e.Node, e.Op.Final = node, true
	return e
}

func saw(key string, got ...int64) journal.Step {
	if got == nil {
		got = []int64{}
	}
	return journal.Step{Do: journal.Read, Key: key, Got: got}
}

func doing(do journal.Do, key string, value int64) journal.Step {
	return journal.Step{Do: do, Key: key, Value: value}
}

// showing is an event with the state of a node.
func showing(kind journal.Kind, node, at int, state journal.State) journal.Event {
	return journal.Event{At: onceUpon.Add(time.Duration(at) * time.Millisecond), Kind: kind, Node: node, State: &state}
}

// judging are specs about the checkers of histories. Each is given a sound history, and one
// that differs from it only in what the rule forbids.
func judging() {
	Describe("A checker of histories", Label("suite:judging"), func() {
		const a, r, inc = journal.Append, journal.Write, journal.Increment
		const reg, list, set, bank = journal.Register, journal.List, journal.Set, journal.Bank
		const counter, unique, many = journal.Counter, journal.Unique, journal.Registers
		opened := did(1, 0, 1, bank, doing(r, "x", 10), doing(r, "y", 10))
		leads := func(node, at int, term uint64) journal.Event {
			return showing(journal.Shown, node, at, journal.State{Health: "online", Role: "leader", Term: term})
		}
		holds := func(node, at int, sum string) journal.Event {
			return showing(journal.Check, node, at, journal.State{Applied: 9, Digest: sum})
		}

		cases := []struct {
			what          string
			judge         func() types.GomegaMatcher
			sound, broken tale
		}{
			{"a write that is not visible", BeLinearizable,
				tale{did(1, 0, 1, reg, doing(r, "k", 1)), did(2, 2, 3, reg, saw("k", 1))},
				tale{did(1, 0, 1, reg, doing(r, "k", 1)), did(2, 2, 3, reg, saw("k"))}},
			{"a register that goes back", BeLinearizable,
				tale{did(1, 0, 9, reg, doing(r, "k", 1)), did(2, 2, 3, reg, saw("k")), did(3, 4, 5, reg, saw("k", 1))},
				tale{did(1, 0, 9, reg, doing(r, "k", 1)), did(2, 2, 3, reg, saw("k", 1)), did(3, 4, 5, reg, saw("k"))}},
			{"a failed write that is visible", BeLinearizable,
				tale{op(1, 0, 1, journal.Unknown, reg, journal.Strong, doing(r, "k", 1)), did(2, 2, 3, reg, saw("k", 1))},
				tale{op(1, 0, 1, journal.Failed, reg, journal.Strong, doing(r, "k", 1)), did(2, 2, 3, reg, saw("k", 1))}},
			{"a compare-and-swap on another value", BeLinearizable,
				tale{did(1, 0, 1, reg, doing(r, "k", 1)),
					did(2, 2, 3, reg, journal.Step{Do: journal.CAS, Key: "k", Old: 1, Value: 2, Got: []int64{1}}), did(1, 4, 5, reg, saw("k", 2))},
				tale{did(1, 0, 1, reg, doing(r, "k", 1)),
					did(2, 2, 3, reg, journal.Step{Do: journal.CAS, Key: "k", Old: 3, Value: 2, Got: []int64{1}}), did(1, 4, 5, reg, saw("k", 2))}},
			{"a list without an acknowledged element", BeDurable,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), inTheEnd(0, list, "l", 1), inTheEnd(1, list, "l", 1)},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), inTheEnd(0, list, "l", 1), inTheEnd(1, list, "l")}},
			{"a set without an acknowledged element", BeDurable,
				tale{did(1, 0, 1, set, doing(journal.Add, "s", 1)), inTheEnd(0, set, "s", 1)},
				tale{did(1, 0, 1, set, doing(journal.Add, "s", 1)), inTheEnd(0, set, "s")}},
			{"a set with an element whose insert failed", BeDurable,
				tale{op(1, 0, 1, journal.Unknown, set, "", doing(journal.Add, "s", 1)), inTheEnd(0, set, "s", 1)},
				tale{op(1, 0, 1, journal.Failed, set, "", doing(journal.Add, "s", 1)), inTheEnd(0, set, "s", 1)}},
			{"a set with a removed element", BeDurable,
				tale{did(1, 0, 1, set, doing(journal.Add, "s", 1)), did(1, 2, 3, set, doing(journal.Remove, "s", 1)), inTheEnd(0, set, "s")},
				tale{did(1, 0, 1, set, doing(journal.Add, "s", 1)), did(1, 2, 3, set, doing(journal.Remove, "s", 1)), inTheEnd(0, set, "s", 1)}},
			{"a dirty read", BeReadCommitted,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 2, 3, list, saw("l", 1))},
				tale{op(1, 0, 1, journal.Failed, list, journal.Strong, doing(a, "l", 1)), did(2, 2, 3, list, saw("l", 1))}},
			{"an intermediate read", BeReadCommitted,
				tale{did(1, 0, 1, list, doing(a, "l", 1), doing(a, "l", 2)), did(2, 2, 3, list, saw("l", 1, 2))},
				tale{did(1, 0, 9, list, doing(a, "l", 1), doing(a, "l", 2)), did(2, 2, 3, list, saw("l", 1))}},
			{"a lost update", BeSnapshotIsolated,
				tale{did(1, 0, 9, list, saw("l"), doing(a, "l", 1)), did(2, 10, 11, list, saw("l", 1), doing(a, "l", 2)),
					did(3, 12, 13, list, saw("l", 1, 2))},
				tale{did(1, 0, 9, list, saw("l"), doing(a, "l", 1)), did(2, 0, 9, list, saw("l"), doing(a, "l", 2)),
					did(3, 10, 11, list, saw("l", 1, 2))}},
			{"a write skew", BeSerializable,
				tale{did(1, 0, 9, list, saw("x"), doing(a, "y", 1)), did(2, 0, 9, list, saw("y", 1), doing(a, "x", 2)),
					did(3, 10, 11, list, saw("x", 2), saw("y", 1))},
				tale{did(1, 0, 9, list, saw("x"), doing(a, "y", 1)), did(2, 0, 9, list, saw("y"), doing(a, "x", 2)),
					did(3, 10, 11, list, saw("x", 2), saw("y", 1))}},
			{"a fractured read", BeRepeatableRead,
				tale{did(1, 0, 9, list, doing(a, "x", 1), doing(a, "y", 1)), did(2, 0, 9, list, saw("x", 1), saw("y", 1))},
				tale{did(1, 0, 9, list, doing(a, "x", 1), doing(a, "y", 1)), did(2, 0, 9, list, saw("x", 1), saw("y"))}},
			{"a stale strong read", BeStrictlySerializable,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 2, 3, list, saw("l", 1)), did(3, 4, 5, list, saw("l", 1))},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 2, 3, list, saw("l")), did(3, 4, 5, list, saw("l", 1))}},
			{"a list in two orders", BeStrictlySerializable,
				tale{did(1, 0, 9, list, doing(a, "l", 1)), did(2, 0, 9, list, doing(a, "l", 2)), did(3, 10, 11, list, saw("l", 2, 1)),
					did(4, 12, 13, list, saw("l", 2, 1))},
				tale{did(1, 0, 9, list, doing(a, "l", 1)), did(2, 0, 9, list, doing(a, "l", 2)), did(3, 10, 11, list, saw("l", 2, 1)),
					did(4, 12, 13, list, saw("l", 1, 2))}},
			{"a fractured read of registers", BeSerializable,
				tale{did(1, 0, 9, many, doing(r, "x", 1), doing(r, "y", 1)), did(2, 0, 9, many, saw("x", 1), saw("y", 1))},
				tale{did(1, 0, 9, many, doing(r, "x", 1), doing(r, "y", 1)), did(2, 0, 9, many, saw("x", 1), saw("y"))}},
			{"lost money", KeepTheTotal,
				tale{opened, did(1, 2, 3, bank, doing(inc, "x", -3), doing(inc, "y", 3)), did(2, 4, 5, bank, saw("x", 7), saw("y", 13))},
				tale{opened, did(1, 2, 3, bank, doing(inc, "x", -3), doing(inc, "y", 3)), did(2, 4, 5, bank, saw("x", 7), saw("y", 10))}},
			{"an overdrawn account", KeepTheTotal,
				tale{opened, did(1, 2, 3, bank, doing(inc, "x", -10), doing(inc, "y", 10)), did(2, 4, 5, bank, saw("x", 0), saw("y", 20))},
				tale{opened, did(1, 2, 3, bank, doing(inc, "x", -11), doing(inc, "y", 11)), did(2, 4, 5, bank, saw("x", -1), saw("y", 21))}},
			{"a counter that is too high", CountRight,
				tale{did(1, 0, 1, counter, doing(inc, "c", 1)), did(1, 2, 3, counter, doing(inc, "c", 1)), did(2, 4, 5, counter, saw("c", 2))},
				tale{did(1, 0, 1, counter, doing(inc, "c", 1)), did(2, 4, 5, counter, saw("c", 2))}},
			{"a counter that is too low", CountRight,
				tale{did(1, 0, 1, counter, doing(inc, "c", 1)), did(2, 4, 5, counter, saw("c", 1))},
				tale{did(1, 0, 1, counter, doing(inc, "c", 1)), did(2, 4, 5, counter, saw("c", 0))}},
			{"a name given twice", GiveOnlyOnce,
				tale{did(1, 0, 1, unique, doing(journal.Insert, "n", 1)), op(2, 0, 1, journal.Failed, unique, "", doing(journal.Insert, "n", 1))},
				tale{did(1, 0, 1, unique, doing(journal.Insert, "n", 1)), did(2, 0, 1, unique, doing(journal.Insert, "n", 1))}},
			{"a session that goes back", BeMonotonic,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 0, 1, list, saw("l")), did(2, 2, 3, list, saw("l", 1))},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 0, 1, list, saw("l", 1)), did(2, 2, 3, list, saw("l"))}},
			{"a session without its own write", ShowOwnWrites,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(1, 2, 3, list, saw("l", 1))},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(1, 2, 3, list, saw("l"))}},
			{"writes of a session out of order", KeepWritesMonotonic,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(1, 2, 3, list, doing(a, "l", 2)), did(2, 4, 5, list, saw("l", 1, 2))},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(1, 2, 3, list, doing(a, "l", 2)), did(2, 4, 5, list, saw("l", 2, 1))}},
			{"a write ordered before what its client had read", LetWritesFollowReads,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 2, 3, list, saw("l", 1)), did(2, 4, 5, list, doing(a, "l", 2)),
					did(3, 6, 7, list, saw("l", 1, 2))},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), did(2, 2, 3, list, saw("l", 1)), did(2, 4, 5, list, doing(a, "l", 2)),
					did(3, 6, 7, list, saw("l", 2, 1))}},
			{"an outage", func() types.GomegaMatcher { return BeAvailable(50 * time.Millisecond) },
				tale{did(1, 0, 1, list, doing(a, "l", 1)), op(1, 2, 3, journal.Failed, list, "", doing(a, "l", 2)),
					did(1, 40, 41, list, doing(a, "l", 3))},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), op(1, 2, 3, journal.Failed, list, "", doing(a, "l", 2)),
					did(1, 90, 91, list, doing(a, "l", 3))}},
			{"diverged nodes", HaveConverged,
				tale{holds(0, 1, "x"), holds(1, 2, "x"), holds(2, 3, "x")},
				tale{holds(0, 1, "x"), holds(1, 2, "x"), holds(2, 3, "y")}},
			{"nodes at different log indexes", HaveConverged,
				tale{holds(0, 1, "x"), holds(1, 2, "x"), showing(journal.Check, 2, 3, journal.State{Applied: 8, Digest: "w"}), holds(2, 4, "x")},
				tale{holds(0, 1, "x"), holds(1, 2, "x"), showing(journal.Check, 2, 3, journal.State{Applied: 8, Digest: "w"})}},
			{"a set that differs on the first node", BeDurable,
				tale{did(1, 0, 1, set, doing(journal.Add, "s", 1)), inTheEnd(0, set, "s", 1), inTheEnd(1, set, "s", 1), inTheEnd(2, set, "s", 1)},
				tale{did(1, 0, 1, set, doing(journal.Add, "s", 1)), inTheEnd(0, set, "s"), inTheEnd(1, set, "s", 1), inTheEnd(2, set, "s", 1)}},
			{"a lost name", BeDurable,
				tale{did(1, 0, 1, unique, doing(journal.Insert, "n", 1)), did(1, 2, 3, unique, doing(journal.Insert, "n", 2)),
					inTheEnd(0, unique, "n", 1, 2)},
				tale{did(1, 0, 1, unique, doing(journal.Insert, "n", 1)), did(1, 2, 3, unique, doing(journal.Insert, "n", 2)),
					inTheEnd(0, unique, "n", 2)}},
			{"a list with an element that was never written", BeDurable,
				tale{did(1, 0, 1, list, doing(a, "l", 1)), inTheEnd(0, list, "l", 1)},
				tale{did(1, 0, 1, list, doing(a, "l", 1)), inTheEnd(0, list, "l", 1, 7)}},
			{"two leaders in one term", HaveOneLeaderATerm,
				tale{leads(0, 1, 2), leads(1, 2, 3), leads(2, 3, 4)},
				tale{leads(0, 1, 2), leads(1, 2, 3), leads(2, 3, 2)}},
		}

		// apart are cases that KeepEveryPromise does not include.
		apart := map[string]bool{"an outage": true}

		It("accepts sound histories and rejects broken ones", func() {
			for _, c := range cases {
				holds, err := c.judge().Match([]journal.Event(c.sound))
				Expect(err).NotTo(HaveOccurred(), c.what)
				Expect(holds).To(BeTrue(), "the sound history for %s", c.what)
				holds, err = c.judge().Match([]journal.Event(c.broken))
				Expect(err).NotTo(HaveOccurred(), c.what)
				Expect(holds).To(BeFalse(), "%s was not found", c.what)
				if whole := KeepEveryPromise(); !apart[c.what] {
					Expect(whole.Match([]journal.Event(c.broken))).To(BeFalse(), "%s, by all rules", c.what)
				}
				Expect(Keep("no such rule").Match([]journal.Event(c.sound))).Error().To(HaveOccurred())
			}
			for _, rule := range check.Rules() {
				Expect(rule.Judge(nil).Err()).To(MatchError(check.ErrNothing), rule.Name)
			}
			for _, c := range cases {
				_, err := c.judge().Match([]journal.Event{{At: onceUpon, Kind: journal.Note}})
				Expect(err).To(MatchError(check.ErrNothing), "an empty history is accepted for %s", c.what)
			}
		})

		It("works on long journals, and refuses a journal with a gap", func() {
			for _, c := range cases {
				j := journal.New(0)
				for i := range 500 {
					j.Record(op(100, i, i+1, journal.OK, "", "", []journal.Step{}...))
				}
				for _, e := range c.broken {
					j.Record(e)
				}
				Expect(c.judge().Match(j)).To(BeFalse(), c.what)
			}
			j := journal.New(2)
			for i := range 5 {
				j.Record(did(1, 2*i, 2*i+1, list, doing(a, "l", int64(i))))
			}
			Expect(BeStrictlySerializable().Match(j)).Error().To(HaveOccurred())
		})
	})

	Describe("A matcher of rows", Label("suite:judging"), func() {
		It("matches exactly these rows, in this order, on each node", func() {
			answer := func(node int, rows ...[]any) harness.Result {
				columns := []string{"a", "b"}
				table := harness.Table{Rows: rows}
				for _, name := range columns {
					table.Columns = append(table.Columns, target.Column{Name: name})
				}
				return harness.Result{Node: node, ID: "n", Tables: []harness.Table{table}}
			}
			first, second := []any{int64(1), "x"}, []any{int64(2), nil}
			Expect(answer(0, first, second)).To(HaveRows(Row(1, "x"), Row(2, nil)))
			for what, other := range map[string]types.GomegaMatcher{
				"another order":     HaveRows(Row(2, nil), Row(1, "x")),
				"a row less":        HaveRows(Row(1, "x")),
				"a row more":        HaveRows(Row(1, "x"), Row(2, nil), Row(2, nil)),
				"no rows":           HaveRows(),
				"an empty text":     HaveRows(Row(1, "x"), Row(2, "")),
				"a float":           HaveRows(Row(1.0, "x"), Row(2, nil)),
				"a text":            HaveRows(Row("1", "x"), Row(2, nil)),
				"a blob":            HaveRows(Row(1, []byte("x")), Row(2, nil)),
				"another last":      HaveRows(Row(1, "x"), Row(3, nil)),
				"another column":    HaveRows(Row(1, "y"), Row(2, nil)),
				"a column less":     HaveRows(Row(1), Row(2)),
				"a column more":     HaveRows(Row(1, "x", nil), Row(2, nil, nil)),
				"a matcher's value": HaveRows(Row(BeEquivalentTo(2), "x"), Row(2, nil)),
			} {
				Expect(other.Match(answer(0, first, second))).To(BeFalse(), what)
			}
			all := []harness.Result{answer(0, first), answer(1, first), answer(2, first)}
			Expect(all).To(HaveRows(Row(1, "x")))
			for i := range all {
				different := append([]harness.Result(nil), all...)
				different[i] = answer(i, second)
				Expect(HaveRows(Row(1, "x")).Match(different)).To(BeFalse(), "node %d", i)
				different[i] = answer((i+1)%len(all), first)
				Expect(HaveRows(Row(1, "x")).Match(different)).To(BeFalse(), "a node answered twice")
			}
			Expect(HaveRows().Match([]harness.Result{})).Error().To(HaveOccurred())
		})
	})
}
