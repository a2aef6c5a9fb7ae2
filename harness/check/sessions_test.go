package check_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

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
	at := func(client, from int, level journal.Level, steps ...journal.Step) journal.Event {
		return happened(client, from, from+1, ok, journal.List, level, steps...)
	}
	rule := func(i int, levels ...journal.Level) func(history) error {
		return func(h history) error { return check.Sessions(levels...)[i].Judge(h).Err() }
	}
	It("judge reads that may be stale only if asked to", func() {
		h := history{at(9, 0, "", do(journal.Append, "x", 1)), at(1, 2, local, read("x", 1)), at(1, 4, local, read("x"))}
		Expect(check.Monotonic(h)).To(MatchError(check.ErrNothing))
		broken(rule(0, local), "not monotonic", h)
		sound(rule(1, local), append(h, at(9, 6, local, read("x", 1))))
	})
	It("show the writes of a client in its order", func() {
		h := history{at(1, 0, "", do(journal.Append, "x", 1)), at(1, 2, "", do(journal.Append, "y", 2))}
		sound(rule(2, local), append(h, at(2, 4, local, read("y"), read("x", 1))))
		broken(rule(2, local), "writes not monotonic", append(h, at(2, 4, local, read("y", 2), read("x"))))
		broken(check.MonotonicWrites, "writes not monotonic", append(h, at(2, 4, strong, read("y", 2), read("x"))))
	})
	It("show with a write what its client had seen", func() {
		h := history{at(9, 0, "", do(journal.Append, "x", 1)), at(1, 2, strong, read("x", 1)), at(1, 4, "", do(journal.Append, "y", 2))}
		sound(check.WritesFollowReads, append(h, at(2, 6, strong, read("y", 2), read("x", 1))))
		broken(check.WritesFollowReads, "writes do not follow reads", append(h, at(2, 6, strong, read("y", 2), read("x"))))
	})
	It("do not go back to an older value of a register", func() {
		w := func(from int, v int64) journal.Event {
			return happened(9, from, from+1, ok, journal.Register, "", do(journal.Write, "x", v))
		}
		r := func(from int, v int64) journal.Event {
			return happened(1, from, from+1, ok, journal.Register, local, read("x", v))
		}
		sound(rule(0, local), history{w(0, 1), w(2, 2), r(4, 1), r(6, 2)})
		broken(rule(0, local), "not monotonic", history{w(0, 1), w(2, 2), r(4, 2), r(6, 1)})
	})
})
