package check_test

import (
	"errors"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

const (
	ok, failed, unknown = journal.OK, journal.Failed, journal.Unknown
	strong, local       = journal.Strong, journal.Local
)

// sound expects a history without fault, and broken one that breaks a rule.
func sound(judge func(history) error, h history) {
	GinkgoHelper()
	Expect(judge(h)).To(Succeed())
}

func broken(judge func(history) error, rule string, h history) {
	GinkgoHelper()
	err := judge(h)
	var v *check.Violation
	Expect(errors.As(err, &v)).To(BeTrue(), "%v", err)
	Expect(v.Rule).To(Equal(rule), err.Error())
	Expect(v.Events).NotTo(BeEmpty())
	Expect(err.Error()).To(ContainSubstring(rule + ": "))
}

// reg is an operation on the register x.
func reg(client, from, to int, outcome journal.Outcome, s journal.Step) journal.Event {
	return happened(client, from, to, outcome, journal.Register, strong, s)
}

var _ = Describe("Linearizable", func() {
	w := func(v int64) journal.Step { return do(journal.Write, "x", v) }

	DescribeTable("accepts", func(h history) { sound(check.Linearizable, h) },
		Entry("one after the other", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, read("x", 1)), reg(1, 4, 5, ok, w(2)), reg(2, 6, 7, ok, read("x", 2))}),
		Entry("a read of nothing before the first write", history{reg(1, 0, 1, ok, read("x")), reg(1, 2, 3, ok, w(1))}),
		Entry("reads of both values while a write is under way", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 9, ok, w(2)), reg(2, 3, 4, ok, read("x", 1)), reg(3, 5, 6, ok, read("x", 2))}),
		Entry("a write that took effect, though nobody knows", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)), reg(2, 8, 9, ok, read("x", 2))}),
		Entry("a write that never took effect, though nobody knows", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)), reg(2, 8, 9, ok, read("x", 1))}),
		Entry("an unknown write that takes effect long after", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)), reg(2, 4, 5, ok, read("x", 1)), reg(2, 8, 9, ok, read("x", 2))}),
		Entry("a compare that matches", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, cas("x", 1, 2, 1)), reg(2, 8, 9, ok, read("x", 2))}),
		Entry("a compare that does not", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, cas("x", 5, 2, 0)), reg(2, 8, 9, ok, read("x", 1))}),
		Entry("a compare that an unknown write made fail", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)), reg(2, 4, 5, ok, cas("x", 1, 3, 0)), reg(2, 6, 7, ok, w(4)), reg(2, 8, 9, ok, read("x", 4))}),
		Entry("an old read of a node's own state", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)), happened(2, 8, 9, ok, journal.Register, local, read("x", 1)), final(0, journal.Register, read("x", 2))}),
		Entry("a write that failed and is not there", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, failed, w(2)), reg(2, 4, 5, ok, read("x", 1))}),
	)

	DescribeTable("refuses", func(h history) { broken(check.Linearizable, "not linearizable", h) },
		Entry("a stale read", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)), reg(2, 4, 5, ok, read("x", 1))}),
		Entry("a read that goes back", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 20, ok, w(2)), reg(2, 4, 5, ok, read("x", 2)), reg(3, 6, 7, ok, read("x", 1))}),
		Entry("a lost write", history{reg(1, 0, 1, ok, w(1)), reg(2, 4, 5, ok, read("x"))}),
		Entry("a write that failed and is there", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, failed, w(2)), reg(2, 4, 5, ok, read("x", 2))}),
		Entry("two that both compared and set", history{reg(1, 0, 1, ok, w(1)), reg(2, 2, 3, ok, cas("x", 1, 2, 1)), reg(3, 4, 5, ok, cas("x", 1, 3, 1))}),
		Entry("an unknown write that is undone", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, unknown, w(2)), reg(2, 4, 5, ok, read("x", 2)), reg(2, 6, 7, ok, read("x", 1))}),
		Entry("nodes that differ in the end", history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)), final(0, journal.Register, read("x", 2)), final(1, journal.Register, read("x", 1))}),
	)

	It("says that it cannot tell, where there are too many ways to think of", func() {
		h := history{reg(0, 0, 1, ok, w(1))}
		for i := range 80 {
			h = append(h, reg(i, 2, 90, ok, w(int64(i/2))), reg(100+i, 2, 90, ok, read("x", int64(i/2))))
		}
		h = append(h, reg(0, 95, 96, ok, read("x", 7)), reg(0, 97, 98, ok, read("x", 8)))
		err := check.Linearizable(h)
		Expect(err).To(MatchError(check.ErrUndecided))
		Expect(err).To(MatchError(ContainSubstring("x: too many of its 163 operations are concurrent or have no outcome")))
		Expect(errors.As(err, new(*check.Violation))).To(BeFalse())
	})

	It("keeps porcupine's picture of it", func() {
		h := history{reg(1, 0, 1, ok, w(1)), reg(1, 2, 3, ok, w(2)), reg(2, 4, 5, ok, read("x", 1))}
		Expect(string(check.Picture(h))).To(And(ContainSubstring("<html"), ContainSubstring("read")))
		Expect(check.Picture(h[:2])).To(BeNil())
	})
})

