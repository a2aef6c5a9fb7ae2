package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
		return at(ms, journal.Event{Kind: kind, Node: journal.None, Members: &journal.Members{Voters: voters}})
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
	It("does not count time without attempts", func() {
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
	It("does not count an offline node that is no longer a member", func() {
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
	It("reports every time in which changes were refused too long", func() {
		v := check.Availability(50 * time.Millisecond).Judge(history{write(0, 1, ok), write(10, 100, ok), write(100, 110, ok),
			write(120, 300, ok)})
		Expect(v.Violations).To(HaveLen(2))
		Expect(v.Judged).To(Equal(4))
	})
	It("counts a change that has not ended", func() {
		j := journal.New(0)
		j.Record(write(0, 1, ok))
		j.Invoke(journal.Op{Client: 1, Mutates: true})
		Expect(check.Available(j.Events(), time.Nanosecond)).NotTo(Succeed())
	})
	It("agrees with an exhaustive check of every millisecond", func() {
		r := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 3))
		found := map[bool]int{}
		for range 2000 {
			var h history
			for range 1 + r.IntN(6) {
				from := r.IntN(20)
				h = append(h, write(from, from+r.IntN(8), []journal.Outcome{ok, failed, unknown}[r.IntN(3)]))
			}
			longest := longestRefusal(h)
			found[longest > 5*time.Millisecond]++
			Expect(check.Available(h, 5*time.Millisecond) == nil).To(Equal(longest <= 5*time.Millisecond), "%v: %v", longest, spans(h))
		}
		Expect(found[true]).To(BeNumerically(">", 200))
		Expect(found[false]).To(BeNumerically(">", 200))
	})
})

// longestRefusal looks at every millisecond of a history without flags: it is refused if
// a change was tried then or before, and since then none was acknowledged.
func longestRefusal(h history) (longest time.Duration) {
	var ends []time.Time
	for _, e := range h {
		if e.Op.Outcome == ok {
			ends = append(ends, e.End())
		}
	}
	var last time.Time
	for _, e := range h {
		if e.End().After(last) {
			last = e.End()
		}
	}
	ends = append(ends, last)
	slices.SortFunc(ends, time.Time.Compare)
	since := begun.Add(-time.Second)
	for _, to := range ends {
		from := to
		for _, e := range h {
			if e.At.Before(to) && (e.End().After(since) || e.At.After(since)) {
				at := e.At
				if at.Before(since) {
					at = since
				}
				if at.Before(from) {
					from = at
				}
			}
		}
		longest = max(longest, to.Sub(from))
		since = to
	}
	return longest
}

// spans are the beginnings and ends, in milliseconds, with the outcomes.
func spans(h history) (found []string) {
	for _, e := range h {
		found = append(found, fmt.Sprintf("%v to %v %s", e.At.Sub(begun), e.End().Sub(begun), e.Op.Outcome))
	}
	return found
}
