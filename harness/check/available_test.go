package check_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("Available", func() {
	write := func(from, to int, outcome journal.Outcome) journal.Event {
		return happened(1, from, to, outcome, journal.Counter, "", do(journal.Increment, "c", 1))
	}
	at := func(ms int, e journal.Event) journal.Event {
		e.At = begun.Add(time.Duration(ms) * time.Millisecond)
		return e
	}
	flag := func(ms, node int, online bool) journal.Event {
		return at(ms, journal.Event{Kind: journal.Flag, Node: node, Text: "a flag moves", Flag: &journal.FlagChange{Online: online}})
	}
	members := func(ms int, kind journal.Kind, voters ...int) journal.Event {
		return at(ms, journal.Event{Kind: kind, Node: journal.Nobody, Members: &journal.Members{Voters: voters}})
	}
	boot := members(0, journal.Boot, 0, 1, 2)
	within := func(budget int) func(history) error {
		return func(h history) error { return check.Available(h, time.Duration(budget)*time.Millisecond) }
	}
	refused := history{boot, write(0, 1, ok), flag(5, 0, false), write(10, 20, failed), write(30, 40, failed), write(60, 100, ok)}

	It("counts from the first refused change to the next acknowledged one", func() {
		sound(within(90), refused)
		broken(within(89), "not available", refused)
		Expect(within(50)(refused)).To(MatchError(And(ContainSubstring("for 90ms"), ContainSubstring("a flag moves"))))
	})
	It("does not count a rest", func() {
		sound(within(10), history{write(0, 1, ok), write(1000, 1001, ok)})
	})
	It("counts refusal without an end", func() {
		broken(within(50), "not available", history{write(0, 1, ok), write(10, 20, failed), write(90, 100, unknown)})
	})
	It("excuses the time without a quorum", func() {
		h := append(history{flag(6, 1, false), flag(58, 1, true)}, refused...)
		sound(within(46), h)
		broken(within(30), "not available", h)
	})
	It("counts the quorum of the members of that moment", func() {
		h := append(history{flag(6, 1, false), flag(58, 1, true)}, refused...)
		broken(within(46), "not available", append(h, members(1, journal.Member, 0, 1, 2, 3, 4)))
		sound(within(46), append(h, members(1, journal.Member, 0, 1, 2, 3)))
	})
	It("does not count a node that is offline and no member any more", func() {
		broken(within(46), "not available", append(history{flag(6, 3, false)}, refused...))
	})
	It("refuses a history with flags that does not say who votes", func() {
		err := within(1000)(refused[1:])
		Expect(err).To(MatchError(check.ErrInvalid))
		Expect(err).To(MatchError(ContainSubstring("no event says before that which nodes vote")))
	})
	It("does not count a flag that did not move", func() {
		unmoved := flag(6, 1, false)
		unmoved.Err = "node 1 does not stop"
		broken(within(46), "not available", append(history{unmoved}, refused...))
	})
	It("counts plain SQL that changes something", func() {
		e := happened(1, 0, 100, failed, "", "")
		e.Op.Mutates = true
		broken(within(99), "not available", history{e})
		e.Op.Mutates = false
		Expect(within(99)(history{e})).To(MatchError(check.ErrNothing))
	})
})