var _ = Describe("Durable", func() {
	add := func(from int, outcome journal.Outcome, v int64) journal.Event {
		return happened(1, from, from+1, outcome, journal.Set, "", do(journal.Add, "s", v))
	}
	remove := func(from int, outcome journal.Outcome, v int64) journal.Event {
		return happened(1, from, from+1, outcome, journal.Set, "", do(journal.Remove, "s", v))
	}
	in := func(node int, values ...int64) journal.Event { return final(node, journal.Set, read("s", values...)) }

	DescribeTable("accepts", func(h history) { sound(check.Durable, h) },
		Entry("what was acknowledged", history{add(0, ok, 1), add(2, ok, 2), in(0, 1, 2), in(1, 2, 1)}),
		Entry("what nobody knows of, there or not", history{add(0, ok, 1), add(2, unknown, 2), add(4, unknown, 3), in(0, 1, 2)}),
		Entry("what was removed, and is gone", history{add(0, ok, 1), remove(2, ok, 1), add(4, ok, 2), in(0, 2)}),
		Entry("what may have been removed", history{add(0, ok, 1), remove(2, unknown, 1), in(0)}),
		Entry("what may have been removed, and was not", history{add(0, ok, 1), remove(2, unknown, 1), in(0, 1)}),
		Entry("a strong read beside an add", history{add(0, ok, 1), happened(2, 0, 5, ok, journal.Set, strong, read("s")), in(0, 1)}),
	)

	DescribeTable("refuses", func(rule string, h history) { broken(check.Durable, rule, h) },
		Entry("an acknowledged write that is lost on one node", "acknowledged and lost", history{add(0, ok, 1), add(2, ok, 2), in(0, 1, 2), in(1, 1)}),
		Entry("a failed write that is there", "failed and there", history{add(0, ok, 1), add(2, failed, 2), in(0, 1, 2)}),
		Entry("a deleted row that came back", "removed and there", history{add(0, ok, 1), remove(2, ok, 1), in(0, 1)}),
		Entry("a row that nobody wrote", "out of nothing", history{add(0, ok, 1), in(0, 1, 7)}),
		Entry("a row that is there twice", "applied twice", history{add(0, ok, 1), in(0, 1, 1)}),
		Entry("a strong read that misses what was acknowledged", "acknowledged and lost", history{add(0, ok, 1), happened(2, 4, 5, ok, journal.Set, strong, read("s")), in(0, 1)}),
		Entry("an append that is lost", "acknowledged and lost", history{happened(1, 0, 1, ok, journal.List, "", do(journal.Append, "l", 1)), final(0, journal.List, read("l"))}),
		Entry("a name that is lost", "acknowledged and lost", history{happened(1, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1)), final(0, journal.Unique, read("n"))}),
	)

	It("proves nothing without a final read", func() {
		Expect(check.Durable(history{add(0, ok, 1)})).To(MatchError(check.ErrNothing))
	})
})

// txn is a transaction over lists.
func txn(from, to int, outcome journal.Outcome, steps ...journal.Step) journal.Event {
	return happened(from, from, to, outcome, journal.List, strong, steps...)
}

