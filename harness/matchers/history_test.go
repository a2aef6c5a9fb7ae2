package matchers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
	. "github.com/rejoin-db/rejoin/harness/matchers"
)

// events are operations of one client on one register, each a millisecond
// after the one before.
func events(steps ...journal.Step) []journal.Event {
	var h []journal.Event
	for i, s := range steps {
		h = append(h, journal.Event{At: time.Unix(int64(i), 0), Took: time.Millisecond, Kind: journal.Operation, Node: journal.None,
			Op: &journal.Op{Client: 1, Outcome: journal.OK, Model: journal.Register, Level: journal.Strong, Steps: []journal.Step{s}}})
	}
	return h
}

var _ = Describe("A matcher of histories", func() {
	write, read := journal.Step{Do: journal.Write, Key: "x", Value: 1}, journal.Step{Do: journal.Read, Key: "x", Got: []int64{1}}
	stale := journal.Step{Do: journal.Read, Key: "x", Got: []int64{}}

	It("takes a journal, or its events", func() {
		j := journal.New(0)
		for _, e := range events(write, read) {
			j.Record(e)
		}
		Expect(j).To(BeLinearizable())
		Expect(j.Events()).To(And(BeLinearizable(), KeepEveryPromise()))
		Expect(events(write, stale)).NotTo(BeLinearizable())
	})

	It("says what is broken, by whom, and when", func() {
		m := BeLinearizable()
		Expect(m.Match(events(write, stale))).To(BeFalse())
		Expect(m.FailureMessage(nil)).To(And(
			HavePrefix("Expected the history of 2 events to be linearizable, but\nnot linearizable: "),
			ContainSubstring("+1000.0ms to +1001.0ms  operation client 1: read x = []")))
	})

	DescribeTable("proves nothing by a history in which nothing happened", func(m types.GomegaMatcher) {
		holds, err := m.Match(journal.New(0))
		Expect(holds).To(BeFalse())
		Expect(err).To(MatchError(check.ErrNothing))
	},
		Entry(nil, BeLinearizable()), Entry(nil, BeDurable()), Entry(nil, BeSerializable()), Entry(nil, BeStrictlySerializable()),
		Entry(nil, KeepTheTotal()), Entry(nil, CountRight()), Entry(nil, GiveOnlyOnce()), Entry(nil, BeMonotonic()), Entry(nil, ShowOwnWrites()),
		Entry(nil, BeReadCommitted()), Entry(nil, BeSnapshotIsolated()), Entry(nil, BeRepeatableRead()), Entry(nil, KeepWritesMonotonic()),
		Entry(nil, LetWritesFollowReads()), Entry(nil, Keep("serializable", "durable")),
		Entry(nil, BeAvailable(time.Hour)), Entry(nil, HaveConverged()), Entry(nil, HaveOneLeaderATerm()), Entry(nil, KeepEveryPromise()),
	)

	It("refuses a journal that has lost events", func() {
		j := journal.New(1)
		for _, e := range events(write, read) {
			j.Record(e)
		}
		_, err := BeLinearizable().Match(j)
		Expect(err).To(MatchError(check.ErrInvalid))
		Expect(err).To(MatchError(ContainSubstring("the journal dropped 1 events that matter")))
	})

	It("refuses a journal that no longer says who votes, where that matters", func() {
		start := time.Unix(1000, 0)
		written := func(at time.Duration, outcome journal.Outcome) journal.Event {
			return journal.Event{At: start.Add(at), Took: time.Millisecond, Kind: journal.Operation,
				Op: &journal.Op{Client: journal.None, Outcome: outcome, Mutates: true}}
		}
		story := []journal.Event{
			{At: start, Kind: journal.Boot, Node: journal.None, Members: &journal.Members{Voters: []int{0, 1, 2}}},
			written(10*time.Millisecond, journal.OK),
			{At: start.Add(20 * time.Millisecond), Kind: journal.Flag, Node: 1, Flag: &journal.FlagChange{}},
			{At: start.Add(20 * time.Millisecond), Kind: journal.Flag, Node: 2, Flag: &journal.FlagChange{}},
			written(30*time.Millisecond, journal.Failed),
			{At: start.Add(10 * time.Second), Kind: journal.Flag, Node: 1, Flag: &journal.FlagChange{Online: true}},
			written(10*time.Second+time.Millisecond, journal.OK),
		}
		whole, cut := journal.New(len(story)), journal.New(len(story)-1)
		for _, e := range story {
			whole.Record(e)
			cut.Record(e)
		}
		Expect(whole).To(BeAvailable(time.Second))
		_, err := BeAvailable(time.Second).Match(cut)
		Expect(err).To(MatchError(check.ErrInvalid))
	})

	It("keeps rules by their names", func() {
		Expect(events(write, read)).To(Keep("linearizable"))
		Expect(events(write, stale)).NotTo(Keep("linearizable", "read-your-writes"))
		_, err := Keep("perfection").Match(events(write, read))
		Expect(err).To(MatchError(HavePrefix(`unknown rule "perfection": the rules are one-leader-a-term, `)))
		_, err = Keep().Match(events(write, read))
		Expect(err).To(MatchError("the matcher Keep needs the name of a rule"))
	})

	It("refuses what is no history", func() {
		_, err := BeDurable().Match("a story")
		Expect(err).To(MatchError("a matcher to be durable: it takes a *journal.Journal or its events, not a string"))
		_, err = BeDurable().Match((*journal.Journal)(nil))
		Expect(err).To(HaveOccurred())
	})
})
