package check_test

import (
	"errors"
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
		h := history{happened(1, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1)),
			happened(2, 0, 1, ok, journal.Unique, "", do(journal.Insert, "n", 1))}
		Expect(check.All(h)).To(MatchError(ContainSubstring("taken twice")))
	})
})