var _ = Describe("Serializable", func() {
	x := func(v int64) journal.Step { return do(journal.Append, "x", v) }
	y := func(v int64) journal.Step { return do(journal.Append, "y", v) }

	DescribeTable("accepts", func(h history) {
		sound(check.Serializable, h)
		sound(check.StrictlySerializable, h)
	},
		Entry("one after the other", history{txn(0, 1, ok, x(1), y(1)), txn(2, 3, ok, read("x", 1), read("y", 1), x(2)), txn(4, 5, ok, read("x", 1, 2))}),
		Entry("transactions that see their own", history{txn(0, 1, ok, x(1), read("x", 1), x(2), read("x", 1, 2)), txn(2, 3, ok, read("x", 1, 2))}),
		Entry("what nobody knows of and somebody saw", history{txn(0, 1, unknown, x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("what nobody knows of and nobody saw", history{txn(0, 1, ok, x(1)), txn(0, 1, unknown, x(2)), txn(2, 3, ok, read("x", 1))}),
		Entry("two at once, in either order", history{txn(0, 9, ok, x(1)), txn(0, 9, ok, x(2)), txn(10, 11, ok, read("x", 2, 1))}),
		Entry("an old read of a node's own state", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(2)), happened(9, 5, 6, ok, journal.List, local, read("x", 1)), txn(7, 8, ok, read("x", 1, 2))}),
	)

	DescribeTable("refuses the textbook's anomalies, by name", func(rule string, h history) {
		broken(check.Serializable, rule, h)
		broken(check.StrictlySerializable, rule, h)
	},
		Entry("dirty write", "G0, dirty write", history{
			txn(0, 9, ok, x(1), y(1)), txn(0, 9, ok, x(2), y(2)), txn(10, 11, ok, read("x", 1, 2), read("y", 2, 1))}),
		Entry("aborted read", "G1a, aborted read", history{txn(0, 1, failed, x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("intermediate read", "G1b, intermediate read", history{
			txn(0, 9, ok, x(1), x(2)), txn(3, 4, ok, read("x", 1)), txn(10, 11, ok, read("x", 1, 2))}),
		Entry("cyclic information flow", "G1c, cyclic information flow", history{
			txn(0, 9, ok, x(1), read("y", 2)), txn(0, 9, ok, y(2), read("x", 1)), txn(10, 11, ok, read("x", 1), read("y", 2))}),
		Entry("read skew", "G-single, read skew", history{
			txn(0, 9, ok, x(1), y(1)), txn(0, 9, ok, read("x", 1), read("y")), txn(10, 11, ok, read("x", 1), read("y", 1))}),
		Entry("lost update", "G-single, lost update", history{
			txn(0, 9, ok, read("x"), x(1)), txn(0, 9, ok, read("x"), x(2)), txn(10, 11, ok, read("x", 1, 2))}),
		Entry("write skew", "G2, write skew", history{
			txn(0, 9, ok, read("x"), y(1)), txn(0, 9, ok, read("y"), x(2)), txn(10, 11, ok, read("x", 2), read("y", 1))}),
		Entry("half a pair, in a node's own state", "G-single, read skew", history{
			txn(0, 9, ok, x(1), y(1)), happened(9, 3, 4, ok, journal.List, local, read("x", 1), read("y")), txn(10, 11, ok, read("x", 1), read("y", 1))}),
		Entry("orders that exclude each other", "incompatible orders", history{
			txn(0, 1, ok, x(1)), txn(0, 1, ok, x(2)), txn(2, 3, ok, read("x", 1, 2)), txn(2, 3, ok, read("x", 2, 1))}),
		Entry("not seeing oneself", "internal", history{txn(0, 1, ok, x(1), read("x"))}),
		Entry("seeing what one has yet to do", "internal", history{txn(0, 1, ok, read("x", 1), x(1)), txn(2, 3, ok, read("x", 1))}),
		Entry("the same twice", "duplicate", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, read("x", 1, 1))}),
		Entry("what nobody wrote", "out of nothing", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, read("x", 9))}),
	)

	DescribeTable("lets time pass, unless it is to be strict", func(rule string, h history) {
		sound(check.Serializable, h)
		broken(check.StrictlySerializable, rule, h)
	},
		Entry("for a stale read", "G-single-realtime, stale read", history{txn(0, 1, ok, x(1)), txn(4, 5, ok, read("x"))}),
		Entry("for a read that another read had overtaken", "G-single-realtime, stale read", history{
			txn(0, 1, ok, x(1)), txn(0, 30, ok, x(2)), txn(4, 5, ok, read("x", 1, 2)), txn(6, 7, ok, read("x", 1))}),
		Entry("for orders that time excludes", "G0-realtime, dirty write", history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(2)), txn(4, 5, ok, read("x", 2, 1))}),
	)

	It("cannot judge values that are not unique", func() {
		Expect(check.Serializable(history{txn(0, 1, ok, x(1)), txn(2, 3, ok, x(1))})).To(MatchError(ContainSubstring("cannot be judged")))
	})

	It("tells the cycle in sentences", func() {
		err := check.Serializable(history{txn(0, 9, ok, read("x"), x(1)), txn(0, 9, ok, read("x"), x(2)), txn(10, 11, ok, read("x", 1, 2))})
		Expect(err).To(MatchError(And(ContainSubstring("T2 did not see in x what T1 appended, 1"), ContainSubstring("T2 appended 2 to x after T1 had appended 1"))))
	})
})

var _ = Describe("Total", func() {
	look := func(at int, level journal.Level, a, b int64) journal.Event {
		return happened(1, at, at+1, ok, journal.Bank, level, read("a", a), read("b", b))
	}
	move := happened(2, 2, 3, ok, journal.Bank, "", do(journal.Increment, "b", 60), do(journal.Increment, "a", -60))
	It("accepts transfers", func() {
		sound(check.Total, history{look(0, strong, 100, 100), move, look(4, strong, 40, 160), look(6, local, 100, 100)})
	})
	It("refuses a transfer that was acknowledged and lost", func() {
		broken(check.Total, "balances out of order", history{look(0, strong, 100, 100), move, look(4, strong, 100, 100)})
	})
	It("refuses money that is wrong from the first read on", func() {
		open := happened(2, -2, -1, ok, journal.Bank, "", do(journal.Write, "a", 100), do(journal.Write, "b", 100))
		broken(check.Total, "the total changed", history{open, look(0, strong, 100, 90), look(4, strong, 100, 90)})
	})
	It("refuses an account that vanished", func() {
		gone := happened(1, 4, 5, ok, journal.Bank, strong, read("a", 100), read("b"))
		broken(check.Total, "balances out of order", history{look(0, strong, 100, 100), gone})
	})
	It("cannot judge transfers that make money", func() {
		made := happened(2, 1, 3, ok, journal.Bank, "", do(journal.Increment, "b", 60))
		Expect(check.Total(history{look(0, strong, 100, 100), made})).To(MatchError(check.ErrInvalid))
	})
	It("refuses a total that changed", func() {
		broken(check.Total, "the total changed", history{look(0, strong, 100, 100), look(2, local, 40, 100)})
	})
	It("refuses a negative balance", func() {
		broken(check.Total, "a negative balance", history{look(0, strong, 100, 100), look(2, local, -1, 201)})
	})
})

var _ = Describe("Counted", func() {
	inc := func(from, to int, outcome journal.Outcome, by int64) journal.Event {
		return happened(1, from, to, outcome, journal.Counter, "", do(journal.Increment, "c", by))
	}
	at := func(from int, n int64) journal.Event {
		return happened(2, from, from+1, ok, journal.Counter, strong, read("c", n))
	}
	DescribeTable("accepts", func(h history) { sound(check.Counted, h) },
		Entry("the sum", history{inc(0, 1, ok, 1), inc(2, 3, ok, 2), at(4, 3), final(0, journal.Counter, read("c", 3))}),
		Entry("what may have been added", history{inc(0, 1, ok, 1), inc(2, 3, unknown, 2), at(4, 1), at(6, 3)}),
		Entry("what is being added", history{inc(0, 1, ok, 1), inc(2, 30, ok, 2), at(4, 1), at(6, 3)}),
	)
	DescribeTable("refuses", func(h history) { broken(check.Counted, "miscounted", h) },
		Entry("a lost update", history{inc(0, 1, ok, 1), inc(0, 1, ok, 1), at(4, 1)}),
		Entry("one that was applied twice", history{inc(0, 1, ok, 1), at(4, 2)}),
		Entry("one that failed and was applied", history{inc(0, 1, ok, 1), inc(2, 3, failed, 1), final(1, journal.Counter, read("c", 2))}),
		Entry("a stale read", history{inc(0, 1, ok, 1), at(4, 0)}),
	)
})

var _ = Describe("OnlyOnce", func() {
	insert := func(client int, outcome journal.Outcome) journal.Event {
		return happened(client, 0, 1, outcome, journal.Unique, "", do(journal.Insert, "names", 7))
	}
	It("accepts one owner, and those who were refused", func() {
		sound(check.OnlyOnce, history{insert(1, ok), insert(2, failed), insert(3, unknown)})
	})
	It("refuses two owners", func() { broken(check.OnlyOnce, "taken twice", history{insert(1, ok), insert(2, ok)}) })
})

var _ = Describe("Sessions", func() {
	list := func(client, from int, s journal.Step) journal.Event {
		return happened(client, from, from+1, ok, journal.List, strong, s)
	}
	It("may differ between clients", func() {
		h := history{list(1, 0, do(journal.Append, "l", 1)), list(1, 2, read("l", 1)), list(2, 4, read("l"))}
		sound(check.Monotonic, h)
		sound(check.OwnWrites, h)
	})
	It("do not go back", func() {
		broken(check.Monotonic, "not monotonic", history{list(1, 0, read("l", 1)), list(1, 2, read("l"))})
	})
	It("see their own writes", func() {
		broken(check.OwnWrites, "own write not seen", history{list(1, 0, do(journal.Append, "l", 1)), list(1, 2, read("l"))})
	})
	It("may miss a write of their own that was removed", func() {
		s := func(client, from, to int, s journal.Step) journal.Event {
			return happened(client, from, to, ok, journal.Set, strong, s)
		}
		sound(check.OwnWrites, history{s(1, 0, 1, do(journal.Add, "s", 1)), s(1, 2, 9, read("s")), s(2, 3, 4, do(journal.Remove, "s", 1))})
	})
})

var _ = Describe("Converged", func() {
	digest := func(at, node int, index uint64, sum string) journal.Event {
		return journal.Event{At: begun.Add(time.Duration(at)), Kind: journal.Check, Node: node, State: &journal.State{Applied: index, Digest: sum}}
	}
	It("accepts nodes that became one", func() {
		sound(check.Converged, history{digest(0, 0, 5, "a"), digest(1, 1, 6, "b"), digest(2, 0, 6, "b"), digest(3, 1, 6, "b")})
	})
	It("refuses nodes that differ at one index", func() {
		broken(check.Converged, "diverged", history{digest(0, 0, 5, "a"), digest(1, 1, 5, "b")})
	})
	It("refuses nodes that end apart", func() {
		broken(check.Converged, "not converged", history{digest(0, 0, 5, "a"), digest(1, 1, 6, "b")})
	})
})

var _ = Describe("OneLeader", func() {
	shown := func(node int, role string, term uint64) journal.Event {
		return journal.Event{At: begun, Kind: journal.Shown, Node: node, State: &journal.State{Role: role, Term: term}}
	}
	It("accepts one a term", func() {
		sound(check.OneLeader, history{shown(0, "leader", 1), shown(0, "leader", 1), shown(1, "leader", 2), shown(2, "follower", 2)})
	})
	It("refuses two in one", func() {
		broken(check.OneLeader, "two leaders", history{shown(0, "leader", 1), shown(1, "leader", 1)})
	})
})

var _ = Describe("A history in which nothing happened", func() {
	for name, judge := range map[string]func(history) error{
		"Linearizable": check.Linearizable, "Durable": check.Durable, "Serializable": check.Serializable, "Total": check.Total,
		"Counted": check.Counted, "OnlyOnce": check.OnlyOnce, "Monotonic": check.Monotonic, "OwnWrites": check.OwnWrites,
		"Converged": check.Converged, "OneLeader": check.OneLeader, "All": check.All,
		"Available": func(h history) error { return check.Available(h, time.Hour) },
	} {
		It("is no proof for "+name, func() {
			Expect(judge(nil)).To(MatchError(check.ErrNothing))
			Expect(judge(history{{At: begun, Kind: journal.Note}})).To(MatchError(check.ErrNothing))
		})
	}

	It("is judged by what there is", func() {
		h := history{happened(1, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1)), happened(2, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1))}
		Expect(check.All(h)).To(MatchError(ContainSubstring("taken twice")))
	})
})

var _ = Describe("Histories that are simulated, and so are right", func() {
	It("are never accused", func() {
		for seed := range uint64(60) {
			h := simulated(rand.New(rand.NewPCG(seed, 1)), 8, 300, 3)
			Expect(check.Linearizable(h)).To(Succeed(), "seed %d", seed)
		}
	})

	It("are accused when one read is changed to what was overwritten long ago", func() {
		for seed := range uint64(30) {
			h := simulated(rand.New(rand.NewPCG(seed, 1)), 8, 300, 1)
			for i := len(h) - 1; ; i-- {
				if s := &h[i].Op.Steps[0]; s.Do == journal.Read && len(s.Got) == 1 {
					s.Got = []int64{}
					break
				}
			}
			Expect(check.Linearizable(h)).NotTo(Succeed(), "seed %d", seed)
		}
	})
})
